"""The picture of a lab: well-formed, with a box for everything and an arrow for each permission only."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from lab.render.diagram import diagram_svg
from tests.labs.reading import CASES, lab_file
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
SVG = "{http://www.w3.org/2000/svg}"
FILES = [ROOT / "Pulumi.dev.yaml", ROOT / "tests" / "support" / "full_lab.yaml", *map(lab_file, CASES)]


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


def test_everything_has_a_box_and_arrows_are_permissions() -> None:
    """A service is a box with its ports; a route and a need are one arrow each, and nothing else is."""
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
    assert (arrows(picture, "route"), arrows(picture, "need")) == (2, 1)


def test_names_are_escaped() -> None:
    """Nothing that a person wrote breaks the picture."""
    decided = plan(domain="lab.example", description='<&">', stacks={"web": stack(app=service())})
    assert drawn(diagram_svg(decided)) is not None


def test_the_same_plan_is_the_same_picture() -> None:
    """The picture follows from the plan alone."""
    assert diagram_svg(plan_of(FILES[0])) == diagram_svg(plan_of(FILES[0]))
