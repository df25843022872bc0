"""The verbs `reach`, `explain` and `compromise`: what they print, in which format, and with which exit code."""

import json
from pathlib import Path

import pytest

from lab.isolation.limits import NOT_MODELLED
from tests.cli.proof_lab import LAB, placed, run

SCOPE = f"not modelled: {len(NOT_MODELLED)} things, which --limits lists; docs/threat-model.md says why"


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the lab, in which the command runs."""
    placed(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB", "test")


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["reach"], "test: who reaches whom"),
        (["reach", "stack:web"], "test: what stack:web reaches"),
        (["reach", "device:tv", "guests:22"], "test: whether device:tv reaches guests:22"),
        (
            ["explain", "service:web/app", "service:web/db:5432"],
            "service:web/app → service:web/db:5432/tcp: yes",
        ),
        (["compromise"], "test: what follows if a service is taken"),
        (["compromise", "service:web/app"], "If service:web/app is taken"),
    ],
)
def test_every_answer_ends_with_what_it_claims(arguments: list[str], first: str) -> None:
    """Each verb answers with code 0, says what it is about, and ends with what the proof does not model."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == first
    assert lines[-1].strip() == SCOPE


@pytest.mark.parametrize(
    "arguments",
    [
        ["reach"],
        ["reach", "device:tv"],
        ["explain", "device:tv", "guests"],
        ["compromise", "guests"],
        ["check"],
    ],
)
def test_the_same_in_json_and_markdown(arguments: list[str]) -> None:
    """For a program the answer is JSON with its version and limits, for a page it is Markdown."""
    found = json.loads(run(*arguments, "--format", "json").stdout)
    assert found["version"] == 1
    assert found["claim"].startswith("claimed: ")
    assert found["not_modelled"] == list(NOT_MODELLED)
    page = run(*arguments, "--format", "markdown").stdout
    assert page.startswith("#")
    assert "\n## What this proves\n" in page


def test_all_limits_are_listed_when_asked() -> None:
    """With --limits everything that is not modelled is listed in place of the count."""
    text = run("reach", "device:tv", "--limits").stdout
    assert SCOPE not in text
    assert "- forged addresses: a service that keeps CAP_NET_RAW" in text


def test_reach_lists_everything_when_asked() -> None:
    """With --all closed paths and neighbours are listed, without it they are counted."""
    short, whole = run("reach", "service:web/db").stdout, run("reach", "service:web/db", "--all").stdout
    assert "Not listed (--all lists them)" in short
    assert "Not listed" not in whole
    assert "nothing that is open, or may be" in short
    (line,) = [line for line in whole.splitlines() if "service:web/app" in line and "80/tcp" in line]
    assert line.split()[:4] == ["service:web/db", "service:web/app", "80/tcp", "no"]


def test_reach_answers_about_each_of_several() -> None:
    """A set, a stack, guests or nodes are answered one by one."""
    found = json.loads(run("reach", "stack:web", "nodes:8006", "--format", "json").stdout)
    assert [(path["from"], path["to"], path["port"]) for path in found["paths"]] == [
        ("service:web/app", "node:pve", "8006/tcp"),
        ("service:web/db", "node:pve", "8006/tcp"),
    ]


def test_explain_asks_every_known_port() -> None:
    """Without a port each known one is explained, and all others as one; an undeclared one may be asked for."""
    found = json.loads(run("explain", "device:tv", "service:web/db", "--format", "json").stdout)
    assert [path["port"] for path in found["paths"]] == ["5432/tcp", "other"]
    (path,) = json.loads(run("explain", "device:tv", "service:web/db:99", "--format", "json").stdout)["paths"]
    assert (path["port"], path["declared_port"]) == ("99/tcp", False)


def test_compromise_of_a_service_says_what_could_follow() -> None:
    """What is reached and what only follows by taking others are counted and listed apart."""
    (found,) = json.loads(run("compromise", "ingress", "--format", "json").stdout)["compromised"]
    assert {(path["to"], path["port"]) for path in found["reached"]} >= {("service:web/app", "80/tcp")}
    assert {"to": "service:web/db", "taking": ["service:web/app"]}.items() <= found["by_pivots"][0].items()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reach", "vlan:iott"], '  - FROM: there is no vlan "iott"\n      repair: write "vlan:iot"\n'),
        (
            ["reach", "vlan:iot", "app"],
            '  - TO: "app" is not an endpoint\n      repair: write "service:web/app"\n',
        ),
        (
            ["explain", "vlan:iot", "service:web/app:htpp"],
            '  - TO: "htpp" is not a port (in "service:web/app:htpp")\n'
            "      repair: write 443, 1900/udp or 8000-8010, or other\n",
        ),
        (
            ["explain", "device:tv", "device:tv:80"],
            "  - TO: device:tv is source and target, and what it sends itself leaves it by no network\n"
            "      repair: name two that are not one machine\n",
        ),
        (
            ["compromise", "service:web/ap"],
            '  - ENDPOINT: there is no service "web/ap"\n      repair: write "service:web/app"\n',
        ),
    ],
)
def test_a_question_about_nobody_is_bad_input(arguments: list[str], said: str) -> None:
    """An unknown endpoint or a port of unknown spelling is code 2, and says what was meant; in JSON, too."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"the question has one problem\n{said}"
    as_json = run(*arguments, "--format", "json")
    assert (as_json.exit_code, as_json.stderr) == (2, "")
    found = json.loads(as_json.stdout)
    assert (found["version"], found["ok"], len(found["issues"])) == (1, False, 1)


def test_a_lab_that_cannot_be_planned_is_bad_input(tmp_path: Path) -> None:
    """No verb of the proof answers about a lab that has problems."""
    placed(tmp_path, LAB.replace("vlan: iot, address", "vlan: iott, address"))
    for arguments in (["reach"], ["explain", "internet", "ingress"], ["compromise"], ["check"]):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert 'there is no vlan "iott"' in result.stderr
