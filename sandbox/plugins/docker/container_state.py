"""From `GET /containers/{id}/json` to the outputs of a container.

As in the official plugin, a refresh does not look at `envs`, `labels`, `uploads` and `networksAdvanced`: they
keep
what was asked for. `mustRun` turns false when the container does not run, so that the next `up` starts it.
"""

from __future__ import annotations

from typing import Any

from sandbox.plugins.docker.container_config import MEBIBYTE
from sandbox.plugins.docker.container_properties import PROPERTIES, duration_text
from sandbox.plugins.properties import Kind
from sandbox.plugins.values import Value, Values, blocks, flag, strings

NULL_UNTIL_REFRESHED = ("dns", "groupAdds", "logOpts", "sysctls", "tmpfs")
KEPT = (
    "envs",
    "labels",
    "uploads",
    "networksAdvanced",
    "cpus",
    "start",
    "wait",
    "waitTimeout",
    "destroyGraceSeconds",
    "removeVolumes",
    "containerReadRefreshTimeoutMilliseconds",
)


def unfilled(inputs: Values) -> Values:
    """The outputs of a container that was created but is not as asked: only what was asked for."""
    state: Values = {}
    for item in PROPERTIES:
        given = inputs.get(item.name, item.planned_default)
        is_blocks = item.element is not None and item.element.kind is Kind.OBJECT and not item.output
        state[item.name] = [] if given is None and is_blocks else given
    return state


def created(inputs: Values, found: dict[str, Any]) -> Values:
    """The outputs right after create: what is empty and was not asked for is still null."""
    state = refreshed(
        {**unfilled(inputs), "envs": inputs.get("envs", []), "labels": inputs.get("labels", [])}, found
    )
    for name in NULL_UNTIL_REFRESHED:
        if name not in inputs:
            state[name] = None
    if isinstance(inputs.get("capabilities"), dict):
        state["capabilities"] = _capabilities_asked(inputs["capabilities"])
    state["ports"] = _in_asked_order(blocks(inputs, "ports"), blocks(state, "ports"))
    state["mounts"] = _mounts_asked(blocks(inputs, "mounts"), blocks(state, "mounts"))
    return state


def _mounts_asked(asked: list[Values], found: list[Values]) -> Value:
    """The mounts without what was not asked for; the engine's values come with the first refresh."""
    unset = {mount.get("target") for mount in asked if mount.get("readOnly") is None}
    return [mount | {"readOnly": None} if mount.get("target") in unset else mount for mount in found]


def _capabilities_asked(given: Value) -> Value:
    asked = given if isinstance(given, dict) else {}
    return {"adds": [*strings(asked, "adds")], "drops": [*strings(asked, "drops")]}


def _in_asked_order(asked: list[Values], found: list[Values]) -> Value:
    """The published ports as the program ordered them; the engine's order comes with the first refresh."""
    order = [(port.get("internal"), port.get("protocol")) for port in asked]

    def place(port: Values) -> int:
        key = (port.get("internal"), port.get("protocol"))
        return order.index(key) if key in order else len(order)

    return [*sorted(found, key=place)] if found else [*asked]


def refreshed(state: Values, found: dict[str, Any]) -> Values:
    """The outputs of the container as it is, with those that a refresh does not look at from `state`."""
    config, host = found.get("Config") or {}, found.get("HostConfig") or {}
    running = bool((found.get("State") or {}).get("Running"))
    result: Values = {name: state.get(name) for name in KEPT}
    result.update(_from_config(config))
    result.update(_from_host_config(host))
    result.update(
        {
            "name": str(found.get("Name", "")).removeprefix("/"),
            "image": state.get("image") or found.get("Image", ""),
            "mustRun": flag(state, "mustRun") and running,
            "exitCode": None if running else (found.get("State") or {}).get("ExitCode"),
            "networkDatas": _networks(found),
            "ports": _ports(found),
            "bridge": "",
        }
    )
    if not isinstance(result["image"], str) or not state:
        result["image"] = found.get("Image", "")
    return result


def updated(state: Values, inputs: Values) -> Values:
    """The outputs after an update: as planned, whether or not the engine can change it in place."""
    planned = {**state, **inputs}
    for item in PROPERTIES:
        if item.name not in inputs and not item.computed and state.get(item.name):
            planned[item.name] = item.planned_default
    planned["mounts"] = [mount | {"readOnly": flag(mount, "readOnly")} for mount in blocks(planned, "mounts")]
    return planned


def _from_config(config: dict[str, Any]) -> Values:
    return {
        "hostname": config.get("Hostname", ""),
        "user": config.get("User", ""),
        "command": [*(config.get("Cmd") or [])],
        "entrypoints": [*(config.get("Entrypoint") or [])],
        "healthcheck": _healthcheck(config.get("Healthcheck")),
        "stopTimeout": config.get("StopTimeout") or 0,
    }


