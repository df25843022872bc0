"""Findings about Docker networks: databases that meet strangers, ports that pass the host's own firewall."""

from collections.abc import Iterator

from lab.flows import Endpoint
from lab.isolation.findings.finding import Finding
from lab.isolation.findings.finding import place_of_service as where
from lab.isolation.proof import OpenPath, Proof
from lab.plan.directory import Container

DATABASE_PORTS = {
    1433: "SQL Server",
    3306: "MySQL or MariaDB",
    5432: "PostgreSQL",
    5984: "CouchDB",
    6379: "Redis",
    8086: "InfluxDB",
    9042: "Cassandra",
    11211: "memcached",
    27017: "MongoDB",
}
"""The ports at which databases listen by default (IANA's registry and their own documentation)."""
_NAMED = 4


def docker_networks(proof: Proof) -> Iterator[Finding]:
    """Databases on shared networks, and published ports where no guard runs."""
    guarded = {guard.host for guard in proof.plan.guards}
    strangers = _strangers(proof)
    for endpoint, container in proof.reach.directory.containers.items():
        if endpoint in strangers:
            yield _database(endpoint, strangers[endpoint])
        if container.host not in guarded:
            yield from _bypass(endpoint, container)


def _strangers(proof: Proof) -> dict[Endpoint, list[OpenPath]]:
    """Who gets to a database's own port, or may, without a permission; by the database."""
    containers = proof.reach.directory.containers
    found: dict[Endpoint, list[OpenPath]] = {}
    for path in proof.paths:
        answer = path.answer
        if path.permission is not None or answer.port is None or answer.port.number not in DATABASE_PORTS:
            continue
        container = containers.get(answer.target)
        if container is not None and answer.port in container.service.listens and answer.source in containers:
            found.setdefault(answer.target, []).append(path)
    return found


def _database(endpoint: Endpoint, paths: list[OpenPath]) -> Finding:
    names = sorted({str(path.answer.source) for path in paths})
    kinds = sorted({DATABASE_PORTS[path.answer.port.number] for path in paths if path.answer.port})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    verb = "can be reached" if any(path.violates for path in paths) else "can be reached, or nobody can tell,"
    who = f"{', '.join(names[:_NAMED])}{more}"
    return Finding(
        kind="database-on-shared-network",
        where=where(endpoint),
        problem=f"{' and '.join(kinds)} of {endpoint} {verb} by {who}: {paths[0].answer.reason}",
        consequence="a database trusts its network: whoever reaches it has only a password before them",
        repair="put it into a network of its own with what needs it, on a host with a guard whose facts are known",
    )


def _bypass(endpoint: Endpoint, container: Container) -> Iterator[Finding]:
    for published in container.service.published:
        yield Finding(
            kind="published-past-the-firewall",
            where=where(endpoint),
            problem=f"port {published.external}/{published.protocol} of {container.host} is published for {endpoint}, "
            "and no guard runs there",
            consequence="Docker lets it past the host's own firewall (ufw and the like do not see it)",
            repair="let the lab manage something on this host, so that its guard runs, or filter in front of the host",
        )
