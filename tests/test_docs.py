"""Documents that cannot lag behind: what is generated is current, and what is linked or named exists."""

import json
import re
from pathlib import Path

import pytest

from cli.app import app
from lab.config.reference import reference
from lab.config.schema import stack_file_schema
from lab.render.diagram import diagram_svg
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])


def test_the_reference_of_the_lab_file_is_current(update_golden: bool) -> None:
    """docs/config.md is what `lab reference` prints."""
    assert_golden(ROOT / "docs/config.md", reference(), update=update_golden)


def test_the_schema_for_editors_is_current(update_golden: bool) -> None:
    """docs/lab.schema.json is what `lab schema` prints; the first line of a lab file may name it."""
    text = json.dumps(stack_file_schema(), indent=2) + "\n"
    assert_golden(ROOT / "docs/lab.schema.json", text, update=update_golden)


def test_the_picture_is_the_dev_lab(update_golden: bool) -> None:
    """docs/dev.svg is what `lab diagram` prints of the dev lab."""
    assert_golden(ROOT / "docs/dev.svg", diagram_svg(plan_of(ROOT / "Pulumi.dev.yaml")), update=update_golden)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file of this repository names one that exists."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


# The page about the seeds quotes commands of other people's labs.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "labs.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_exists(page: Path) -> None:
    """Each `make` target and each verb of `lab` that a page names is there."""
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    verbs = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    named_targets = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE))
    named_verbs = set(re.findall(r"(?:`|/)lab ([a-z]+)", text))

    assert named_targets <= targets
    assert named_verbs <= verbs
