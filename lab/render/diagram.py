"""The lab as an SVG picture: audiences on the left, the ingress, then each stack in its own box.

Arrows are permissions: from the ingress to what it serves, and inside and between
stacks what a service needs. What has no arrow is denied. Sizes are in pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from lab.plan.records import LabPlan, ServicePlan, StackPlan

_COLUMN = {"outside": 20, "ingress": 230, "stacks": 470}
_BOX_WIDTH, _BOX_HEIGHT, _GAP = 190, 34, 10
_STACK_HEAD, _STACK_PAD = 46, 14
_STACK_WIDTH = 2 * _BOX_WIDTH + 3 * _STACK_PAD + 60
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2430}"
    ".small{font-size:11px;fill:#5b6675}.head{font-weight:600}"
    ".box{fill:#fff;stroke:#5b6675}.front{fill:#e8f2ff;stroke:#2f6fb3}.stack{fill:#f6f7f9;stroke:#c3cad3}"
    ".ingress{fill:#e8f2ff;stroke:#2f6fb3;stroke-width:2}"
    ".route{stroke:#2f6fb3;fill:none;stroke-width:1.5;marker-end:url(#arrow)}"
    ".need{stroke:#8a5a00;fill:none;stroke-width:1.2;marker-end:url(#needed)}"
)


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float = _BOX_WIDTH
    height: float = _BOX_HEIGHT

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width, self.y + self.height / 2


def diagram_svg(plan: LabPlan) -> str:
    """The picture as the text of an SVG file."""
    boxes, stack_parts, height = _stacks(plan)
    height = max(height, 200)
    parts = [*stack_parts, *_services(plan, boxes), *_edge(plan, boxes, height), *_needs(plan, boxes)]
    width = _COLUMN["stacks"] + _STACK_WIDTH + 20
    title = f"{plan.environment}: {plan.domain}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" role="img" aria-label="{escape(title)}">',
            f"<style>{_STYLE}</style>",
            f"<defs>{_marker('arrow', '#2f6fb3')}{_marker('needed', '#8a5a00')}</defs>",
            f'<rect width="{width}" height="{height:.0f}" fill="#fff"/>',
            _text(20, 28, title, "head"),
            *parts,
            "</svg>",
            "",
        ]
    )


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


def _stacks(plan: LabPlan) -> tuple[dict[str, _Box], list[str], float]:
    boxes: dict[str, _Box] = {}
    parts: list[str] = []
    top = 50.0
    x = _COLUMN["stacks"]
    for stack in plan.stacks:
        fronts, backs = _sides(stack)
        rows = max(len(fronts), len(backs), 1)
        height = _STACK_HEAD + rows * (_BOX_HEIGHT + _GAP) + _STACK_PAD - _GAP
        parts.append(_rect(_Box(x, top, _STACK_WIDTH, height), "stack", 8))
        networks = ", ".join(f"{n.name} {n.subnet}" for n in stack.networks[:2])
        parts.append(_text(x + _STACK_PAD, top + 20, stack.name, "head"))
        parts.append(_text(x + _STACK_PAD, top + 36, f"{networks} on {stack.host}", "small"))
        for column, services in ((x + _STACK_PAD, fronts), (x + 2 * _STACK_PAD + _BOX_WIDTH + 30, backs)):
            for row, service in enumerate(services):
                y = top + _STACK_HEAD + row * (_BOX_HEIGHT + _GAP)
                boxes[str(service.endpoint)] = _Box(column, y)
        top += height + 16
    for router in plan.subnet_routers:
        boxes[str(router.service.endpoint)] = _Box(x, top, _STACK_WIDTH)
        top += _BOX_HEIGHT + 16
    return boxes, parts, top + 10


def _sides(stack: StackPlan) -> tuple[list[ServicePlan], list[ServicePlan]]:
    fronts = [service for service in stack.services if service.speaks_http]
    return fronts, [service for service in stack.services if not service.speaks_http]


def _services(plan: LabPlan, boxes: dict[str, _Box]) -> Iterator[str]:
    for stack in plan.stacks:
        for service in stack.services:
            box = boxes[str(service.endpoint)]
            ports = " ".join(str(port.number) for port in service.listens)
            yield _rect(box, "front" if service.speaks_http else "box", 5)
            yield _text(box.x + 10, box.y + 22, f"{service.name} :{ports}" if ports else service.name)
    for router in plan.subnet_routers:
        box = boxes[str(router.service.endpoint)]
        yield _rect(box, "box", 5)
        yield _text(
            box.x + 10, box.y + 22, f"{router.name}: subnet router for {', '.join(router.advertises)}"
        )


def _edge(plan: LabPlan, boxes: dict[str, _Box], height: float) -> Iterator[str]:
    ingress = plan.ingress
    if ingress is None:
        return
    middle = height / 2
    gate = _Box(_COLUMN["ingress"], middle - 30, 150, 60)
    yield _rect(gate, "ingress", 8)
    yield _text(gate.x + 14, gate.y + 26, ingress.software, "head")
    yield _text(gate.x + 14, gate.y + 44, "the only way in", "small")
    entries = ingress.entry_points
    for index, entry in enumerate(entries):
        y = middle + (index - (len(entries) - 1) / 2) * 70 - _BOX_HEIGHT / 2
        box = _Box(_COLUMN["outside"], y, 130)
        yield _rect(box, "box", 17)
        yield _text(box.x + 14, box.y + 22, entry.audience)
        yield _arrow(box.right, gate.left, "route")
        yield _text(box.x + 14, box.y + 50, f"port {entry.port}", "small")
    for route in ingress.routes:
        if target := boxes.get(str(route.target)):
            yield _arrow(gate.right, target.left, "route")


def _needs(plan: LabPlan, boxes: dict[str, _Box]) -> Iterator[str]:
    drawn: set[tuple[str, str]] = set()
    for flow in plan.flows:
        ends = str(flow.source), str(flow.target.endpoint)
        source, target = boxes.get(ends[0]), boxes.get(ends[1])
        if flow.origin in ("derived", "route") or source is None or target is None or ends in drawn:
            continue
        drawn.add(ends)
        yield _need(source, target)


def _need(source: _Box, target: _Box) -> str:
    if source.x < target.x:
        return _arrow(source.right, target.left, "need")
    if source.x > target.x:
        return _arrow(source.left, target.right, "need")
    # Both in one column: leave and come back on the right, so that the line does not cross a box.
    (x, y), (_, other) = source.right, target.right
    bulge = x + 14 + abs(other - y) / 20
    return _curve("need", x, y, bulge, x, other)


def _arrow(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    (x, y), (to_x, to_y) = start, end
    return _curve(kind, x, y, (x + to_x) / 2, to_x, to_y)


def _curve(kind: str, x: float, y: float, bend: float, to_x: float, to_y: float) -> str:
    """A line that leaves and arrives level, by way of a column in between."""
    way = f"M{x:.0f} {y:.0f} C{bend:.0f} {y:.0f} {bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    return f'<path class="{kind}" d="{way}"/>'


def _rect(box: _Box, kind: str, radius: int) -> str:
    return (
        f'<rect class="{kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="{radius}"/>'
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
