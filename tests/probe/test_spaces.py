"""Probes and canaries in real network namespaces, over a wire that a test can cut."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Verdict
from probe.inside import Aim, Seen
from probe.matrix import observe
from probe.spaces import CannotEnter, LocalSpace, canaries, canary_name, canary_port
from tests.probe.asked import NOTHING, SOURCE, TARGET, Scripted, question, said
from tests.probe.namespaces import LEFT, RIGHT, Wired, wired

PORT = 47001


@pytest.fixture(scope="module")
def pair() -> Iterator[Wired]:
    """One pair of namespaces for the tests of this file."""
    with wired() as made:
        yield made


def test_a_canarys_port_is_one_that_no_service_uses() -> None:
    """A canary on a declared port would answer in place of the service."""
    assert canary_port(set()) == 47001
    assert canary_port({47001, 47002, 80}) == 47003


def test_a_canary_that_its_own_neighbour_cannot_hear_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it answered nobody, every closed path would look proven."""
    monkeypatch.setattr("probe.spaces._PAUSE", 0.0)
    deaf = Scripted([lambda _: NOTHING])
    with (
        pytest.raises(
            CannotEnter, match=r"canary of service:b/b does not answer.*silence would prove nothing"
        ),
        canaries({TARGET: deaf}, PORT),
    ):
        pass
    assert deaf.asked[0][0] == [("127.0.0.1", PORT, "tcp")]