def _from_host_config(host: dict[str, Any]) -> Values:
    log = host.get("LogConfig") or {}
    policy = host.get("RestartPolicy") or {}
    return {
        "capabilities": _capabilities(host),
        "securityOpts": [*(host.get("SecurityOpt") or [])],
        "readOnly": bool(host.get("ReadonlyRootfs")),
        "privileged": bool(host.get("Privileged")),
        "memory": int(host.get("Memory") or 0) // MEBIBYTE,
        "memorySwap": _swap(int(host.get("MemorySwap") or 0)),
        "restart": policy.get("Name") or "no",
        "maxRetryCount": policy.get("MaximumRetryCount") or 0,
        "tmpfs": dict(host.get("Tmpfs") or {}),
        "sysctls": dict(host.get("Sysctls") or {}),
        "mounts": [_mount(mount) for mount in host.get("Mounts") or []],
        "devices": [_device(device) for device in host.get("Devices") or []],
        "hosts": [_host(entry) for entry in host.get("ExtraHosts") or []],
        "dns": [*(host.get("Dns") or [])],
        "groupAdds": [*(host.get("GroupAdd") or [])],
        "networkMode": "bridge" if host.get("NetworkMode") in (None, "", "default") else host["NetworkMode"],
        "pidMode": host.get("PidMode") or None,
        "ipcMode": host.get("IpcMode", ""),
        "runtime": host.get("Runtime", ""),
        "logDriver": log.get("Type", ""),
        "logOpts": dict(log.get("Config") or {}),
        "init": bool(host.get("Init")),
    }


def _swap(amount: int) -> int:
    return amount if amount < 0 else amount // MEBIBYTE


def _capabilities(host: dict[str, Any]) -> Value:
    adds, drops = host.get("CapAdd") or [], host.get("CapDrop") or []
    return {"adds": [*adds], "drops": [*drops]} if adds or drops else None


def _healthcheck(found: dict[str, Any] | None) -> Value:
    if not found:
        return None
    return {
        "tests": [*(found.get("Test") or [])],
        "interval": duration_text(found.get("Interval") or 0),
        "timeout": duration_text(found.get("Timeout") or 0),
        "startPeriod": duration_text(found.get("StartPeriod") or 0),
        "startInterval": duration_text(found.get("StartInterval") or 0),
        "retries": found.get("Retries") or 0,
    }


def _mount(found: dict[str, Any]) -> Value:
    return {
        "target": found.get("Target", ""),
        "type": found.get("Type", ""),
        "source": found.get("Source", ""),
        "readOnly": bool(found.get("ReadOnly")),
    }


def _device(found: dict[str, Any]) -> Value:
    return {
        "hostPath": found.get("PathOnHost", ""),
        "containerPath": found.get("PathInContainer", ""),
        "permissions": found.get("CgroupPermissions", ""),
    }


def _host(entry: str) -> Value:
    name, _, address = entry.partition(":")
    return {"host": name, "ip": address}


def _networks(found: dict[str, Any]) -> Value:
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return [
        {
            "networkName": name,
            "ipAddress": endpoint.get("IPAddress", ""),
            "ipPrefixLength": endpoint.get("IPPrefixLen", 0),
            "gateway": endpoint.get("Gateway", ""),
            "macAddress": endpoint.get("MacAddress", ""),
            "globalIpv6Address": endpoint.get("GlobalIPv6Address", ""),
            "globalIpv6PrefixLength": endpoint.get("GlobalIPv6PrefixLen", 0),
            "ipv6Gateway": endpoint.get("IPv6Gateway", ""),
        }
        for name, endpoint in sorted(networks.items())
    ]


def _ports(found: dict[str, Any]) -> Value:
    """Published ports in the engine's order: by port number.

    Nothing is published while a container does not run or has only internal networks; then the bindings that
    were
    asked for count, so that a refresh does not make a replacement of it.
    """
    published = (found.get("NetworkSettings") or {}).get("Ports") or {}
    if not any(published.values()):
        published = (found.get("HostConfig") or {}).get("PortBindings") or {}
    ports: list[tuple[int, str, dict[str, Any]]] = []
    for key, bindings in published.items():
        number, _, protocol = key.partition("/")
        ports.extend((int(number), protocol, binding) for binding in bindings or [])
    ports.sort(key=lambda port: (port[0], port[1]))
    return [
        {
            "internal": number,
            "protocol": protocol,
            "ip": binding.get("HostIp", ""),
            "external": int(binding.get("HostPort") or 0),
        }
        for number, protocol, binding in ports
        if binding.get("HostIp") != "::"
    ]
