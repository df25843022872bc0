"""The policy in force at Tailscale, asked for by the real program before anything is created."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from lab.plan import load_plan
from lab.render.policy_seal import fingerprint
from lab.render.tailnet import policy
from tests.support.engine import Recording
from tests.support.program import prepare, run

THEIRS = '// by hand\n{"groups": {"group:kin": ["kin@example.com"]}, "grants": []}\n'


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    """The dev lab."""
    return prepare(tmp_path, "dev")


@pytest.fixture
def ours(lab_file: Path) -> str:
    """The policy of the dev lab."""
    tailnet = load_plan(lab_file).tailnet
    assert tailnet is not None
    return policy(tailnet)


def refusal(update: Callable[[], Recording]) -> str:
    """The text with which the program stops."""
    with pytest.raises(pulumi.RunError) as refused:
        update()
    return str(refused.value)


@pytest.mark.parametrize("preview", [True, False])
def test_somebody_elses_policy_stops_the_program(lab_file: Path, preview: bool) -> None:
    """In preview as in up, with the difference and the key that lets exactly this policy be overwritten."""
    said = refusal(lambda: run(lab_file, preview=preview, policy=THEIRS))
    assert "lab.tailnet: the policy in force at Tailscale is not this lab's (somebody else wrote it)" in said
    assert '        -    "group:kin": [' in said
    assert '        +    "group:admins": [' in said
    assert f'tailnet: {{overwrite: "{fingerprint(THEIRS)}"}}' in said


def test_an_edit_stops_the_program(lab_file: Path, ours: str) -> None:
    """What this lab wrote and somebody changed is not undone without a word."""
    said = refusal(lambda: run(lab_file, policy=ours.replace("admin@example.com", "eve@example.com")))
    assert "this lab wrote it, and it was edited since" in said
    assert '-      "eve@example.com"' in said


def test_a_policy_that_is_named_may_be_overwritten(lab_file: Path) -> None:
    """The lab file names one policy by its fingerprint; the next edit is stopped again."""
    text = lab_file.read_text()
    named = f'tailnet: {{overwrite: "{fingerprint(THEIRS)}", '
    lab_file.write_text(text.replace("tailnet: {groups", f"{named}groups"))
    assert run(lab_file, policy=THEIRS).one("Acl").inputs["overwriteExistingContent"] is True
    assert "somebody else" in refusal(lambda: run(lab_file, policy=THEIRS + "// more\n"))


def test_a_killed_first_update_heals_itself(lab_file: Path, ours: str) -> None:
    """A policy that was written and not recorded is this lab's own, and is written once more."""
    assert run(lab_file, policy=ours).one("Acl").inputs["overwriteExistingContent"] is True


def test_of_a_new_tailnet_the_service_decides(lab_file: Path) -> None:
    """The first write is conditional at the service, so that nobody comes between the question and it."""
    assert run(lab_file).one("Acl").inputs["overwriteExistingContent"] is False


def test_a_policy_that_is_not_owned_is_not_asked_for(lab_file: Path) -> None:
    """Without owning the policy nothing is read, and nothing can be refused."""
    text = lab_file.read_text()
    lab_file.write_text(
        text.replace("    site: sandbox", "    site: sandbox\n    owns: [cluster-firewall, dns-zone]")
    )
    recording = run(lab_file, policy=THEIRS)
    assert recording.of("Acl") == []
    assert "tailscale:index/getAcl:getAcl" not in [token for token, _ in recording.invokes]


def test_a_policy_that_cannot_be_read_is_said(lab_file: Path) -> None:
    """A key without the right to read it: what failed and what to do, and no stack trace."""
    said = refusal(lambda: run(lab_file, policy=None))
    assert "lab.tailnet: the policy in force at https://api.tailscale.com cannot be read" in said
    assert "scope policy_file" in said
