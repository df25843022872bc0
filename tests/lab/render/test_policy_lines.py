"""The lines of a policy that a refusal is about."""

import pytest

from lab.render.policy_lines import lines_about

POLICY = """{
  "groups": {"group:a": ["a@example.com"]},
  "grants": [
    {"src": ["group:b"], "dst": ["tag:x"], "ip": ["tcp:22"]}
  ],
  "tests": []
}
"""


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        ('Failed to set ACL: src=group not found: "group:b" (400)', [4]),
        ('tag not found: "tag:x"', [4]),
        ("hujson: line 2, column 14: invalid character", [2]),
        ("Failed to update ACL: test(s) failed (400)", [6]),
        ('tag not found: "tag:nowhere"', []),
        ("line 99, column 1: too far", []),
        ("precondition failed", []),
    ],
)
def test_the_lines_are_those_of_the_named_word(message: str, numbers: list[int]) -> None:
    """A quoted word, a place, or the section of tests; nothing where the answer names nothing."""
    lines = POLICY.splitlines()
    assert lines_about(POLICY, message) == [f"{number:>5} | {lines[number - 1]}" for number in numbers]


def test_many_lines_are_cut() -> None:
    """A word that is everywhere fills no screen."""
    assert len(lines_about('"a"\n' * 50, 'bad "a"')) == 6