def test_a_strangers_answer_at_the_canarys_port_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens there already is not the canary."""
    monkeypatch.setattr("probe.spaces._PAUSE", 0.0)
    with (
        pytest.raises(CannotEnter, match="silence would prove nothing"),
        canaries({TARGET: Scripted([lambda _: said("HTTP/1.0 404")])}, PORT),
    ):
        pass


def test_a_canary_may_take_a_while_to_listen() -> None:
    """A container starts slower than a process."""
    late = Scripted([lambda _: NOTHING, lambda _: said(canary_name(TARGET))])
    with canaries({TARGET: late}, PORT):
        pass
    assert len(late.asked) == 2


@dataclass
class _Counted:
    """A space that counts its canaries, and may fail to start one."""

    fails: bool = False
    udp: bool = True
    open: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def ask(self, aims: Sequence[Aim], deadline: float) -> list[Seen]:
        return [said(name) for name in self.open]

    def name(self, name: str, deadline: float) -> str:
        return ""

    @contextlib.contextmanager
    def canary(self, port: int, name: str) -> Iterator[None]:
        if self.fails:
            raise CannotEnter("not here")
        self.open.append(name)
        try:
            yield
        finally:
            self.stopped.append(name)


def test_canaries_that_started_are_stopped_when_another_cannot_start() -> None:
    """No listener of a failed run stays behind."""
    good, bad = _Counted(), _Counted(fails=True)
    with pytest.raises(CannotEnter, match="not here"), canaries({SOURCE: good, TARGET: bad}, PORT):
        pass

    assert good.open == good.stopped == [canary_name(SOURCE)]


@pytest.mark.engine
def test_a_canary_answers_over_both_protocols_while_its_block_runs(pair: Wired) -> None:
    """From the other end of the wire its name is heard, and after the block nobody is there."""
    left, right = LocalSpace(pair.left), LocalSpace(pair.right)
    aims: list[Aim] = [(RIGHT, PORT, "tcp"), (RIGHT, PORT, "udp")]
    with right.canary(PORT, "canary service:b/b"):
        assert [text for _, text, _ in left.ask(aims, 2.0)] == ["canary service:b/b\n"] * 2
    assert [answered for answered, _, _ in left.ask(aims, 0.5)] == [False, False]


@pytest.mark.engine
def test_a_canary_answers_from_the_address_that_was_asked(pair: Wired) -> None:
    """A container has an address on each network; over UDP an answer from another one would be lost, and an open
    path taken for a closed one."""
    pair.run_in(pair.right, "ip", "address", "add", "10.99.0.77/24", "dev", "wire")
    with LocalSpace(pair.right).canary(PORT, "here"):
        aims: list[Aim] = [(address, PORT, "udp") for address in (RIGHT, "10.99.0.77")]
        assert [text for _, text, _ in LocalSpace(pair.left).ask(aims, 1.0)] == ["here\n"] * 2


@pytest.mark.engine
def test_the_same_port_can_be_taken_again_at_once(pair: Wired) -> None:
    """Two runs in a row find the port free."""
    for _ in range(2):
        with LocalSpace(pair.right).canary(PORT, "again"):
            assert LocalSpace(pair.left).ask([(RIGHT, PORT, "tcp")], 2.0)[0][0]


@pytest.mark.engine
def test_a_port_in_use_is_said(pair: Wired) -> None:
    """The canary does not start beside somebody else, and says which port and where."""
    space = LocalSpace(pair.right)
    with (
        space.canary(PORT, "first"),
        pytest.raises(CannotEnter, match=rf"port {PORT} in {pair.right}.*Address already in use"),
        space.canary(PORT, "second"),
    ):
        pass


@pytest.mark.engine
def test_a_namespace_that_is_gone_is_said() -> None:
    """A container that ended meanwhile cannot be asked or listened in, and neither is passed over."""
    gone = LocalSpace("/proc/2147483647/ns/net")
    with pytest.raises(CannotEnter, match=r"cannot probe from /proc/2147483647/ns/net"):
        gone.ask([("127.0.0.1", 1, "tcp")], 0.5)
    with pytest.raises(CannotEnter, match=r"no canary could listen"), gone.canary(PORT, "nobody"):
        pass


@pytest.mark.engine
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("expected", [Verdict.yes, Verdict.no])
def test_an_open_wire_is_seen_as_open(pair: Wired, protocol: str, expected: Verdict) -> None:
    """What was expected open agrees and what was expected closed does not, over both protocols."""
    spaces = {SOURCE: LocalSpace(pair.left), TARGET: LocalSpace(pair.right)}
    asked = question(expected, (RIGHT, PORT), port=None, protocol=protocol)
    with canaries(spaces, PORT):
        [result] = observe([asked], spaces, ()).results

    assert (result.observed, result.answer) == ("yes", "canary service:b/b")
    assert result.agrees is (expected is Verdict.yes)


@pytest.mark.engine
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("expected", [Verdict.yes, Verdict.no])
def test_a_cut_wire_is_seen_as_closed(pair: Wired, protocol: str, expected: Verdict) -> None:
    """The same with the link down: the canaries still answer at home, so that silence proves something."""
    spaces = {SOURCE: LocalSpace(pair.left), TARGET: LocalSpace(pair.right)}
    asked = question(expected, (RIGHT, PORT), port=None, protocol=protocol)
    pair.run_in(pair.right, "ip", "link", "set", "wire", "down")
    try:
        with canaries(spaces, PORT):
            [result] = observe([asked], spaces, ()).results
    finally:
        pair.run_in(pair.right, "ip", "link", "set", "wire", "up")

    assert result.observed == "no"
    assert result.agrees is (expected is Verdict.no)


@pytest.mark.engine
def test_a_source_does_not_reach_itself_in_place_of_the_target(pair: Wired) -> None:
    """The answer of another canary is that of a stranger: an address that leads elsewhere is seen."""
    spaces = {SOURCE: LocalSpace(pair.left), TARGET: LocalSpace(pair.right)}
    asked = question(Verdict.yes, (LEFT, PORT), port=None)
    with canaries(spaces, PORT):
        [result] = observe([asked], spaces, ()).results

    assert (result.observed, result.answer) == ("wrong service", "canary service:a/a")


@pytest.mark.engine
def test_a_stand_in_with_another_name_is_the_wrong_service(pair: Wired) -> None:
    """Somebody else's answer at a declared port is not the service's."""
    spaces = {SOURCE: LocalSpace(pair.left)}
    asked = question(Verdict.yes, (RIGHT, 8080), port=Port(8080), target=Endpoint("service", "c/c"))
    with LocalSpace(pair.right).canary(8080, "service:b/b"):
        named = observe([asked], spaces, [Endpoint("service", "c/c")]).results
        unnamed = observe([asked], spaces, ()).results

    assert [r.observed for r in named] == ["wrong service"]
    assert [r.observed for r in unnamed] == ["yes"]
