"""The verb `check`: findings, violations, acceptances and expectations, and the exit code that they make."""

import json
from pathlib import Path

import pytest

from sandbox.cloudflare.server import application
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.cli.proof_lab import LAB, placed, run

ENTRY = '  - {from: "vlan:iot", to: "vlan:services", because: the same}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the lab, in which the command runs."""
    placed(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB", "test")
    return tmp_path


def test_a_lab_that_keeps_its_word_is_fine() -> None:
    """A lab without violations whose sentences hold is code 0, and says what it puts up with and promises."""
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Expectations (holds 1)\n  - holds: device:tv does not reach stack:web\n" in result.stdout
    assert "      accepted because the node filters nothing on the way\n" in result.stdout
    assert (
        "\nPulumi.test.yaml is fine: 1 nodes, 2 VLANs, 1 guests, 1 stacks with 2 services, " in result.stdout
    )


def test_a_violation_is_told_with_an_entry_to_paste(folder: Path) -> None:
    """A path that nobody declared is code 1, told with its reason and an entry that makes the check pass."""
    placed(folder, LAB.replace(ENTRY, ""))
    result = run("check")
    assert result.exit_code == 1
    assert "Violations: 2 paths that nobody declared, for 1 reason\n" in result.stdout
    assert "  - device:tv, vlan:iot can reach vlan:services at every other port (2 paths)\n" in result.stdout
    assert "\nPulumi.test.yaml is not fine: 2 paths that nobody declared\n" in result.stdout
    (entry,) = [line.strip() for line in result.stdout.splitlines() if line.strip().startswith("- {from")]
    pasted = entry.replace('because: ""', "because: it is known")
    placed(folder, LAB.replace(ENTRY, f"  {pasted}\n"))
    assert run("check").exit_code == 0


def test_an_expectation_that_fails_is_a_violation(folder: Path) -> None:
    """A sentence that does not hold is code 1 and is told with what speaks against it."""
    placed(folder, LAB.replace('to: "stack:web", reach: no', 'to: "service:web/db:5432", reach: yes'))
    result = run("check")
    assert result.exit_code == 1
    assert (
        "Expectations (does not hold 1)\n"
        "  - does not hold: device:tv reaches service:web/db:5432/tcp\n"
        "      device:tv → service:web/db:5432/tcp: no: "
    ) in result.stdout
    assert "\nPulumi.test.yaml is not fine: 1 expectation not met\n" in result.stdout


def test_what_cannot_be_told_is_no_failure(folder: Path) -> None:
    """A sentence of which nobody can tell is said to be so, and fails nothing."""
    text = LAB.partition("accept:")[0].replace("kind: node", "kind: unifi")
    sentence = '{from: "device:tv", to: "vlan:services", reach: no}'
    placed(folder, f"{text}expect:\n  - {sentence}\n")
    result = run("check")
    assert result.exit_code == 0
    assert "Expectations (cannot tell 1)\n" in result.stdout
    assert "Nobody can tell: " in result.stdout


def test_findings_are_told_and_fail_nothing(folder: Path) -> None:
    """What is unwelcome is told with its consequence and its repair, and is code 0."""
    placed(folder, LAB.replace("listens: [5432]", "listens: [5432], privileged: yes"))
    result = run("check")
    assert result.exit_code == 0
    assert (
        "  - stacks.web.services.db.privileged: it is privileged: it has every device and capability of the host "
        "[root-by-privileged]\n"
        "      consequence: whoever takes it has docker-1 and every container there\n"
        "      repair: name the single capabilities or devices that it needs\n"
    ) in result.stdout


def test_an_accepted_path_that_is_gone_is_bad_input(folder: Path) -> None:
    """An entry that covers nothing is code 2 and says which one to remove; in JSON, too."""
    placed(
        folder,
        LAB.replace("expect:", '  - {from: "device:tv", to: "guest:docker-1:22", because: once}\nexpect:'),
    )
    result = run("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "the lab accepts what is not there: it has one problem; nothing was created\n"
        "  - lab.accept[2]: no path that it covers is open any more "
        '(from device:tv to guest:docker-1:22/tcp, because "once")\n'
        "      repair: remove the entry: what is not there needs no acceptance, and would be hidden if it came back\n"
    )
    as_json = run("check", "--format", "json")
    assert as_json.exit_code == 2
    assert json.loads(as_json.stdout)["issues"][0]["path"] == "lab.accept[2]"


def test_the_check_as_data(folder: Path) -> None:
    """For a program the violations have their ends, reason and entry, and the whole says whether it is fine."""
    assert json.loads(run("check", "--format", "json").stdout)["ok"] is True
    placed(folder, LAB.replace(ENTRY, ""))
    result = run("check", "--format", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"]) == (1, False)
    (violation,) = found["violations"]
    assert violation["from"] == ["device:tv", "vlan:iot"]
    assert (violation["to"], violation["ports"], violation["paths"]) == (["vlan:services"], ["other"], 2)
    assert violation["accept"].endswith('because: ""}')
    assert found["expectations"][0]["verdict"] == "holds"
    assert {path["because"] for path in found["accepted"]} == {"the node filters nothing on the way"}


CERTIFICATE = """\
certificate: {names: ["*.lab.example"]}
dns: {provider: cloudflare}
"""


def test_what_the_certificate_depends_on_is_listed(folder: Path) -> None:
    """What only Cloudflare knows cannot be told, and is no failure."""
    placed(folder, LAB + CERTIFICATE)
    result = run("check")
    assert result.exit_code == 0
    assert "\nThe certificate: what it depends on\n  - yes: names: *.lab.example, " in result.stdout
    assert "  - cannot tell: token: cloudflare-token needs " in result.stdout
    told = json.loads(run("check", "--format", "json").stdout)["certificate"]
    assert {one["what"]: one["verdict"] for one in told}["zone"] == "cannot tell"


def test_cloudflare_is_asked_on_demand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says takes the place of what nobody could tell; a token that it does not accept fails the check."""
    placed(folder, LAB + CERTIFICATE)
    monkeypatch.setenv("PATH", str(folder))
    with served_on_loopback(application(Store(":memory:"), token="right", zones=("lab.example",))) as url:
        monkeypatch.setenv("LAB_CONNECTION_CLOUDFLARE", f"{url}/client/v4")
        monkeypatch.setenv("LAB_SECRET_CLOUDFLARE_TOKEN", "right")
        right = run("check", "--online")
        monkeypatch.setenv("LAB_SECRET_CLOUDFLARE_TOKEN", "wrong")
        wrong = run("check", "--online")
    assert right.exit_code == 0
    assert "  - yes: token: it reads lab.example and may write its records\n" in right.stdout
    assert "cannot tell: zone" not in right.stdout
    assert wrong.exit_code == 1
    assert "  - no: token: Cloudflare does not accept it: 403 9109 Invalid access token" in wrong.stdout
    assert "Pulumi.test.yaml is not fine: the certificate cannot be signed\n" in wrong.stdout


def test_a_token_that_is_nowhere_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both places where it could be."""
    placed(folder, LAB + CERTIFICATE)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("LAB_SECRET_CLOUDFLARE_TOKEN", raising=False)
    result = run("check", "--online")
    assert result.exit_code == 1
    assert (
        "repair: run `pulumi config set --secret cloudflare-token`, or set LAB_SECRET_CLOUDFLARE_TOKEN"
        in result.stdout
    )


def test_a_minted_token_is_warned_of_and_its_credential_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check says what the credential is worth and how to do without; online, whether it may make tokens."""
    placed(folder, LAB + CERTIFICATE.replace("]}", "], mint-token: cloudflare-token-maker}"))
    monkeypatch.setenv("PATH", str(folder))
    app = application(Store(":memory:"), token="right", maker="maker", zones=("lab.example",))
    with served_on_loopback(app) as url:
        monkeypatch.setenv("LAB_CONNECTION_CLOUDFLARE", f"{url}/client/v4")
        monkeypatch.setenv("LAB_SECRET_CLOUDFLARE_TOKEN", "right")
        monkeypatch.delenv("LAB_SECRET_CLOUDFLARE_TOKEN_MAKER", raising=False)
        missing = run("check", "--online")
        monkeypatch.setenv("LAB_SECRET_CLOUDFLARE_TOKEN_MAKER", "maker")
        there = run("check", "--online")
    offline = run("check")
    assert (missing.exit_code, there.exit_code, offline.exit_code) == (1, 0, 0)
    assert "  - no: minted token: cloudflare-token-maker is neither in " in missing.stdout
    assert "  - yes: minted token: the credential may make tokens, any of its owner\n" in there.stdout
    assert (
        "  - cannot tell: minted token: Traefik's own is made with cloudflare-token-maker, " in offline.stdout
    )
    assert "cloudflare-token-maker can make any API token of its owner" in offline.stdout
    assert "remove mint-token: Traefik then gets cloudflare-token" in offline.stdout
