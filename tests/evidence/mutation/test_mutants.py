"""The tool that breaks the model: what it changes, and that its list of harmless changes is true to the code."""

import ast
from itertools import islice
from pathlib import Path

import pytest

from tests.evidence.mutation.equivalent import reviewed
from tests.evidence.mutation.mutants import chosen, mutants_of
from tests.evidence.mutation.operators import changed
from tests.evidence.mutation.subjects import SUBJECTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a == b", ["a != b"]),
        ("a < b", ["a <= b"]),
        ("a not in b", ["a in b"]),
        ("a and b", ["a or b", "b", "a"]),
        ("not a", ["a"]),
        ("a | b", ["a & b"]),
        ("f(a, b)", ["f(b, a)"]),
        ("any(a)", ["all(a)"]),
        ("yes(a)", ["no(a)"]),
        ("a if b else c", ["a", "c"]),
        ("(*a, *b)", ["(*b,)", "(*a,)"]),
        ("7", ["8", "6"]),
        ("isinstance(a, b)", []),
        ("'text'", []),
    ],
)
def test_an_expression_is_changed_in_one_place(text: str, expected: list[str]) -> None:
    """Each change is one that a person might make, and it is the only one."""
    assert [ast.unparse(instead) for _, instead in changed(ast.parse(text, mode="eval").body)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    b()", ["if False:\n    b()", "if True:\n    b()"]),
        ("continue", ["pass"]),
        ("a += b", ["pass"]),
    ],
)
def test_a_statement_is_changed_in_one_place(text: str, expected: list[str]) -> None:
    """The same for statements."""
    assert [ast.unparse(instead) for _, instead in changed(ast.parse(text).body[0])] == expected


def test_every_module_has_mutants_that_differ_from_it() -> None:
    """Nothing is called a mutant that is the module as it was, and no two have one name."""
    for module in SUBJECTS:
        mutants = mutants_of(module)
        assert len({mutant.name for mutant in mutants}) == len(mutants)
        for mutant in islice(mutants, 0, None, 20):
            assert mutant.difference()
            compile(mutant.tree(), mutant.name, "exec")


def test_a_seed_chooses_always_the_same() -> None:
    """A run that is repeated breaks the same places."""
    mutants = mutants_of("lab.isolation.guards")
    assert chosen(mutants, 10, 1) == chosen(mutants, 10, 1)
    assert chosen(mutants, 10, 1) != chosen(mutants, 10, 2)


def test_what_is_reviewed_still_exists() -> None:
    """Every mutant that is listed as changing nothing is one: the list cannot outlive the code."""
    names = {mutant.name for module in SUBJECTS for mutant in mutants_of(module)}
    assert set(reviewed()) <= names


def test_a_reason_is_needed(tmp_path: Path) -> None:
    """A mutant without a reason is not reviewed."""
    listed = tmp_path / "listed.txt"
    listed.write_text("Head.\n\nguards.f: a: b -> c\n")
    with pytest.raises(ValueError, match="has no reason"):
        reviewed(listed)
