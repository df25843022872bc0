"""Agreement of what was observed with what was expected, and who counts as having answered."""

import pytest

from lab.flows import Endpoint, Port
from lab.isolation import Verdict
from probe.inside import Aim, Seen
from probe.matrix import FIRST_DEADLINE, SECOND_DEADLINE, Observation, Result, observe
from probe.questions import Question
from tests.probe.asked import NOTHING, SOURCE, TARGET, Scripted, question, said

YES, NO, UNKNOWN = Verdict.yes, Verdict.no, Verdict.unknown


@pytest.mark.parametrize(
    ("expected", "observed", "agrees"),
    [
        (YES, "yes", True),
        (YES, "no", False),
        (YES, "wrong service", False),
        (YES, "silent", True),
        (NO, "no", True),
        (NO, "yes", False),
        (NO, "wrong service", False),
        (NO, "silent", True),
        (UNKNOWN, "yes", True),
        (UNKNOWN, "no", True),
        (UNKNOWN, "silent", True),
        (UNKNOWN, "wrong service", False),
        (YES, "not probed", True),
        (NO, "not probed", True),
        (UNKNOWN, "not probed", True),
    ],
)
def test_agreement(expected: Verdict, observed: Observation, agrees: bool) -> None:
    """An open path needs the right answer, a closed one needs none; a stranger's answer is never right."""
    assert Result(question=question(expected), observed=observed).agrees is agrees


def _observed(
    space: Scripted, *asked: Question, named: tuple[Endpoint, ...] = (TARGET,)
) -> list[Observation]:
    return [result.observed for result in observe(asked, {SOURCE: space}, named).results]


@pytest.mark.parametrize(
    ("asked", "seen", "observed"),
    [
        (question(), said("service:b/b\n"), "yes"),
        (question(), said("service:c/c\n"), "wrong service"),
        (question(), NOTHING, "no"),
        (question(port=Port(53, "udp"), protocol="udp"), NOTHING, "no"),
        (question(port=None), said("canary service:b/b\n"), "yes"),
        (question(port=None), said("service:b/b\n"), "wrong service"),
        (question(port=None), said("canary service:c/c\n"), "wrong service"),
        (question(port=None), NOTHING, "no"),
        (question(port=None, protocol="udp"), NOTHING, "no"),
    ],
)
def test_who_answered(asked: Question, seen: Seen, observed: Observation) -> None:
    """A stand-in and a canary say their names, and no answer is one."""
    assert _observed(Scripted([lambda _: seen]), asked) == [observed]


@pytest.mark.parametrize(
    ("asked", "seen", "observed"),
    [
        (question(), said("HTTP/1.0 400 Bad Request"), "yes"),
        (question(), NOTHING, "no"),
        (question(port=Port(53, "udp"), protocol="udp"), NOTHING, "silent"),
        (question(port=Port(53, "udp"), protocol="udp"), said("?"), "yes"),
        (question(port=None, protocol="udp"), NOTHING, "no"),
    ],
)
def test_who_answered_where_the_service_is_itself(asked: Question, seen: Seen, observed: Observation) -> None:
    """The image itself names nobody, and over UDP it need not answer what it does not understand."""
    assert _observed(Scripted([lambda _: seen]), asked, named=()) == [observed]


def test_an_answer_at_one_of_several_addresses_is_enough() -> None:
    """A service has an address on each of its networks, and most of them are closed from anywhere."""
    asked = question(YES, ("10.0.0.1", 8080), ("10.0.0.2", 8080))
    space = Scripted([lambda aim: said("service:b/b") if aim[0] == "10.0.0.2" else NOTHING])

    assert _observed(space, asked) == ["yes"]


def test_an_answer_at_one_of_several_addresses_is_seen_where_none_should_be() -> None:
    """One open address of many makes the path open."""
    asked = question(NO, ("10.0.0.1", 8080), ("10.0.0.2", 8080), ("10.0.0.3", 8080))
    space = Scripted([lambda aim: said("service:b/b") if aim[0] == "10.0.0.2" else NOTHING])
    matrix = observe([asked], {SOURCE: space}, [TARGET])

    assert [r.answer for r in matrix.disagreements] == ["service:b/b"]


def test_a_stranger_at_one_address_is_not_hidden_by_the_right_answer_at_another() -> None:
    """Somebody else at the service's second address is worth knowing."""
    asked = question(YES, ("10.0.0.1", 8080), ("10.0.0.2", 8080))
    space = Scripted([lambda aim: said("service:b/b" if aim[0] == "10.0.0.1" else "service:x/x")])

    assert _observed(space, asked) == ["wrong service"]


def test_what_disagrees_is_asked_again_with_more_patience() -> None:
    """A slow machine is not a closed path, and only what was in doubt is asked twice."""
    slow, quick = question(YES, ("10.0.0.1", 8080)), question(NO, ("10.0.0.9", 8080), port=None)
    space = Scripted(
        [lambda _: NOTHING, lambda aim: said("service:b/b") if aim[0] == "10.0.0.1" else NOTHING]
    )

    assert _observed(space, slow, quick) == ["yes", "no"]
    assert space.asked == [
        ([("10.0.0.1", 8080, "tcp"), ("10.0.0.9", 8080, "tcp")], FIRST_DEADLINE),
        ([("10.0.0.1", 8080, "tcp")], SECOND_DEADLINE),
    ]
    assert SECOND_DEADLINE > FIRST_DEADLINE


def test_silence_over_udp_is_asked_again_too() -> None:
    """A packet can be lost."""
    asked = question(YES, port=Port(53, "udp"), protocol="udp")
    space = Scripted([lambda _: NOTHING, lambda _: said("here")])

    assert _observed(space, asked, named=()) == ["yes"]


def test_what_disagrees_twice_disagrees() -> None:
    """The second answer is the last."""
    matrix = observe([question(YES)], {SOURCE: Scripted([lambda _: NOTHING])}, [TARGET])

    assert [r.observed for r in matrix.disagreements] == ["no"]


def test_what_agrees_is_asked_once() -> None:
    """A second round costs time, and none is needed."""
    space = Scripted([lambda _: said("service:b/b")])
    observe([question(YES)], {SOURCE: space}, [TARGET])

    assert len(space.asked) == 1


def test_a_source_that_does_not_run_is_not_probed() -> None:
    """A simulated container has no process, so nothing is claimed about it."""
    matrix = observe([question(NO)], {}, ())

    assert [result.observed for result in matrix.results] == ["not probed"]
    assert matrix.disagreements == ()


def test_udp_is_not_claimed_from_where_it_cannot_be_asked() -> None:
    """A helper container has no program for UDP, so its silence is not passed off as a closed path."""
    over_udp = question(NO, port=None, protocol="udp")

    assert _observed(Scripted([lambda _: NOTHING], udp=False), question(NO), over_udp) == ["no", "not probed"]


def test_every_question_has_one_result_in_its_sources_order() -> None:
    """Sources are asked side by side, and nothing is lost or doubled on the way."""

    def echo(aim: Aim) -> Seen:
        return said(f"answer at {aim[0]}")

    sources = [Endpoint("service", f"s/{number}") for number in range(20)]
    asked = [
        question(YES, (f"10.0.{number}.{place}", 80), source=source)
        for number, source in enumerate(sources)
        for place in range(5)
    ]
    matrix = observe(asked, {source: Scripted([echo]) for source in sources}, ())

    assert [r.question for r in matrix.results] == asked
    assert [r.answer for r in matrix.results] == [f"answer at {q.aims[0][0]}" for q in asked]
