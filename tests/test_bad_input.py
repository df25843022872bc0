"""Bad labs: one small file for each rule, and the exact text that its owner reads.

`bad/<ring>/<rule>.yaml` begins with the rule as a comment; `<rule>.txt` beside it is the
whole message, byte for byte. A ledger, where the rule is about one, is
`ledger.<rule>.yaml`. The last tests hold the other direction: nothing in `lab/` refuses
without a bad lab that shows how.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from lab.config.load import load
from lab.errors import LabError
from lab.ledger import Ledger
from lab.plan import load_plan
from tests.support.golden import assert_golden
from tests.support.proofs import refusals as refusals_of_proofs

ROOT = Path(__file__).resolve().parents[1]
BAD = ROOT / "tests" / "bad"
CASES = sorted(path for path in BAD.glob("*/*.yaml") if not path.name.startswith("ledger."))


@cache
def refused(path: Path) -> LabError:
    """The problems of a bad lab."""
    with pytest.raises(LabError) as caught:
        load_plan(path)
    return caught.value


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_message_is_exactly_this(path: Path, update_golden: bool) -> None:
    """A bad lab is refused with the text that stands beside it."""
    assert_golden(path.with_suffix(".txt"), f"{refused(path)}\n", update=update_golden)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_problem_has_a_repair(path: Path) -> None:
    """Every problem says where it is, what is wrong and what repairs it, on one line each."""
    for issue in refused(path).issues:
        assert issue.path
        assert issue.problem
        assert issue.repair
        assert "\n" not in f"{issue.path}{issue.problem}{issue.repair}"


def test_no_message_is_an_orphan() -> None:
    """Every expected text belongs to a bad lab."""
    assert {path.with_suffix("") for path in BAD.glob("*/*.txt")} == {path.with_suffix("") for path in CASES}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("shape/unknown-key", 'unknown key "subnett"\n      repair: write "subnet"'),
        ("shape/vlan-id", '"4095" is above the highest allowed value, 4094'),
        ("shape/image-without-digest", '"docker.io/library/nginx:1.29" has no digest'),
        ("shape/octal", "Pulumi reads 16 (octal), YAML 1.2 reads 20"),
        ("shape/not-yaml", "it is not YAML"),
        ("meaning/overlap-vlans", "10.10.30.0/24 of vlan iot overlaps 10.10.0.0/16 of vlan services"),
        ("meaning/one-address-twice", "10.10.20.11 of guest b is also the address of guest a"),
        ("meaning/one-id-twice", "VMID 100 of guest b is also that of guest a"),
        ("meaning/unknown-host", 'there is no Docker host "docker-2"'),
        ("meaning/route-outside-certificate", "a.b.lab.example is not covered by the certificate"),
        ("meaning/full-subnet", "is full: it holds 1 containers and needs 2"),
        ("ledger/overlap-of-records", "drop one of the two: `lab ledger --drop networks/docker-1/vnet-b`"),
    ],
)
def test_the_message_names_what_matters(case: str, words: str) -> None:
    """The words without which the reader could not act are in the message."""
    assert words in str(refused(BAD / f"{case}.yaml"))


@pytest.mark.parametrize("ring", ["shape", "meaning"])
def test_problems_are_told_all_at_once(ring: str) -> None:
    """A lab with several problems tells every one of them, not only the first."""
    assert len(refused(BAD / ring / "two-problems.yaml").issues) > 2


def reads_labs(path: Path) -> bool:
    """Whether a module of `lab/` has to do with lab files: `lab/simulate` reads rendered ones."""
    return "simulate" not in path.relative_to(ROOT / "lab").parts


@cache
def spans(path: Path) -> tuple[tuple[int, int], ...]:
    """The refusals of a module."""
    return tuple(refusals(path))


def refusals(path: Path) -> Iterator[tuple[int, int]]:
    """The first and last line of everything in a module that refuses or warns."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.cause is None and isinstance(node.exc, ast.Call):
            yield node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "refuse",
            "_refuse",
            "Issue",
        ):
            yield node.lineno, node.end_lineno or node.lineno


def special_cases(folder: Path) -> Iterator[Callable[[], object]]:
    """What takes more than one file, or none, to be refused; the texts are in the tests of
    reading, ledger, site and isolation under tests/lab/."""
    first, second, latin = (folder / f"Pulumi.{name}.yaml" for name in ("first", "second", "latin"))
    yield lambda: load_plan(folder / "Pulumi.none.yaml")
    yield lambda: load_plan(folder)
    first.write_text("domain: lab.example\n")
    yield lambda: load(first, {"domain": "other.example"})
    yield lambda: Ledger().without(["networks/a"])
    latin.write_bytes("domain: lab.example # \xfc\n".encode("latin-1"))
    yield lambda: load_plan(latin)
    yield lambda: load_plan(first)
    latin.unlink()
    tailnet = "domain: lab.example\ntailnet: {}\n"
    first.write_text(tailnet)
    second.write_text(tailnet)
    yield lambda: load_plan(first)
    yield from refusals_of_proofs()


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[int]]:
    """The lines of `lab/` that run while every bad lab is refused, by file."""
    lines: dict[str, set[int]] = {}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        lines.setdefault(frame.f_code.co_filename, set()).add(frame.f_lineno)
        return local

    @cache
    def may_refuse(code: CodeType) -> bool:
        path = Path(code.co_filename)
        return path.is_relative_to(ROOT / "lab") and any(
            line in range(first, last + 1)
            for first, last in spans(path)
            for _, _, line in code.co_lines()
            if line is not None
        )

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        return local(frame, event, argument) if may_refuse(frame.f_code) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for path in CASES:
            refused.__wrapped__(path)
        for attempt in special_cases(tmp_path_factory.mktemp("labs")):
            with pytest.raises(LabError):
                attempt()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "lab").rglob("*.py")) if reads_labs(path) and list(refusals(path))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_refusal_has_a_bad_lab(path: Path, visited: dict[str, set[int]]) -> None:
    """Whatever `lab/` refuses is refused in at least one bad lab, so that its text is read."""
    unseen = [
        f"line {first}"
        for first, last in refusals(path)
        if not visited.get(str(path), set()) & set(range(first, last + 1))
    ]
    assert unseen == []
