"""The frames of the picture, one below the other: stacks with their services, segments with their machines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lab.flows import Endpoint, Port
from lab.plan.records import LabPlan, StackPlan, VlanPlan
from lab.render.diagram.shapes import PAD, Box, label, rect

COLUMN = 470
"""Where the frames begin."""
_BOX_WIDTH, _BOX_HEIGHT, _GAP = 190, 34, 10
_HEAD, _LINE, _BETWEEN = 32, 14, 16
WIDTH = 2 * _BOX_WIDTH + 3 * PAD + 60


@dataclass(kw_only=True)
class Drawn:
    """What was drawn so far, from the top."""

    boxes: dict[str, Box] = field(default_factory=dict)
    """By the endpoint that each stands for."""
    frames: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    """What lies above the arrows: boxes with their text."""
    height: float = 50.0


@dataclass(frozen=True, kw_only=True)
class _Member:
    """A service or machine; one at the front is what the ingress serves, or may serve."""

    endpoint: Endpoint
    line: str
    front: bool


_Columns = tuple[list[_Member], list[_Member]]


def draw_frames(plan: LabPlan) -> Drawn:
    """Everything that runs in the lab, in a frame of its stack or segment."""
    drawn = Drawn()
    for stack in plan.stacks:
        lines = [f"{network.name} {network.subnet} on {stack.host}" for network in stack.networks]
        _frame(drawn, "stack", stack.name, lines, _sides(_services(stack)))
    for router in plan.subnet_routers:
        box = Box(COLUMN, drawn.height, WIDTH, _BOX_HEIGHT)
        drawn.boxes[str(router.service.endpoint)] = box
        line = f"{router.name}: subnet router for {', '.join(router.advertises)}"
        drawn.members += [rect(box, "box", 5), label(box, 22, line)]
        drawn.height += _BOX_HEIGHT + _BETWEEN
    served = {route.target for route in plan.ingress.routes} if plan.ingress else set()
    for vlan in plan.vlans:
        _frame(drawn, "segment", vlan.name, [_segment(vlan)], _even(_machines(plan, vlan.name, served)))
    if any(elsewhere := _even(_machines(plan, None, served))):
        _frame(drawn, "segment", "in no segment of this lab", [], elsewhere)
    return drawn


def draw_lines(drawn: Drawn, title: str, lines: Sequence[str]) -> None:
    """A frame of text below the others; none where there is nothing to say."""
    if lines:
        _frame(drawn, "lines", title, lines, ([], []))


def _sides(members: Iterable[_Member]) -> _Columns:
    """What is served on the left, and what is behind it on the right."""
    columns: _Columns = ([], [])
    for member in members:
        columns[not member.front].append(member)
    return columns


def _even(members: Iterable[_Member]) -> _Columns:
    """What is served on the left, and the rest where there is room."""
    columns = _sides(members)
    left, right = columns
    while len(right) > len(left):
        left.append(right.pop(0))
    return columns


def _frame(drawn: Drawn, kind: str, name: str, lines: Sequence[str], columns: _Columns) -> None:
    rows = max(map(len, columns))
    head = _HEAD + len(lines) * _LINE
    height = head + rows * (_BOX_HEIGHT + _GAP) + (PAD - _GAP if rows else 4)
    frame = Box(COLUMN, drawn.height, WIDTH, height)
    drawn.frames += [rect(frame, kind, 8), label(frame, 20, name, "head")]
    drawn.frames += [label(frame, 22 + n * _LINE, line, "small") for n, line in enumerate(lines, start=1)]
    for x, column in zip((COLUMN + PAD, COLUMN + 2 * PAD + _BOX_WIDTH + 30), columns, strict=True):
        for row, member in enumerate(column):
            box = Box(x, frame.y + head + row * (_BOX_HEIGHT + _GAP), _BOX_WIDTH, _BOX_HEIGHT)
            drawn.boxes[str(member.endpoint)] = box
            drawn.members += [rect(box, "front" if member.front else "box", 5), label(box, 22, member.line)]
    drawn.height += height + _BETWEEN


def _services(stack: StackPlan) -> Iterator[_Member]:
    for service in stack.services:
        line = _listening(service.name, service.listens)
        yield _Member(endpoint=service.endpoint, line=line, front=service.speaks_http)


def _segment(vlan: VlanPlan) -> str:
    tag = f"VLAN {vlan.tag}, " if vlan.tag else ""
    return f"{tag}{vlan.subnet}{', reaches the internet' if vlan.internet else ''}"


def _machines(plan: LabPlan, vlan: str | None, served: set[Endpoint]) -> Iterator[_Member]:
    """The machines whose first interface is in a segment."""
    for node in plan.nodes:
        if node.vlan == vlan:
            yield _machine("node", node.name, "Proxmox VE", (), served)
    for guest in plan.guests:
        if (guest.nics[0].vlan if guest.nics else None) == vlan:
            yield _machine("guest", guest.name, guest.kind.upper(), guest.listens, served)
    for device in plan.devices:
        if device.vlan == vlan:
            yield _machine("device", device.name, "device", device.listens, served)


def _machine(kind: str, name: str, what: str, listens: Iterable[Port], served: set[Endpoint]) -> _Member:
    endpoint = Endpoint(kind, name)
    return _Member(endpoint=endpoint, line=f"{_listening(name, listens)}, {what}", front=endpoint in served)


def _listening(name: str, listens: Iterable[Port]) -> str:
    ports = " ".join(_port(port) for port in listens)
    return f"{name} :{ports}" if ports else name


def _port(port: Port) -> str:
    """TCP goes without saying."""
    return str(port).removesuffix("/tcp")
