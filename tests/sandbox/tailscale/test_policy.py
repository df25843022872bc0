"""The policy checks, in the words of the hosted control plane (its captures: tests/sandbox/conformance)."""

import json
from typing import Any

import pytest

from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.hujson import HuJsonError, parse
from sandbox.tailscale.policy import DEFAULT_POLICY, check_policy


def verdict(policy: str) -> str | None:
    """The refusal of a policy, or None."""
    try:
        check_policy(policy)
    except PolicyError as problem:
        return problem.message
    return None


def test_the_default_policy_is_right() -> None:
    """The policy that a tailnet starts with passes its own checks."""
    assert verdict(DEFAULT_POLICY) is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"nonsense": 1}, 'json: unknown field "nonsense"'),
        ({"acls": [{"action": "deny"}]}, '"deny" is not a valid action'),
        ({"acls": [{"action": "accept", "src": ["*"], "dst": ["*"]}]}, "a port is missing"),
        ({"acls": [{"action": "accept", "source": ["*"]}]}, 'json: unknown field "source"'),
        ({"grants": [{"src": ["group:no"], "dst": ["*"], "ip": ["*"]}]}, 'src=group not found: "group:no"'),
        ({"grants": [{"src": ["*"], "dst": ["nohost"], "ip": ["*"]}]}, 'dst="nohost": invalid address'),
        ({"grants": [{"src": ["*"], "dst": ["*"], "ip": ["80-70"]}]}, 'port range "80-70"'),
        ({"autoApprovers": {"routes": {"10.0.0.0/8": ["tag:no"]}}}, 'tag not found: "tag:no"'),
        ({"autoApprovers": {"routes": {"10.0.0.1/8": ["tag:a"]}}}, "invalid prefix"),
        ({"tagOwners": {"tag:a": ["tag:no"]}}, 'tag not found: "tag:no"'),
        ({"hosts": {"x": "no"}}, 'hosts["x"]: "no": invalid address'),
        ({"groups": {"admins": []}}, "group names must start with 'group:'"),
        ({"tests": [{"src": "a@example.com", "accept": ["tag:no:22"]}]}, "test(s) failed"),
        ({"tests": [{"accept": ["*:22"]}]}, "test(s) failed"),
    ],
)
def test_mistakes_are_found(change: dict[str, Any], text: str) -> None:
    """Each mistake is refused with a text that names it."""
    policy = {"tagOwners": {"tag:a": ["autogroup:admin"]}} | change
    assert text in str(verdict(json.dumps(policy)))


def test_hujson_is_json_with_comments_and_trailing_commas() -> None:
    """Comments, also those that look like strings, and trailing commas are read; strings stay as they are."""
    text = """// first "line
    {
      /* block, */ "a": [1, 2, ], // , ]
      "b": "http://x/*no comment*/,]",
    }
    """
    assert parse(text) == {"a": [1, 2], "b": "http://x/*no comment*/,]"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ('{"a": 1 // x\n "b": 2}', "line 2, column 2"),
        ('{"a": 1, "a": 2}', 'duplicate object member name "a"'),
        ("{,}", "line 1"),
        ('{"a": [,]}', "line 1"),
        ("{} {}", "line 1, column 4"),
        ('{"a": NaN}', "invalid literal NaN"),
        ("/* open", "line 1"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_hujson_mistakes_say_where(text: str, place: str) -> None:
    """A mistake is reported with its line and column in the original text."""
    with pytest.raises(HuJsonError) as error:
        parse(text)
    assert place in str(error.value)
