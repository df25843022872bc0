"""The servers behind a plugin: the recorded answers over HTTP, HTTPS and a unix socket, and the simulated engine."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sandbox.conformance.counterpart import Counterpart, from_script
from sandbox.conformance.docker_engine import CONTAINER, DockerEngine
from sandbox.conformance.errors import ConformanceError, Unplayable
from sandbox.conformance.recording import Case
from sandbox.conformance.script import Script

ANSWERS = [
    {"method": "GET", "path": "/a", "status": 200, "response": {"x": 1}},
    {"method": "GET", "path": "/text", "status": 200, "response": "// as it is"},
    {"method": "GET", "path": "/no", "status": 500, "reason": "no such thing", "response": {"data": None}},
]


@pytest.mark.parametrize("over", ["http", "https"])
def test_recorded_answers_come_over_http_and_https(over: str, tmp_path: Path) -> None:
    """Documents, texts, statuses and reason phrases are the recorded ones; what is not recorded is a 400."""
    script = Script()
    script.expect(ANSWERS, [], [])
    server = Counterpart(over, tmp_path, from_script(script))
    trusting = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(f"{server.url}/a", context=trusting) as answer:
            assert json.load(answer) == {"x": 1}
        with urllib.request.urlopen(f"{server.url}/text", context=trusting) as answer:
            assert answer.read() == b"// as it is"
        for path, code, reason in (("/no", 500, "no such thing"), ("/other", 400, "not in the recording")):
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(f"{server.url}{path}", context=trusting)
            assert (error.value.code, error.value.reason) == (code, reason)
            error.value.close()
    finally:
        server.close()
    assert [request.path for request, _ in script.came] == ["/a", "/text", "/no", "/other"]


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    """A socket that exists already is a problem with its path and the repair, and nothing listens afterwards."""
    (tmp_path / "rec.sock").touch()
    with pytest.raises(ConformanceError, match=r"rec\.sock: cannot listen: .*TMPDIR"):
        Counterpart("unix", tmp_path, from_script(Script()))


def case(**changed: Any) -> Case:
    """A case about containers."""
    found = {"id": "c", "package": "docker", "type": CONTAINER, "note": "", "died": False, "file": "f"}
    return Case(**{**found, "steps": (), **changed})


@pytest.fixture
def script() -> Script:
    """What is recorded; empty."""
    return Script()


@pytest.fixture
def engine(script: Script, tmp_path: Path) -> Iterator[tuple[DockerEngine, docker.APIClient]]:
    """The engine of a container case, and a client of the server before it."""
    engine = DockerEngine(script, tmp_path)
    engine.begin(case())
    server = Counterpart("unix", tmp_path, engine)
    client = docker.APIClient(base_url=server.url, version="auto")
    yield engine, client
    client.close()
    server.close()
    engine.close()


def test_ids_are_the_recordings_placeholders(engine: tuple[DockerEngine, docker.APIClient]) -> None:
    """Images are ID1 and ID2, the first container ID3, on the way out and on the way in."""
    _, client = engine
    assert client.inspect_image("sha256:ID2")["Config"]["User"] == "1000"
    made = client.create_container_from_config({"Image": "sha256:ID1"}, "web")
    assert made["Id"] == "ID3"
    found = client.inspect_container("ID3")
    assert (found["Id"], found["Config"]["Hostname"]) == ("ID3", "ID3short")


def test_a_recorded_refusal_is_given_and_a_success_comes_from_the_engine(
    engine: tuple[DockerEngine, docker.APIClient], script: Script
) -> None:
    """What failed when it was recorded fails with the recorded text, though the engine would do it."""
    _, client = engine
    refusal = {
        "method": "GET",
        "path": "/v1.41/networks/bridge",
        "status": 404,
        "response": {"message": "gone"},
    }
    script.expect([refusal], [], [])
    with pytest.raises(docker.errors.NotFound, match="gone"):
        client.inspect_network("bridge")
    assert client.inspect_network("rec-net2")["Internal"] is True


def test_what_was_removed_by_hand_is_removed_and_other_changes_are_not_played(
    engine: tuple[DockerEngine, docker.APIClient],
) -> None:
    """A removal outside of Pulumi is done on the engine; any other change makes the rest not replayable."""
    behind, client = engine
    client.create_container_from_config({"Image": "sha256:ID1"}, "web")
    last = {"result": {"id": "ID3", "properties": {}}}
    behind.change({"what": "the thing was removed outside of Pulumi"}, CONTAINER, last)
    with pytest.raises(docker.errors.NotFound):
        client.inspect_container("ID3")
    with pytest.raises(Unplayable, match="memory"):
        behind.change({"what": "memory was changed"}, CONTAINER, last)
