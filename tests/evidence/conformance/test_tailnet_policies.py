"""Captures of the Tailscale service against the sandbox's policy checks and packet filter."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.command import main
from sandbox.conformance.replay import Verdict
from sandbox.conformance.tailnet_policies import policy_figures
from tests.support.shared import shared_path

NODES = {
    "laptop": {"ipv4": "100.64.0.1", "ipv6": "fd7a::1", "tags": [], "user": "ann", "approved_routes": []},
    "server": {"ipv4": "100.64.0.2", "ipv6": "fd7a::2", "tags": ["tag:s"], "approved_routes": []},
}
TOPOLOGY = {
    "nodes": {name: {"routable_ips": [], **node} for name, node in NODES.items()},
    "users": [{"name": "ann", "email": "ann@example.com"}],
}
POLICY = {
    "tagOwners": {"tag:s": ["ann@example.com"]},
    "acls": [{"action": "accept", "src": ["ann@example.com"], "dst": ["tag:s:22"]}],
}
RULE = {
    "SrcIPs": ["100.64.0.1", "fd7a::1"],
    "DstPorts": [{"IP": ip, "Ports": {"First": 22, "Last": 22}} for ip in ("100.64.0.2", "fd7a::2")],
}
ACCEPTED = {
    "id": "good",
    "code": 200,
    "policy": POLICY,
    "topology": "t",
    "packet_filter_rules": {"server": [RULE]},
}
REJECTED = {
    "id": "bad",
    "code": 400,
    "policy": {**POLICY, "acls": [{"action": "deny"}]},
    "topology": "t",
    "body": {"message": '"deny" is not a valid action'},
}


def captures(folder: Path, *found: dict[str, Any]) -> Path:
    """A file of captures."""
    file = folder / "captures.json"
    file.write_text(json.dumps({"captures": found, "topologies": {"t": TOPOLOGY}}))
    return file


def test_the_same_verdicts_and_filters_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict and a filter for each device are compared of an accepted policy, the reason of a rejected one."""
    file = captures(tmp_path, ACCEPTED, REJECTED)
    assert main(["tailscale-policies", str(file), "--format", "json"]) == 0
    types = json.loads(capsys.readouterr().out)["types"]
    assert {name: (one["steps"], one["agrees"]) for name, one in types.items()} == {
        "accepted policies": (3, 3),
        "rejected policies": (1, 1),
    }


@pytest.mark.parametrize(
    ("capture", "kind"),
    [
        ({**ACCEPTED, "packet_filter_rules": {}}, "filter: permits more"),
        ({**ACCEPTED, "packet_filter_rules": {"server": [RULE], "laptop": [RULE]}}, "filter: permits less"),
        ({**ACCEPTED, "policy": REJECTED["policy"]}, "policy: rejects, theirs accepts"),
        ({**REJECTED, "policy": POLICY}, "policy: accepts, theirs rejects"),
        ({**REJECTED, "body": {"message": "no"}}, "policy: other reason"),
    ],
)
def test_each_kind_of_difference_is_said(
    capture: dict[str, Any], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another verdict, reason or filter is named with the capture, and the exit code is 1."""
    assert main(["tailscale-policies", str(captures(tmp_path, capture))]) == 1
    out = capsys.readouterr().out
    assert f"1 x {kind}" in out
    assert f"captures.json, {capture['id']}, step" in out


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is not JSON"),
        ("[]", "no file of captures"),
        (
            json.dumps({"captures": [{"id": "a"}], "topologies": {}}),
            "capture 0: has no code, policy, topology",
        ),
        (
            json.dumps({"captures": [{**ACCEPTED, "topology": "u"}], "topologies": {}}),
            "(good): topology 'u' is not there",
        ),
        (
            json.dumps({"captures": [{**ACCEPTED, "code": 400}], "topologies": {"t": TOPOLOGY}}),
            "(good): code 400 without body",
        ),
    ],
)
def test_a_file_of_another_format_is_refused(
    text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the file lacks is said with the capture it is in, and the exit code is 2."""
    file = tmp_path / "captures.json"
    file.write_text(text)
    assert main(["tailscale-policies", str(file)]) == 2
    assert part in capsys.readouterr().err


def test_the_hosted_service_is_agreed_with() -> None:
    """Of all captures: every accepted policy is accepted, and 4,255 of 4,261 compared verdicts and filters agree.

    Different are four filters with every internet address (an exit node that approves itself), two of a file share.
    """
    figures = policy_figures(shared_path("schemas/tailscale-policy-captures.json.gz"))
    accepted = figures["accepted policies"]
    assert accepted.kinds == {"filter: permits less": 4, "filter: permits more": 2}
    assert accepted.verdicts[Verdict.AGREES] == 4255
    assert figures["rejected policies"].kinds == {"policy: accepts, theirs rejects": 3}
