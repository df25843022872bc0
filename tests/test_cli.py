"""The command `lab`: what it prints, where, and with which exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app, main
from lab.ledger import read_ledger
from tests.support.builders import IMAGE

ROOT = Path(__file__).resolve().parents[1]
LAB = f"""\
domain: lab.example
vlans:
  services: {{id: 20, subnet: 10.10.20.0/24}}
nodes:
  pve: {{address: 10.10.20.2}}
guests:
  docker-1: {{kind: vm, id: 101, node: pve, vlan: services, address: 11, runs: docker}}
stacks:
  web: {{host: docker-1, services: {{app: {{image: {IMAGE}, listens: [80]}}}}}}
"""
LEDGER = """\
# What was given out in this lab and stays put. Written by `lab ledger --write`; commit it.
# To free one record: `lab ledger --drop KIND/KEY`.
version: 1
networks:
  docker-1/vnet-web: 10.128.0.0/28
addresses:
  docker-1/vnet-web/web/app: 10.128.0.2
macs:
  docker-1/services: "02:31:32:88:00:01"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one lab file, in which the command runs."""
    (tmp_path / "Pulumi.test.yaml").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAB", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    """One call of the command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def record(folder: Path) -> Path:
    """The lab's ledger, written."""
    assert run("ledger", "--lab", "test", "--write").exit_code == 0
    return folder / "ledger.test.yaml"


def test_check_says_that_a_lab_is_fine() -> None:
    """A lab without problems is fine, with a line of what it holds, and code 0 (more in tests/cli/test_proof_check)."""
    result = run("check", "--lab", "test")
    assert result.exit_code == 0
    assert (
        "\n3 things are not in ledger.test.yaml yet: run `lab ledger --write`\n\n"
        "Pulumi.test.yaml is fine: 1 nodes, 1 VLANs, 1 guests, 1 stacks with 1 services, 11 flows\n"
    ) in result.stdout


def test_check_is_silent_about_a_ledger_that_is_written(folder: Path) -> None:
    """With its ledger written a lab has nothing to add."""
    record(folder)
    assert "ledger.test.yaml" not in run("check", "--lab", "test").stdout


def test_check_tells_problems_on_standard_error(folder: Path) -> None:
    """A lab with a problem is code 2, with the problem on standard error and nothing on standard output."""
    (folder / "Pulumi.test.yaml").write_text("domain: lab.example\ncolour: blue\n")
    result = run("check", "--lab", "test")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "the lab file has one problem; nothing was created\n  - lab.colour (line 2): "
    )


def test_check_tells_warnings_and_is_fine(folder: Path) -> None:
    """What is unwelcome is printed, and stops nothing."""
    (folder / "Pulumi.test.yaml").write_text(LAB.replace("listens: [80]", "docker-socket: yes"))
    result = run("check", "--lab", "test")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "Warnings: 1\n  - lab.stacks.web.services.app.docker-socket: service web/app holds"
    )


def test_check_answers_in_json(folder: Path) -> None:
    """For a program the answer is JSON on standard output, good or bad, with the same exit codes."""
    good = run("check", "--lab", "test", "--format", "json")
    assert good.exit_code == 0
    assert json.loads(good.stdout)["ok"] is True
    assert len(json.loads(good.stdout)["unrecorded"]) == 3
    (folder / "Pulumi.test.yaml").write_text("domain: lab.example\ncolour: blue\n")
    bad = run("check", "--lab", "test", "--format", "json")
    assert (bad.exit_code, bad.stderr) == (2, "")
    (issue,) = json.loads(bad.stdout)["issues"]
    assert (issue["path"], issue["problem"]) == ("lab.colour (line 2)", 'unknown key "colour"')


def test_the_environment_is_dev_unless_it_is_named() -> None:
    """Without a name the lab is dev; one that is not there is code 2."""
    result = run("check")
    assert result.exit_code == 2
    assert "Pulumi.dev.yaml: there is no such file" in result.stderr


