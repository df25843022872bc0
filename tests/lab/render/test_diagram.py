"""The picture of a lab: well-formed, with a box for everything and an arrow for each permission only."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import chain
from pathlib import Path

import pytest

from lab.render.diagram import diagram_svg
from tests.labs.reading import CASES, lab_file
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.plans import plan_of
from tests.support.proofs import IOT, SERVICES

ROOT = Path(__file__).resolve().parents[3]
SVG = "{http://www.w3.org/2000/svg}"
FILES = [ROOT / "Pulumi.dev.yaml", ROOT / "tests" / "support" / "full_lab.yaml", *map(lab_file, CASES)]


CHARACTER = {"": 7.2, "head": 8.1, "small": 6.1}
"""Pixels that a character takes in DejaVu Sans: 13, 13 bold and 11 pixels high."""


def _number(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name, 0))


def drawn(text: str) -> ElementTree.Element:
    """The picture as XML."""
    return ElementTree.fromstring(text)


def words(picture: ElementTree.Element) -> list[str]:
    """Every text of a picture."""
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def arrows(picture: ElementTree.Element, kind: str) -> int:
    """How many arrows there are of a kind."""
    return sum(1 for element in picture.iter(f"{SVG}path") if element.get("class") == kind)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_lab_is_well_formed(path: Path) -> None:
    """The picture of every lab is XML with a size, and nothing of it lies outside."""
    decided = plan_of(path)
    picture = drawn(diagram_svg(decided))
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    for box in picture.iter(f"{SVG}rect"):
        assert float(box.get("x", 0)) + float(box.get("width", 0)) <= width
        assert float(box.get("y", 0)) + float(box.get("height", 0)) <= height
    assert f"{decided.environment}: {decided.domain}" in words(picture)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_text_leaves_its_box(path: Path) -> None:
    """In the widest of the usual fonts either; every network of a stack is named."""
    decided = plan_of(path)
    picture = drawn(diagram_svg(decided))
    boxes = [(_number(box, "x"), _number(box, "y"), box) for box in picture.iter(f"{SVG}rect")]
    for text in picture.iter(f"{SVG}text"):
        x, y, kind = _number(text, "x"), _number(text, "y"), text.get("class", "")
        around = [
            left + _number(box, "width")
            for left, top, box in boxes
            if left <= x and top <= y <= top + _number(box, "height") + 20
        ]
        width = _number(text, "textLength") or len(text.text or "") * CHARACTER[kind]
        assert x + width <= min(edge for edge in around if edge > x), text.text
    told = "\n".join(words(picture))
    assert all(f"{n.name} {n.subnet} on {s.host}" in told for s in decided.stacks for n in s.networks)


def test_a_name_that_is_too_long_is_squeezed() -> None:
    """Squeezed and not cut: two names may differ at their ends."""
    name = "a-service-that-nobody-types-once"
    decided = plan(stacks={"web": stack(**{name: service(listens=[80, 443])})})
    (text,) = [t for t in drawn(diagram_svg(decided)).iter(f"{SVG}text") if t.text == f"{name} :80 443"]
    assert text.get("lengthAdjust") == "spacingAndGlyphs"


def test_everything_has_a_box_and_arrows_are_permissions() -> None:
    """A service is a box with its ports; a route and a need are one arrow each, and derived flows are none."""
    decided = plan(
        tailnet={},
        ingress=ingress(),
        stacks={
            "web": stack(
                app=service(listens=[80], route=route("www"), needs=["db:5432"]),
                db=service(listens=[5432]),
                job=service(),
            )
        },
    )
    picture = drawn(diagram_svg(decided))
    assert {"app :80", "db :5432", "job", "web", "traefik", "tailnet", "port 8443"} <= set(words(picture))
    assert (arrows(picture, "route"), arrows(picture, "flow")) == (2, 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_permission_is_an_arrow_or_a_line(path: Path) -> None:
    """What a person wrote, and each route, is in the picture; so is every machine and segment."""
    decided = plan_of(path)
    picture = drawn(diagram_svg(decided))
    pairs = {
        (str(f.source), str(f.target.endpoint)) for f in decided.flows if f.origin not in ("derived", "route")
    }
    lines = [line for line in words(picture) if " → " in line]
    told = {pair for pair in pairs if any(line.startswith(f"{pair[0]} → {pair[1]}: ") for line in lines)}
    entries = decided.ingress.entry_points if decided.ingress else ()
    targets = {str(route.target) for route in decided.ingress.routes} if decided.ingress else set()
    assert len(told) == len(lines)
    assert arrows(picture, "flow") == len(pairs - told)
    assert arrows(picture, "route") == len(entries) + len(targets)
    machines = (
        [n.name for n in decided.nodes],
        [g.name for g in decided.guests],
        [d.name for d in decided.devices],
    )
    for name in chain(*machines):
        assert any(re.match(rf"{name}( :[^,]*)?, ", word) for word in words(picture)), name
    assert {vlan.name for vlan in decided.vlans} <= set(words(picture))


def test_a_permission_of_many_is_a_line_with_its_ports() -> None:
    """It has no place to come from; two ports of one pair are one line."""
    decided = plan(
        vlans={"services": SERVICES, "iot": IOT},
        devices={"tv": {"vlan": "iot", "address": 50, "listens": [8009, "1900/udp"]}},
        flows=[
            {"from": "vlan:services", "to": f"device:tv:{port}", "because": "films"}
            for port in ("8009", "1900/udp")
        ],
    )
    assert "vlan:services → device:tv: 1900/udp, 8009/tcp" in words(drawn(diagram_svg(decided)))


def test_names_are_escaped() -> None:
    """Nothing that a person wrote breaks the picture."""
    decided = plan(domain="lab.example", description='<&">', stacks={"web": stack(app=service())})
    assert drawn(diagram_svg(decided)) is not None


def test_the_same_plan_is_the_same_picture() -> None:
    """The picture follows from the plan alone."""
    assert diagram_svg(plan_of(FILES[0])) == diagram_svg(plan_of(FILES[0]))
