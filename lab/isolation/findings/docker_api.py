"""Findings about who is root on a Docker host besides its owner."""

from collections.abc import Iterator

from lab.isolation.findings.finding import Finding, place_of_service
from lab.isolation.powers import powers
from lab.isolation.proof import Proof


def docker_api(proof: Proof) -> Iterator[Finding]:
    """Sockets, proxies, privileges and shared host networks."""
    directory = proof.reach.directory
    for endpoint, container in directory.containers.items():
        for power in powers(directory, endpoint):
            if power.key == "docker-socket" and container.service.docker_filter is not None:
                # Somebody has to hold it; that is what a proxy is for, and what it lets through is said of its users.
                continue
            yield Finding(
                kind=f"root-by-{power.key}" if power.root else f"sees-by-{power.key}",
                where=f"{place_of_service(endpoint)}.{power.key}",
                problem=power.reason,
                consequence=f"whoever takes it has {container.host} and every container there"
                if power.root
                else "whoever takes it learns or does more than its network lets it",
                repair=_REPAIRS.get(
                    power.key, "take it away, or live with this service being part of its host"
                ),
            )


_REPAIRS = {
    "docker-socket": "let it ask a proxy with only the rights that it needs: docker-api: {rights: [list]}",
    "docker-api": "leave such rights out; docs/docker-api.md says what each is for",
    "privileged": "name the single capabilities or devices that it needs",
    "host-network": "publish its ports instead",
    "host-processes": "take it away, or take the capability CAP_SYS_PTRACE from it",
    "capabilities": "leave it only the capabilities that it fails without",
    "binds": "bind the single files or folders that it reads",
}
