"""Published host ports: parsing of port specifications, conflicts, and who holds what.

A port is taken per protocol; `0.0.0.0` collides with every address. Ports are bound only when the
container is in a bridge network that is not internal: otherwise the engine publishes nothing, silently.
"""

import re

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.state import Document, EngineState

_SPECIFICATION = re.compile(r"^(\d+)(?:-(\d+))?(?:/([a-zA-Z]+))?$")
_EPHEMERAL = range(49153, 65536)


def check_port(specification: str) -> str:
    """The canonical `port/protocol` of a container port; refused (400) where it is none."""
    match = _SPECIFICATION.match(specification)
    if match is None or match[2] or not 0 < int(match[1]) <= 65535:
        raise EngineError(400, f'invalid port specification: "{specification.partition("/")[0]}"')
    return f"{int(match[1])}/{(match[3] or 'tcp').lower()}"


def check_bindings(bindings: Document | None) -> Document:
    """`PortBindings` with canonical keys and checked host ports (400 otherwise)."""
    checked: Document = {}
    for specification, targets in (bindings or {}).items():
        entries = []
        for target in targets or [{}]:
            text = str(target.get("HostPort") or "")
            if text and (not text.isdigit() or not 0 <= int(text) <= 65535):
                raise EngineError(400, f'invalid port specification: "{text}"')
            entries.append({"HostIp": target.get("HostIp") or "", "HostPort": text})
        checked[check_port(specification)] = entries
    return checked


def _collides(taken: set[tuple[str, str, int]], protocol: str, address: str, port: int) -> bool:
    return any(
        protocol == other and port == number and (address == ip or "0.0.0.0" in (address, ip))
        for other, ip, number in taken
    )


def _taken(state: EngineState) -> set[tuple[str, str, int]]:
    found = set()
    for key, _ in state.ports.items():
        protocol, address, port = key.split("/")
        found.add((protocol, address, int(port)))
    return found


def publish_ports(state: EngineState, container: Document, endpoint: str | None) -> None:
    """Bind the host ports of a starting container and show them in its document.

    Args:
        state: the engine's state.
        container: the inspect document; `NetworkSettings.Ports` is written.
        endpoint: id of the endpoint that publishes, or None where no network can publish.

    Raises:
        EngineError: 500 with the driver's text when a port is taken or a protocol unknown.
    """
    shown: Document = dict.fromkeys(container["Config"]["ExposedPorts"] or {})
    bindings = container["HostConfig"]["PortBindings"] or {}
    taken = _taken(state) if bindings and endpoint else set()
    holder = container["Name"].removeprefix("/")
    for specification in sorted(bindings) if endpoint else []:
        protocol = specification.partition("/")[2]
        failed = f"driver failed programming external connectivity on endpoint {holder} ({endpoint}): "
        if protocol not in ("tcp", "udp", "sctp"):
            raise EngineError(500, f"{failed}invalid transport protocol: {protocol}")
        shown[specification] = []
        for target in bindings[specification]:
            address = target["HostIp"] or "0.0.0.0"
            port = int(target["HostPort"] or 0)
            if port == 0:
                port = next(p for p in _EPHEMERAL if not _collides(taken, protocol, address, p))
            elif _collides(taken, protocol, address, port):
                raise EngineError(500, f"{failed}Bind for {address}:{port} failed: port is already allocated")
            taken.add((protocol, address, port))
            state.ports.put(f"{protocol}/{address}/{port}", {"container": container["Id"]})
            shown[specification].append({"HostIp": address, "HostPort": str(port)})
    container["NetworkSettings"]["Ports"] = shown


def release_ports(state: EngineState, container: Document) -> None:
    """Give back the host ports of a container that stops."""
    for specification, targets in (container["NetworkSettings"]["Ports"] or {}).items():
        for target in targets or []:
            state.ports.delete(f"{specification.partition('/')[2]}/{target['HostIp']}/{target['HostPort']}")
    container["NetworkSettings"]["Ports"] = {}
