"""The settings of a container that follow from its record alone, in the engine's own form.

Lists are sorted and names are canonical, as the engine gives them back: another order
or a short name would be a difference at the next refresh, and a difference here is a
replacement. Pure but for the provider's argument types.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from lab.plan.records import ServicePlan

_SOCKET = "/var/run/docker.sock"
_LONGEST_CHECK = 10
_TMPFS = "rw,nosuid,nodev"
_LOG_OPTIONS = {"max-file": "3", "max-size": "10m"}


def labels(service: ServicePlan, environment: str) -> list[docker.ContainerLabelArgs]:
    """What a probe needs to know about a running container."""
    values = {
        "homelab.endpoint": str(service.endpoint),
        "homelab.environment": environment,
        "homelab.http": "yes" if service.speaks_http else "no",
        "homelab.listens": ",".join(str(port) for port in sorted(service.listens)),
    }
    return [docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(values.items())]


def mounts(
    service: ServicePlan,
    data: Mapping[str, pulumi.Input[str]],
    read_only: Mapping[str, pulumi.Input[str]],
) -> list[docker.ContainerMountArgs] | None:
    """Volumes and paths of the host, by where they are mounted.

    Args:
        service: the record, for its binds and the Docker socket.
        data: names of writable volumes by mount.
        read_only: names of volumes with files by mount.
    """
    binds = {mount: path for path, mount in service.binds.items()}
    if service.docker_socket:
        binds[_SOCKET] = _SOCKET
    found = [
        *(docker.ContainerMountArgs(type="volume", target=m, source=v) for m, v in data.items()),
        *(
            docker.ContainerMountArgs(type="volume", target=m, source=v, read_only=True)
            for m, v in read_only.items()
        ),
        *(
            docker.ContainerMountArgs(type="bind", target=m, source=p, read_only=True)
            for m, p in binds.items()
        ),
    ]
    return sorted(found, key=lambda mount: str(mount.target)) or None


def tmpfs(service: ServicePlan) -> dict[str, pulumi.Input[str]] | None:
    """Writable places in memory."""
    return dict.fromkeys(sorted(service.tmpfs), _TMPFS) or None


def devices(service: ServicePlan) -> list[docker.ContainerDeviceArgs] | None:
    """Devices of the host, under the same path in the container."""
    return [
        docker.ContainerDeviceArgs(host_path=path, container_path=path, permissions="rwm")
        for path in sorted(service.devices)
    ] or None


def confinement(service: ServicePlan) -> dict[str, Any]:
    """What keeps a container from becoming its host; nothing does for a privileged one."""
    if service.privileged:
        return {"privileged": True}
    return {
        "capabilities": docker.ContainerCapabilitiesArgs(
            adds=[_canonical(name) for name in sorted(service.capabilities)] or None, drops=["ALL"]
        ),
        "security_opts": ["no-new-privileges:true"],
    }


def _canonical(capability: str) -> str:
    name = capability.upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def limits(service: ServicePlan) -> dict[str, Any]:
    """Memory in MiB without swap (the engine would double it), processors, and the size of logs."""
    return {
        "memory": service.memory_mib,
        "memory_swap": service.memory_mib,
        "cpus": f"{service.cpus:g}" if service.cpus else None,
        "log_driver": "json-file",
        "log_opts": dict(_LOG_OPTIONS),
    }


def connections(service: ServicePlan, networks: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
    """Networks at fixed addresses, and published ports; a service without either has no network at all."""
    settings: dict[str, Any] = {}
    if service.host_processes:
        settings["pid_mode"] = "host"
    if service.host_network:
        return {**settings, "network_mode": "host"}
    if not service.attachments:
        return {**settings, "network_mode": "none"}
    settings["networks_advanced"] = [
        docker.ContainerNetworksAdvancedArgs(
            name=networks[attachment.network],
            ipv4_address=attachment.address,
            aliases=list(attachment.aliases) or None,
        )
        for attachment in sorted(service.attachments, key=lambda a: a.network)
    ]
    settings["ports"] = [
        docker.ContainerPortArgs(
            internal=port.internal, external=port.external, ip=port.address, protocol=port.protocol
        )
        for port in sorted(service.published, key=lambda p: (p.internal, p.protocol, p.external))
    ] or None
    return settings


def health(service: ServicePlan) -> docker.ContainerHealthcheckArgs | None:
    """How the engine finds out whether the container is well."""
    if service.health is None:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *service.health.command],
        interval=_duration(service.health.interval),
        retries=service.health.retries,
        timeout=_duration(min(service.health.interval, _LONGEST_CHECK)),
    )


def _duration(seconds: int) -> str:
    """Seconds as the engine's clients print them (Go, `time.Duration`): `10s`, `1m30s`, `1h0m0s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
