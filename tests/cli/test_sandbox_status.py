"""What the sandbox knows of a lab that is in it: asked for that lab only, and once everything is there."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import sandbox_status as subject
from cli.peers import Peer
from cli.sandbox_status import SandboxStatus, sandbox_status, settled_status
from probe.containers import Running
from probe.spaces import CannotEnter
from tests.support.builders import ingress, plan, route, service, stack

LAB = plan(
    ingress=ingress(), tailnet={}, stacks={"web": stack(app=service(listens=[80], route=route("www")))}
)
INGRESS = Running(endpoint="ingress", host="docker-1", id="x", pid=1, image="", stand_in=False)
GUEST = {
    "name": "docker-1",
    "namespace": "/run/netns/d",
    "nics": [{"segment": "vmbr0.20", "address": "10.10.20.11/24"}],
}
STARTING: dict[str, Any] = {"running": True, "guests": [], "forwards": [], "peers": [], "simulated": None}
STARTED = {**STARTING, "guests": [GUEST]}
OPEN = {**STARTED, "forwards": [{"port": 8443, "listen": "127.0.0.1:20233"}]}
Answers = Callable[..., list[int]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answers:
    """A sandbox in this folder that answers so, one after the other and the last for good; gives what counts them."""

    def given(*documents: Any) -> list[int]:
        asked: list[int] = []

        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            document = documents[min(len(asked), len(documents) - 1)]
            asked.append(1)
            code, out = (1, "") if document is None else (0, json.dumps(document))
            return subprocess.CompletedProcess(command, code, out, "it is ill" if code else "")

        monkeypatch.setattr("cli.sandbox_status.subprocess.run", run)
        return asked

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subject, "_PAUSE", 0.0)
    monkeypatch.setenv("LAB_CONNECTION_DOCKER", f"unix://{tmp_path}/.sandbox/docker/{{name}}.sock")
    return given


def test_the_sandboxs_status_is_read() -> None:
    """Its forwards by the port of the ingress, namespaces and segments of guests that have them, and peers."""
    nic = {"segment": "vmbr0.20", "address": "10.10.20.11/24"}
    found = SandboxStatus.of(
        {
            "forwards": [{"port": 8443, "listen": "127.0.0.1:20233"}],
            "guests": [
                {"name": "a", "namespace": "/run/netns/a", "nics": [nic, {**nic, "address": None}]},
                {"name": "b", "namespace": None, "nics": [{**nic, "address": "10.10.20.12/24"}]},
            ],
            "peers": [{"segment": "vmbr0.20", "address": "10.10.20.9/24", "namespace": "/run/netns/p"}],
            "simulated": "no root",
        }
    )

    assert found.forwards == {8443: ("127.0.0.1", 20233)}
    assert found.namespaces == {"a": "/run/netns/a"}
    assert found.segments == {"10.10.20.11": "vmbr0.20"}
    assert found.peers == {"vmbr0.20": Peer("10.10.20.9", "/run/netns/p")}
    assert found.simulated == "no root"


def test_a_lab_that_is_elsewhere_is_not_looked_for_in_the_sandbox(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its addresses may be the same as those of the lab that is in the sandbox."""
    asked = answers(OPEN)
    for elsewhere in (
        "unix:///var/run/docker.sock",
        "unix:///elsewhere/.sandbox/docker/{name}.sock",
        "ssh://a@b",
    ):
        monkeypatch.setenv("LAB_CONNECTION_DOCKER", elsewhere)
        assert sandbox_status(LAB) == SandboxStatus.of({})
    assert sandbox_status(plan(guests={})) == SandboxStatus.of({})
    assert asked == []
    assert not SandboxStatus.of({}).here


def test_a_sandbox_that_does_not_say_is_a_problem(answers: Answers) -> None:
    """It is not taken for no sandbox: probes would then go to the addresses themselves."""
    answers(None)
    with pytest.raises(CannotEnter, match="it is ill"):
        settled_status(LAB, [INGRESS], 0.0)


def test_it_is_asked_until_everything_is_there(answers: Answers) -> None:
    """After a start the engine answers before the sandbox's ways in are open; one silence is no answer."""
    asked = answers(None, STARTING, STARTED, OPEN)
    found = settled_status(LAB, [INGRESS])
    assert (found.here, found.forwards, len(asked)) == (True, {8443: ("127.0.0.1", 20233)}, 4)


@pytest.mark.parametrize(
    ("document", "running", "lacking"),
    [
        (STARTING, [INGRESS], "no namespace of docker-1 and no way to port 8443 of the ingress"),
        (STARTED, [INGRESS], "no way to port 8443 of the ingress"),
        (STARTED, [], ""),
        (OPEN, [INGRESS], ""),
        ({**STARTING, "simulated": "no root"}, [INGRESS], ""),
    ],
)
def test_what_does_not_come_is_named(
    answers: Answers, document: dict[str, Any], running: list[Running], lacking: str
) -> None:
    """A port is waited for where Traefik runs, and nothing where nothing is real."""
    answers(document)
    if not lacking:
        settled_status(LAB, running, 0.0)
        return
    with pytest.raises(CannotEnter, match=f"the sandbox has {lacking}, 0 s after"):
        settled_status(LAB, running, 0.0)
