"""Recorded requests sent to an API: what counts as answered alike, what is left out, and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.command import main
from sandbox.conformance.difference import Difference
from sandbox.conformance.errors import ConformanceError, Unplayable
from sandbox.conformance.http.api import Exchange
from sandbox.conformance.http.conversation import traces
from sandbox.conformance.http.deviations import declared_deviations
from sandbox.conformance.http.fields import field_differences
from sandbox.conformance.http.proxmox_fields import as_read
from sandbox.conformance.http.replay import answered
from sandbox.conformance.recording import Case, Step
from sandbox.conformance.request_body import Request
from sandbox.conformance.script import Answer
from tests.sandbox.conformance.cases import case, recording


def request(method: str, path: str, status: int = 200, data: Any = None, **body: Any) -> dict[str, Any]:
    """A recorded request."""
    return {
        "method": method,
        "path": path,
        "status": status,
        "body": body or None,
        "response": {"data": data},
    }


def conversation(*requests: dict[str, Any], note: str = "") -> Case:
    """A case of one step, or of one more for each text among the requests."""
    steps = tuple({"kind": "read", "http": [one]} if "method" in one else one for one in requests)
    return Case(id="x/1-life/min", package="x", type="x", note=note, died=False, steps=steps, file="x")


class Thing:
    """An API with answers by path."""

    package = "x"

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers = answers

    def endpoint(self, request: Request) -> str:
        """As it is."""
        return f"{request.method} {request.path}"

    @contextmanager
    def start(self) -> Iterator["Thing"]:
        """Itself."""
        yield self

    def seed(self, case: Case) -> None:
        """Only without a note."""
        if case.note:
            raise Unplayable(case.note)

    def outside(self, case: Case, step: Step) -> None:
        """Nothing can be changed."""
        raise Unplayable(step["what"])

    def send(self, exchange: Exchange) -> Answer:
        """The answer of that path."""
        status, data = self.answers[exchange.request.path.strip("/")]
        return Answer(status=status, body={"data": data})

    def refuses(self, answer: Answer) -> bool:
        """A 501 is."""
        return answer.status == 501

    def compare(self, exchange: Exchange, answer: Answer) -> list[Difference]:
        """By status and fields."""
        if exchange.answer.status != answer.status:
            return [Difference(kind="status", field="", theirs=exchange.answer.status, ours=answer.status)]
        return field_differences(exchange.answer.body["data"], answer.body["data"])


def verdicts(api: Thing, found: Case) -> list[str]:
    """What became of each request."""
    return [one.verdict.value for one in answered(api, found)]


def test_requests_agree_differ_or_are_refused() -> None:
    """By the answer alone; what ours has in addition does not count."""
    api = Thing(a=(200, {"x": 1, "more": 2}), b=(200, {"x": 2}), c=(501, None), d=(200, [{"x": "1"}]))
    found = conversation(
        request("GET", "/a", data={"x": 1}), request("GET", "/b", data={"x": 1}), request("GET", "/c"),
        request("GET", "/d", data=[{"x": 1}]),
    )  # fmt: skip
    assert verdicts(api, found) == ["agrees", "differs", "refused", "differs"]
    kinds = [one.kind for outcome in answered(api, found) for one in outcome.differences]
    assert kinds == ["x has another value", "x of another type"]


def test_after_a_write_that_only_one_side_took_nothing_is_compared() -> None:
    """The write differs; what follows would compare two different states."""
    api = Thing(a=(400, None), b=(200, 1))
    found = conversation(request("POST", "/a"), request("GET", "/b", data=1))
    assert verdicts(api, found) == ["differs", "not replayable"]
    assert verdicts(api, conversation(request("GET", "/a"), request("GET", "/b", data=1))) == [
        "differs",
        "agrees",
    ]


def test_what_cannot_be_brought_about_is_not_replayable() -> None:
    """A case that cannot be seeded, and what comes after a change from outside that cannot be played."""
    api = Thing(a=(200, 1))
    assert verdicts(api, conversation(request("GET", "/a", data=1), note="it fails")) == ["not replayable"]
    world = {"kind": "world", "what": "magic"}
    found = conversation(request("GET", "/a", data=1), world, request("GET", "/a", data=1))
    assert verdicts(api, found) == ["agrees", "not replayable"]
    assert answered(api, conversation({"kind": "check"})) == []


def test_a_conversation_shows_what_was_there_before() -> None:
    """What is read before it is written, what is refused as existing, and what is changed without being made."""
    found = conversation(
        request("GET", "/api/a", data=["old"]),
        request("POST", "/api/a", name="new"),
        request("GET", "/api/a/new", data="made"),
        request("PUT", "/api/b/known", x="1"),
        request("POST", "/api/c", status=500, name="there")
        | {"reason": "'there' already exists"},
    )  # fmt: skip
    seen = [(one.method, one.path, one.data) for one in traces(found, "/api/")]
    assert seen == [("GET", "a", ["old"]), ("POST", "a", None), ("PUT", "b/known", None), ("POST", "c", None)]
    assert next(one for one in traces(found, "/api/")).made == {"new"}
    assert "already exists" in list(traces(found, "/api/"))[-1].refused


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ({"scsi0": "a:1,size=8G,aio=x"}, {"scsi0": "a:1,aio=x,size=8G"}, True),
        ({"scsi0": "a:1,size=8G"}, {"scsi0": "a:1,size=9G"}, False),
        ({"net0": "virtio=BC:24:11:00:00:01,bridge=b"}, {"net0": "virtio=BC:24:11:FF:FF:FF,bridge=b"}, True),
        ({"net0": "virtio=AA:AA:AA:AA:AA:AA,bridge=b"}, {"net0": "virtio=BC:24:11:FF:FF:FF,bridge=b"}, False),
        ({"memory": 512}, {"memory": "512"}, True),
        ({"cores": 1}, {"cores": "1"}, False),
        ({"comment": ""}, {}, True),
        ({"name": "a"}, {}, False),
    ],
)  # fmt: skip
def test_fields_count_as_the_plugin_reads_them(theirs: Any, ours: Any, same: bool) -> None:
    """Order in property strings, addresses that the server made up and empty texts make no difference."""
    sides = [as_read("GET /x", side, "aa:aa:aa:aa:aa:aa") for side in (theirs, ours)]
    assert (field_differences(*sides) == []) is same


def test_the_command_refuses_what_it_cannot_send(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package without an API here is named, with those that have one."""
    file = recording(tmp_path, case(package="nonsense"))
    assert main(["http", str(file)]) == 2
    assert "no API for the package nonsense; it has cloudflare, docker, proxmoxve" in capsys.readouterr().err


def test_a_broken_list_of_deviations_is_named(tmp_path: Path) -> None:
    """The file that ships is read; one of another form is refused with its path."""
    assert all(one.reason for one in declared_deviations())
    file = tmp_path / "deviations.toml"
    file.write_text('[[deviation]]\npackage = "x"\ncolour = "red"\n')
    with pytest.raises(ConformanceError, match=r"deviations\.toml: is no list of deviations"):
        declared_deviations(file)
