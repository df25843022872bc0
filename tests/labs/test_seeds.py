"""What holds for all five labs alike: they load and plan, name nobody, and the docs hold a table of each."""

import re
from pathlib import Path

import pytest

from tests.labs.reading import CASES, LABS, declared, lab_file, planned

DOCS = Path(__file__).resolve().parents[2] / "docs" / "labs.md"
_EMAIL = re.compile(r"[\w.+-]+@([\w-]+\.[\w.-]+)")
_DIGEST = re.compile(r"@sha256:([0-9a-f]{64})")


def test_every_lab_file_here_is_tested() -> None:
    """Each folder with a lab file is one of the cases, so that none is forgotten."""
    assert {path.parent.name for path in LABS.glob("*/lab.yaml")} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_it_loads_and_plans(case: str) -> None:
    """The lab loads and plans without a problem."""
    assert planned(case).domain == declared(case).domain


@pytest.mark.parametrize("case", CASES)
def test_planning_twice_gives_one_plan(case: str) -> None:
    """Equal declarations give equal plans."""
    planned.cache_clear()
    first = planned(case)
    planned.cache_clear()
    assert planned(case) == first


@pytest.mark.parametrize("case", CASES)
def test_it_begins_with_its_story(case: str) -> None:
    """The file begins with the seed it comes from, what it must show and where the origin disagrees."""
    lines = lab_file(case).read_text().splitlines()
    story = [line for line in lines[: lines.index("config:")] if line.startswith("#")]
    assert story[0].startswith("# Seed 00")
    assert "Must show:" in "".join(story)
    assert "disagree" in "".join(story)


@pytest.mark.parametrize("case", CASES)
def test_names_are_nobodys(case: str) -> None:
    """Domains end in lab.example and e-mail addresses in example.com, so that no real owner is named."""
    assert declared(case).domain.endswith(".lab.example")
    assert set(_EMAIL.findall(lab_file(case).read_text())) <= {"example.com"}


@pytest.mark.parametrize("case", CASES)
def test_every_flow_has_a_reason(case: str) -> None:
    """No permission is without the reason that every output repeats."""
    assert all(flow.because.strip() for flow in planned(case).flows)


@pytest.mark.parametrize("case", CASES)
def test_made_up_digests_are_marked(case: str) -> None:
    """A digest that repeats a pattern stands below a comment that says it is made up."""
    lines = lab_file(case).read_text().splitlines()
    for index, line in enumerate(lines):
        for digest in _DIGEST.findall(line):
            if digest == digest[:2] * 32:
                assert "made up" in lines[index - 1], line


def test_the_labs_are_sites_of_their_own() -> None:
    """The five never share a site, because their address plans overlap."""
    assert len({declared(case).site for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_docs_hold_its_table(case: str) -> None:
    """docs/labs.md has a section for the lab, with a table and a list of what is not in the file."""
    text = DOCS.read_text()
    section = text.partition(f"## `{case}`")[2].partition("\n## ")[0]
    assert "| the text says | in the file |" in section
    assert "In the text, and not in the lab file:" in section
