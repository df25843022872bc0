"""From the body of `containers/create` to the container's inspect document.

Owns the checks that the engine makes before it writes anything; texts are those of 20.10. Defaults
that the engine fills in (swap limit, cgroup namespace, log driver, ...) are filled in here.
"""

import os
import re
import secrets

from sandbox.docker.simulated.capabilities import check_capabilities
from sandbox.docker.simulated.endpoints import endpoint_settings
from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.mounts import mount_points
from sandbox.docker.simulated.networks import find_network
from sandbox.docker.simulated.ports import check_bindings, check_port
from sandbox.docker.simulated.state import NEVER, Document, EngineState, now

_NAME = re.compile(r"^/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$")
_LOG_DRIVERS = ("json-file", "local", "journald", "syslog", "none", "gelf", "fluentd")
_POLICIES = ("", "no", "always", "unless-stopped", "on-failure")
_MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"]
_READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
_MEBI = 2**20


def check_name(name: str) -> str:
    """A container name without its slash; refused (400) when the engine would refuse it."""
    if not _NAME.match(name):
        raise EngineError(400, f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return name.removeprefix("/")


def check_resources(resources: Document) -> None:
    """Refuse (400) limits that the engine refuses: memory in bytes, `NanoCpus` in 1e-9 CPUs."""
    memory, swap = resources.get("Memory") or 0, resources.get("MemorySwap") or 0
    if 0 < memory < 6 * _MEBI:
        raise EngineError(400, "Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise EngineError(400, "Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0:
        raise EngineError(
            400, "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    reservation = resources.get("MemoryReservation") or 0
    if memory > 0 and reservation > memory:
        raise EngineError(
            400, "Minimum memory limit can not be less than memory reservation limit, see usage"
        )
    count = os.cpu_count() or 1
    cpus = resources.get("NanoCpus") or 0
    if cpus < 0 or cpus > count * 1_000_000_000:
        raise EngineError(
            400, f"range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
        )


def check_restart_policy(policy: Document | None, *, auto_remove: bool) -> None:
    """Refuse (400) an unknown restart policy, or one that contradicts its retry count or `AutoRemove`."""
    given = policy or {}
    name, retries = given.get("Name") or "", given.get("MaximumRetryCount") or 0
    if name not in _POLICIES:
        raise EngineError(400, f"invalid restart policy '{name}'")
    if name != "on-failure" and retries:
        raise EngineError(400, f"maximum retry count cannot be used with restart policy '{name}'")
    if retries < 0:
        raise EngineError(400, "maximum retry count cannot be negative")
    if auto_remove and name not in ("", "no"):
        raise EngineError(400, "can't create 'AutoRemove' container with restart policy")


def _check_health(check: Document | None) -> None:
    for field in ("Interval", "Timeout", "StartPeriod"):
        value = (check or {}).get(field) or 0
        if value < 0 or 0 < value < 1_000_000:
            raise EngineError(400, f"{field} in Healthcheck cannot be less than 1ms")
    if ((check or {}).get("Retries") or 0) < 0:
        raise EngineError(400, "Retries in Healthcheck cannot be negative")


def _host_config(body: Document) -> Document:
    given = body.get("HostConfig") or {}
    check_resources(given)
    check_restart_policy(given.get("RestartPolicy"), auto_remove=bool(given.get("AutoRemove")))
    check_capabilities(given.get("CapAdd"), "CapAdd")
    check_capabilities(given.get("CapDrop"), "CapDrop")
    driver = (given.get("LogConfig") or {}).get("Type") or "json-file"
    if driver not in _LOG_DRIVERS:
        raise EngineError(400, f'error looking up logging plugin {driver}: plugin "{driver}" not found')
    memory, swap = given.get("Memory") or 0, given.get("MemorySwap") or 0
    privileged = bool(given.get("Privileged"))
    return given | {
        "NetworkMode": given.get("NetworkMode") or "default",
        "PortBindings": check_bindings(given.get("PortBindings")),
        "LogConfig": {"Type": driver, "Config": (given.get("LogConfig") or {}).get("Config") or {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0} | (given.get("RestartPolicy") or {}),
        "MemorySwap": swap or 2 * memory,
        "IpcMode": given.get("IpcMode") or "private",
        "CgroupnsMode": given.get("CgroupnsMode") or "private",
        "Runtime": given.get("Runtime") or "runc",
        "ShmSize": given.get("ShmSize") or 64 * _MEBI,
        "OomKillDisable": bool(given.get("OomKillDisable")),
        "MaskedPaths": None if privileged else given.get("MaskedPaths") or _MASKED,
        "ReadonlyPaths": None if privileged else given.get("ReadonlyPaths") or _READ_ONLY,
        "Devices": given.get("Devices") or [],
    }


def _environment(image: list[str] | None, own: list[str] | None) -> list[str]:
    names = {entry.partition("=")[0] for entry in own or []}
    return [*(own or []), *(entry for entry in image or [] if entry.partition("=")[0] not in names)]


def _config(body: Document, image: Document, identifier: str) -> Document:
    base = image["Config"]
    entrypoint = body.get("Entrypoint") or base["Entrypoint"]
    command = body.get("Cmd") or (None if body.get("Entrypoint") else base["Cmd"])
    bindings = (body.get("HostConfig") or {}).get("PortBindings") or {}
    exposed: Document = {check_port(port): {} for port in body.get("ExposedPorts") or {}}
    bound: Document = {check_port(port): {} for port in bindings}
    _check_health(body.get("Healthcheck"))
    config: Document = {
        "Hostname": body.get("Hostname") or identifier[:12],
        "Domainname": body.get("Domainname") or "",
        "User": body.get("User") or base["User"],
        "AttachStdin": bool(body.get("AttachStdin")),
        "AttachStdout": bool(body.get("AttachStdout")),
        "AttachStderr": bool(body.get("AttachStderr")),
        "ExposedPorts": {**(base["ExposedPorts"] or {}), **exposed, **bound} or None,
        "Tty": bool(body.get("Tty")),
        "OpenStdin": bool(body.get("OpenStdin")),
        "StdinOnce": bool(body.get("StdinOnce")),
        "Env": _environment(base["Env"], body.get("Env")),
        "Cmd": command,
        "Image": body["Image"],
        "Volumes": body.get("Volumes") or base["Volumes"],
        "WorkingDir": body.get("WorkingDir") or base["WorkingDir"],
        "Entrypoint": entrypoint,
        "OnBuild": None,
        "Labels": {**(base["Labels"] or {}), **(body.get("Labels") or {})},
    }
    optional = ("Healthcheck", "StopTimeout", "StopSignal", "MacAddress")
    return config | {field: body[field] for field in optional if body.get(field)}


def _first_networks(state: EngineState, body: Document, mode: str) -> Document:
    if mode.startswith("container:"):
        return {}
    name = "bridge" if mode == "default" else mode
    given = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    if len(given) > 1:
        raise EngineError(
            400, f"Container cannot be connected to network endpoints: {', '.join(sorted(given))}"
        )
    network = find_network(state, name)
    name = network["Name"] if network else name
    networks = {name: endpoint_settings(given.get(name) or given.get(mode), network)}
    for other, config in given.items():
        if other in (name, mode):
            continue
        found = find_network(state, other)
        networks = {found["Name"] if found else other: endpoint_settings(config, found)}
    return networks


def new_container(state: EngineState, name: str, body: Document, image: Document) -> Document:
    """The inspect document of a container that is created and not started.

    Args:
        state: the engine's state; volumes that are mounted and missing are created.
        name: checked name without slash.
        body: the request.
        image: inspect document of its image.

    Raises:
        EngineError: 400 (or 404 for a volume driver) with the engine's text.
    """
    identifier = secrets.token_hex(32)
    host = _host_config(body)
    config = _config(body, image, identifier)
    if not config["Cmd"] and not config["Entrypoint"]:
        raise EngineError(400, "No command specified")
    line = [*(config["Entrypoint"] or []), *(config["Cmd"] or [])]
    return {
        "Id": identifier,
        "Created": now(),
        "Path": line[0],
        "Args": line[1:],
        "State": {
            "Status": "created",
            "Running": False,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 0,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": NEVER,
            "FinishedAt": NEVER,
        },
        "Image": image["Id"],
        "Name": f"/{name}",
        "RestartCount": 0,
        "Driver": "simulated",
        "Platform": "linux",
        "LogPath": "",
        "ExecIDs": None,
        "HostConfig": host,
        "Mounts": mount_points(state, body),
        "Config": config,
        "NetworkSettings": {
            "Bridge": "",
            "SandboxID": "",
            "Ports": {},
            "EndpointID": "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "MacAddress": "",
            "Networks": _first_networks(state, body, host["NetworkMode"]),
        },
    }
