"""The ways of the picture: from outside through the ingress, and every other permission as an arrow or a line."""

from collections.abc import Iterator

from lab.flows import Endpoint
from lab.plan.records import LabPlan
from lab.render.diagram.shapes import Box, arrow, curve, label, rect

GATE = Endpoint("ingress")
_AUDIENCES, _GATE_COLUMN = 20, 210
_AUDIENCE_STEP, _AUDIENCE_HEIGHT = 70, 34
_BULGE = 50
"""Three quarters of this is how far a curve leaves its column: less than there is between two."""
_FOLLOWS = ("derived", "route")
"""Origins of flows that are not drawn: a route is an arrow of its own, and the rest follows from what things are."""


def gate(height: float) -> Box:
    """The ingress, in the middle of what it serves."""
    return Box(_GATE_COLUMN, height / 2 - 30, 180, 60)


def edge(plan: LabPlan, boxes: dict[str, Box]) -> Iterator[str]:
    """The ingress, who comes to which of its ports, and what it serves."""
    ingress = plan.ingress
    if ingress is None:
        return
    here = boxes[str(GATE)]
    yield rect(here, "ingress", 8)
    yield label(here, 26, ingress.software, "head")
    yield label(here, 44, "the only way in", "small")
    entries = ingress.entry_points
    for index, entry in enumerate(entries):
        y = here.left[1] + (index - (len(entries) - 1) / 2) * _AUDIENCE_STEP - _AUDIENCE_HEIGHT / 2
        audience = Box(_AUDIENCES, y, 130, _AUDIENCE_HEIGHT)
        yield rect(audience, "box", 17)
        yield label(audience, 22, entry.audience)
        yield label(audience, 50, f"port {entry.port}", "small")
        if bringing := ingress.bringing(entry):
            below = Box(audience.x, audience.y, here.x - audience.x, audience.height)
            yield label(below, 63, f"by {' or '.join(map(str, bringing))}", "small")
        yield arrow(audience.right, here.left, "route")
    for target in dict.fromkeys(route.target for route in ingress.routes):
        if (served := boxes.get(str(target))) is not None:
            yield arrow(here.right, served.left, "route")


def flows(plan: LabPlan, boxes: dict[str, Box]) -> Iterator[str]:
    """An arrow for each permission between two boxes."""
    for source, target in _permitted(plan):
        if source in boxes and target in boxes:
            yield _flow(boxes[source], boxes[target])


def lines(plan: LabPlan, boxes: dict[str, Box]) -> list[str]:
    """Every other permission as text: one of a segment, of a set, of the internet or the tailnet."""
    found = [
        f"{source} → {target}: {', '.join(ports) or 'every port'}"
        for (source, target), ports in _permitted(plan).items()
        if source not in boxes or target not in boxes
    ]
    routes = plan.ingress.routes if plan.ingress else ()
    return [*found, *(f"{route.host} → {route.target}" for route in routes if str(route.target) not in boxes)]


def _permitted(plan: LabPlan) -> dict[tuple[str, str], list[str]]:
    """The ports of each pair that a person wrote a permission for; none where every port is meant."""
    found: dict[tuple[str, str], list[str]] = {}
    for flow in plan.flows:
        if flow.origin not in _FOLLOWS:
            ports = found.setdefault((str(flow.source), str(flow.target.endpoint)), [])
            ports += [str(flow.target.port)] if flow.target.port else []
    return found


def _flow(source: Box, target: Box) -> str:
    if source.x < target.x:
        return arrow(source.right, target.left, "flow")
    if source.x > target.x:
        return arrow(source.left, target.right, "flow")
    # Both in one column: leave and come back on the right, so that the line does not cross a box.
    bulge = min(14 + abs(target.y - source.y) / 20, _BULGE)
    return curve("flow", source.right, source.right[0] + bulge, target.right)
