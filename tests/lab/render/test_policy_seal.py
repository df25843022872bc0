"""The seal of a policy: whose it is, whether it was touched, and what would be done to another one."""

import json

import pytest

from lab.plan.records import TailnetPlan
from lab.render.policy_seal import CurrentPolicy, difference, fingerprint, origin, sealed, writer
from lab.render.tailnet import policy
from sandbox.tailscale.hujson import parse
from sandbox.tailscale.policy import DEFAULT_POLICY

OURS = policy(TailnetPlan(groups={"admins": ("a@example.com",)}, tags=("tag:stack-a-dev",)))


def in_force(text: str) -> CurrentPolicy:
    """A policy as the provider gives it."""
    return CurrentPolicy(text=text, document=json.dumps(parse(text)))


def test_what_this_lab_wrote_is_its_own() -> None:
    """Only for the environment that wrote it."""
    assert origin(in_force(OURS), "dev") == "own"
    assert origin(in_force(OURS), "prod") == "foreign"


@pytest.mark.parametrize(
    "formatted",
    [
        OURS.replace("  ", "\t"),
        OURS.replace('"autogroup:admin"\n', '"autogroup:admin",\n'),
        OURS.replace("\n    ]", "]"),
        f"\n{OURS}\n\n",
    ],
    ids=["tabs", "trailing commas", "one line", "blank lines"],
)
def test_formatting_breaks_no_seal(formatted: str) -> None:
    """The service may format a policy; what it says is what counts."""
    assert formatted != OURS
    assert origin(in_force(formatted), "dev") == "own"


@pytest.mark.parametrize(
    "edited",
    [
        OURS.replace("a@example.com", "b@example.com"),
        OURS.replace('"grants"', '// why\n  "grants"'),
        OURS.partition("\n")[2],
        OURS.replace("// homelab", "// Homelab"),
    ],
    ids=["a user", "a comment", "no seal", "another seal"],
)
def test_an_edit_breaks_the_seal(edited: str) -> None:
    """A changed rule, a comment that somebody left, or a missing seal: it is not what this lab wrote."""
    assert origin(in_force(edited), "dev") == "foreign"


FUNNEL = '"nodeAttrs": [{"target": ["autogroup:member"], "attr": ["funnel"]}]'
OPEN = '"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]'


@pytest.mark.parametrize(
    "text", [DEFAULT_POLICY, f"// hello\n{{{OPEN},}}", f'{{{OPEN}, {FUNNEL}, "groups": {{}}}}']
)
def test_the_policy_of_a_new_tailnet_is_nobodys(text: str) -> None:
    """Everything is permitted, in either form of rules, and nothing else is said."""
    assert origin(in_force(text), "dev") == "pristine"


@pytest.mark.parametrize(
    "text",
    [
        f'{{{OPEN}, "groups": {{"group:a": ["a@example.com"]}}}}',
        f'{{{OPEN}, "ssh": [{{"action": "accept", "src": ["*"], "dst": ["*"], "users": ["root"]}}]}}',
        '{"acls": [{"action": "accept", "src": ["a@example.com"], "dst": ["*:*"]}]}',
        '{"acls": []}',
        "{}",
    ],
)
def test_anything_else_is_somebodys(text: str) -> None:
    """One group, one rule of SSH, one narrower rule, or none at all."""
    assert origin(in_force(text), "dev") == "foreign"


def test_who_wrote_it_is_said() -> None:
    """As far as the text tells."""
    assert writer(in_force(DEFAULT_POLICY), "dev") == "somebody else wrote it"
    assert writer(in_force(OURS), "prod") == "environment dev wrote it"
    assert writer(in_force(OURS + "//"), "dev") == "this lab wrote it, and it was edited since"


def test_the_difference_is_of_what_they_say() -> None:
    """Order of lines and indentation aside, with what goes and what comes."""
    theirs = OURS.replace("a@example.com", "b@example.com").replace("  ", "\t")
    lines = difference(in_force(theirs), OURS)
    assert [line.strip("+- ") for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        '"b@example.com"',
        '"a@example.com"',
    ]


def test_comments_alone_are_a_difference() -> None:
    """Where both say the same, the difference is that of the texts: a comment would be lost."""
    lines = difference(in_force("// keep me\n" + OURS), OURS)
    assert "-// keep me" in lines


def test_a_fingerprint_is_of_one_policy() -> None:
    """It changes with every word, and not with the form."""
    assert fingerprint('{"a": [1, ]}') == fingerprint('{\n\t"a":[1]\n}\n')
    assert fingerprint('{"a": [1]}') != fingerprint('{"a": [2]}')
    assert fingerprint(OURS.partition("\n")[2]) in sealed(OURS.partition("\n")[2], "dev").partition("\n")[0]
