"""The verb `recover`: what it prints, what it writes, and when it writes nothing."""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.locks import living_owners, release_stale_locks
from cli.recover import RecoveryFailed, Stack, recover
from cli.recovery.findings import Finding, Outside, Unanswered, absent, found, incomplete
from cli.recovery.state import MARK, Operation
from lab.plan.records import LabPlan
from tests.cli.test_recovery_state import NETWORK, creating, exported, network
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[2]
Answer = Callable[[Operation], Finding]


class Recorded(Stack):
    """A stack that keeps what would be done with it."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__("dev")
        self.__dict__.update(document=document, written=[], refreshed=[])

    def export(self) -> dict[str, Any]:
        """What it was made with."""
        document: dict[str, Any] = self.__dict__["document"]
        return document

    def write(self, document: Mapping[str, Any]) -> None:
        """Keep it."""
        self.__dict__["written"].append(document)

    def refresh(self, urns: Sequence[str]) -> None:
        """Keep them."""
        self.__dict__["refreshed"].append(list(urns))

    def done(self) -> tuple[list[Any], list[Any]]:
        """What was written and refreshed."""
        return self.__dict__["written"], self.__dict__["refreshed"]


class Docker:
    """An outside that answers the same to everything."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def find(self, operation: Operation) -> Finding:
        """The answer."""
        return self._answer(operation)


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    """The plan of the dev lab."""
    return plan_of(ROOT / "Pulumi.dev.yaml")


def run(plan: LabPlan, stack: Recorded, answer: Answer, *, write: bool) -> tuple[int, str]:
    """Run the verb with one outside; its exit code and its text."""
    lines: list[str] = []
    outsides: dict[str, Callable[[], Outside]] = {"docker": lambda: Docker(answer)}
    code = recover(plan, stack, write=write, outsides=outsides, tell=lines.append)
    return code, "\n".join(lines)


def killed() -> Recorded:
    """A stack whose engine was killed while it made a network."""
    return Recorded(exported(operations=[creating(network())]))


def test_without_yes_it_only_says_what_it_found_and_would_run(plan: LabPlan) -> None:
    """The text has the resource, its id and the exact command; neither state nor outside is touched."""
    stack = killed()
    code, text = run(plan, stack, lambda o: found(o, "cafe01"), write=False)

    assert code == 0
    assert "docker-1-net  docker Network  exists  cafe01  goes into the state" in text
    assert "pulumi refresh --stack dev --yes" in text
    assert f"--target '{NETWORK}'" in text
    assert stack.done() == ([], [])


def test_with_yes_the_state_is_repaired_and_read(plan: LabPlan) -> None:
    """What exists goes into the state, and only that is refreshed."""
    stack = killed()
    code, text = run(plan, stack, lambda o: found(o, "cafe01"), write=True)
    written, refreshed = stack.done()

    assert code == 0
    assert written[0]["deployment"]["resources"][-1]["id"] == "cafe01"
    assert refreshed == [[NETWORK]]
    assert "dev is repaired" in text


def test_what_never_happened_is_forgotten(plan: LabPlan) -> None:
    """Its operation goes, nothing comes, and no plugin is asked."""
    stack = killed()
    code, _ = run(plan, stack, absent, write=True)
    written, refreshed = stack.done()

    assert code == 0
    assert NETWORK not in json.dumps(written)
    assert refreshed == []


def test_what_is_half_there_is_left_to_the_next_up(plan: LabPlan) -> None:
    """It is marked to be replaced; recovery itself deletes nothing."""
    stack = killed()
    code, text = run(plan, stack, lambda o: incomplete(o, "cafe01", "it was never started"), write=True)
    written, refreshed = stack.done()

    assert code == 0
    assert written[0]["deployment"]["resources"][-1]["taint"] is True
    assert refreshed == []
    assert "it was never started; the next up replaces it" in text


def test_an_outside_that_does_not_answer_stops_everything(plan: LabPlan) -> None:
    """Nothing is written, because an unknown object would be forgotten for ever."""

    def silent(_: Operation) -> Finding:
        raise Unanswered("the engine of docker-1 does not answer; start it")

    stack = killed()
    code, text = run(plan, stack, silent, write=True)

    assert code == 1
    assert "the engine of docker-1 does not answer; start it" in text
    assert "Nothing was changed" in text
    assert stack.done() == ([], [])


def test_a_package_that_it_does_not_know_stops_everything(plan: LabPlan) -> None:
    """As long as nobody has looked, it may exist."""
    other = network()
    other["type"] = "random:index/randomId:RandomId"
    stack = Recorded(exported(operations=[creating(other)]))
    code, text = run(plan, stack, absent, write=True)

    assert code == 1
    assert "cannot ask random" in text
    assert stack.done() == ([], [])


def test_a_recovery_that_was_killed_goes_on(plan: LabPlan) -> None:
    """After the import no operation is left, and the mark still asks for the refresh."""
    stack = Recorded(exported(network(id="cafe01", initErrors=[MARK])))
    code, _ = run(plan, stack, absent, write=True)

    assert code == 0
    assert stack.done() == ([], [[NETWORK]])


def test_nothing_pending_is_one_line(plan: LabPlan) -> None:
    """The usual case changes nothing and asks nobody."""
    stack = Recorded(exported(network(id="cafe01")))

    assert run(plan, stack, absent, write=True) == (0, "nothing is pending in dev")
    assert stack.done() == ([], [])


def test_no_input_is_printed(plan: LabPlan) -> None:
    """A canary among the inputs appears in no line."""
    made = network()
    made["inputs"] = {**made["inputs"], "password": "canary-value"}
    for write in (False, True):
        stack = Recorded(exported(operations=[creating(made)]))
        _, text = run(plan, stack, lambda o: found(o, "cafe01"), write=write)

        assert "canary-value" not in text


def test_a_state_that_a_kill_made_unreadable_comes_with_its_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine says of an empty sidecar names neither the file nor the way out."""
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\necho 'error: failed to load checkpoint: EOF' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(RecoveryFailed, match=r"EOF\n.*Delete the files of size 0 .*\.attrs .*metadata=skip"):
        Stack("dev").export()


def test_only_locks_of_the_dead_are_released(tmp_path: Path) -> None:
    """One whose process lives, here this one, and one of another machine stay."""
    here = socket.gethostname()
    for name, pid, host in (("dead", 2**22 + 1, here), ("mine", 1, here), ("theirs", 2**22 + 1, "elsewhere")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"pid": pid, "hostname": host}))

    assert living_owners(tmp_path) == (1,)
    assert release_stale_locks(tmp_path) == 1
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["mine", "theirs"]