def test_the_environment_may_come_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable LAB names the environment."""
    monkeypatch.setenv("LAB", "test")
    assert run("check").exit_code == 0


def test_a_file_may_be_named() -> None:
    """A lab file need not be a stack file of this folder."""
    assert "\nPulumi.dev.yaml is fine: " in run("check", "--file", str(ROOT / "Pulumi.dev.yaml")).stdout


def test_plan_prints_the_plan() -> None:
    """The plan is text with the picture in front, and without flows where they are not wanted."""
    whole, short = run("plan", "--lab", "test"), run("plan", "--lab", "test", "--no-flows")
    assert (whole.exit_code, short.exit_code) == (0, 0)
    assert whole.stdout.startswith(
        "test (lab.example, site home)\n\nPicture\n  docker-1 10.10.20.11 in vlan services"
    )
    assert "Flows (everything else is denied)" in whole.stdout
    assert "Flows" not in short.stdout


def test_plan_answers_in_json() -> None:
    """The plan as JSON has a version and every part of it."""
    found = json.loads(run("plan", "--lab", "test", "--format", "json").stdout)
    assert (found["version"], found["environment"]) == (1, "test")
    assert found["stacks"][0]["networks"][0]["subnet"] == "10.128.0.0/28"


def test_plan_of_a_bad_lab_is_refused(folder: Path) -> None:
    """A lab that cannot be planned is code 2 for every verb that plans."""
    (folder / "Pulumi.test.yaml").write_text(LAB.replace("host: docker-1", "host: docker-2"))
    for verb in ("plan", "check", "ledger", "diagram"):
        result = run(verb, "--lab", "test")
        assert (result.exit_code, result.stdout) == (2, "")
        assert 'there is no Docker host "docker-2"' in result.stderr


def test_ledger_shows_what_was_given_out() -> None:
    """Every record is a line with the name by which it is dropped, and whether it is recorded yet."""
    result = run("ledger", "--lab", "test")
    assert result.exit_code == 0
    assert [" ".join(line.split()) for line in result.stdout.splitlines()[2:]] == [
        "networks/docker-1/vnet-web 10.128.0.0/28 not recorded",
        "addresses/docker-1/vnet-web/web/app 10.128.0.2 not recorded",
        "macs/docker-1/services 02:31:32:88:00:01 not recorded",
    ]


def test_ledger_writes_what_is_new(folder: Path) -> None:
    """Writing records everything, says how much is new, and a second time nothing is."""
    first, path = run("ledger", "--lab", "test", "--write"), folder / "ledger.test.yaml"
    assert first.stdout == "ledger.test.yaml: 3 records, 3 of them new\n"
    assert path.read_text() == LEDGER
    assert run("ledger", "--lab", "test", "--write").stdout == "ledger.test.yaml: 3 records, 0 of them new\n"
    assert path.read_text() == LEDGER
    assert "not recorded" not in run("ledger", "--lab", "test").stdout


def test_ledger_leaves_nothing_half_written(folder: Path) -> None:
    """The ledger is put in place whole, and no other file stays behind."""
    record(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.test.yaml", "ledger.test.yaml"]


def test_ledger_drops_a_record(folder: Path) -> None:
    """A dropped record is gone, the others stay, and its owner is given something anew."""
    path = record(folder)
    result = run("ledger", "--lab", "test", "--drop", "networks/docker-1/vnet-web")
    assert (result.exit_code, result.stdout) == (0, "ledger.test.yaml: 1 record dropped\n")
    assert read_ledger(path).names() == ["addresses/docker-1/vnet-web/web/app", "macs/docker-1/services"]


def test_ledger_drops_what_stands_in_the_way(folder: Path) -> None:
    """The repair that a refusal names works, although the lab cannot be planned before it."""
    path = record(folder)
    path.write_text(path.read_text().replace("10.128.0.0/28", "10.10.20.0/28"))
    refused = run("check", "--lab", "test")
    assert refused.exit_code == 2
    command = refused.stderr.partition("`lab ")[2].partition("`")[0].split()
    assert command == ["ledger", "--drop", "networks/docker-1/vnet-web"]
    assert run(*command, "--lab", "test").exit_code == 0
    assert run("check", "--lab", "test").exit_code == 0


def test_ledger_refuses_to_drop_what_is_not_there(folder: Path) -> None:
    """A record that does not exist is code 2, names the nearest, and nothing is dropped."""
    path = record(folder)
    result = run("ledger", "--lab", "test", "--drop", "networks/docker-1/vnet-wob")
    assert result.exit_code == 2
    assert 'write "networks/docker-1/vnet-web"' in result.stderr
    assert path.read_text() == LEDGER


def test_ledger_prunes_what_nobody_owns(folder: Path) -> None:
    """Pruning frees the records of owners that are gone and leaves every other one as it is."""
    path = record(folder)
    gone = path.read_text().replace("vnet-web:", "vnet-old: 10.128.0.16/28\n  docker-1/vnet-web:")
    path.write_text(gone)
    result = run("ledger", "--lab", "test", "--prune")
    assert (result.exit_code, result.stdout) == (0, "ledger.test.yaml: 1 record dropped\n")
    assert path.read_text() == LEDGER


def test_ledger_prunes_what_stands_in_the_way(folder: Path) -> None:
    """A record without an owner is pruned although the lab cannot be planned while it stands."""
    path = record(folder)
    path.write_text(path.read_text().replace("vnet-web:", "vnet-old: 10.10.20.0/28\n  docker-1/vnet-web:"))
    assert run("check", "--lab", "test").exit_code == 2
    assert run("ledger", "--lab", "test", "--prune").exit_code == 0
    assert path.read_text() == LEDGER


def test_schema_is_json() -> None:
    """The schema is a JSON document that says which dialect it is."""
    found = json.loads(run("schema").stdout)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_diagram_is_a_picture() -> None:
    """The diagram is an SVG document on standard output."""
    result = run("diagram", "--lab", "test")
    assert result.exit_code == 0
    assert result.stdout.startswith("<svg xmlns=")
    assert result.stdout.endswith("</svg>\n")


def test_a_wrong_argument_is_code_2() -> None:
    """An option or a verb that does not exist is bad input like any other."""
    assert run("check", "--colour").exit_code == 2
    assert run("explode").exit_code == 2


def test_help_names_every_verb() -> None:
    """Without arguments the command says what it can do."""
    text = run("--help").stdout
    verbs = (
        "check",
        "reach",
        "explain",
        "compromise",
        "diff",
        "plan",
        "ledger",
        "schema",
        "diagram",
        "verify",
    )
    for verb in verbs:
        assert f"\n  {verb} " in text


def test_main_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m cli` is the same command, and ends with its exit code."""
    monkeypatch.setattr("sys.argv", ["lab", "check", "--lab", "test"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "Pulumi.test.yaml is fine" in capsys.readouterr().out


def test_the_files_of_a_resolver_on_a_machine_are_written(folder: Path) -> None:
    """Below the machine and at their place there, ready to be copied; a service is given its own."""
    text = LAB + "dns: {internal: {software: bind9, endpoint: guest:docker-1}}\n"
    (folder / "Pulumi.test.yaml").write_text(text)
    answer = run("render", "out", "--lab", "test")
    assert answer.exit_code == 0
    assert "out/docker-1/etc/bind/named.conf\n" in answer.stdout
    assert (
        "docker-1.lab.example. A 10.10.20.11" in (folder / "out/docker-1/etc/bind/db.lab.example").read_text()
    )


def test_a_lab_without_such_files_says_so() -> None:
    """Nothing is written, and that is no mistake."""
    assert (
        run("render", "out", "--lab", "test").stdout
        == "nothing: every file of this lab reaches its place by itself\n"
    )
