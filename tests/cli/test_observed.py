"""What `lab verify` saw, as text and as data: what is listed, what is counted, and what is wrong."""

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from cli.observed import Sentence, expectations_seen, verify_data
from lab.flows import Endpoint
from lab.isolation import Verdict
from probe.engines import Fact
from probe.entry_points import EntryPointResult
from probe.matrix import Matrix, Observation, Result
from probe.names import NameResult
from probe.questions import questions
from tests.cli.observations import CLOSED, LEAK, OPEN, OWN, REFUSED, ROUTE, line_of, seen, told
from tests.probe.asked import SOURCE, TARGET, question
from tests.support.proofs import small_lab


def test_open_paths_are_listed_and_closed_ones_counted() -> None:
    """Hundreds of closed pairs would hide what matters; how many there were is said."""
    text = told(seen(OPEN, CLOSED, OWN))

    row = line_of(text, "service:a/a", "service:b/b")
    assert row.split() == ["ok", "service:a/a", "service:b/b", "8080/tcp", "yes", "yes", "12", "a", "test"]
    assert "and 1 pairs that nobody declared, none of which could connect" in text
    assert "and 1 ports of containers that their own host reaches" in text
    assert text.endswith("3 pairs, 0 names and 0 routes probed in 4.2 s: everything is as expected.")


def test_every_pair_is_listed_on_demand() -> None:
    """`--all` leaves nothing out."""
    text = told(seen(OPEN, CLOSED, OWN), every=True)

    assert len([line for line in text.splitlines() if line.startswith("  ok")]) == 3
    assert "--all lists them" not in text


def test_a_leak_is_wrong_and_says_what_to_ask_next() -> None:
    """Expected, observed, who answered, and the command that explains the pair."""
    text = told(seen(OPEN, LEAK))

    assert "WRONG" in line_of(text, "service:b/b", "service:a/a", "other/udp", "a test")
    assert "\nWRONG: service:b/b to service:a/a other/udp\n  expected no: a test\n" in text
    assert '  observed yes, which said "canary service:a/a"\n' in text
    assert "  lab explain service:b/b service:a/a\n" in text
    assert "1 DISAGREE with the plan" in text


def test_a_declared_path_that_is_closed_is_wrong() -> None:
    """Too little is as wrong as too much, and the port is in the command that explains it."""
    text = told(seen(replace(OPEN, observed="no", answer="")))

    assert "  observed no\n  lab explain service:a/a service:b/b:8080/tcp\n" in text
    assert "1 DISAGREE" in text


@pytest.mark.parametrize("observed", ["yes", "no"])
def test_what_the_proof_could_not_tell_is_shown_and_counted(observed: Observation) -> None:
    """Either answer is news, and none is wrong."""
    doubtful = Result(question=question(Verdict.unknown), observed=observed)
    text = told(seen(doubtful))

    assert f"cannot tell  {observed}" in line_of(text, "service:a/a", "ok")
    assert "Of 1 the proof could not tell; what was seen is above." in text


def test_where_nothing_is_real_nothing_is_claimed() -> None:
    """Simulated containers are neither listed nor called as expected."""
    text = told(seen(replace(OPEN, observed="not probed"), replace(CLOSED, observed="not probed")))

    assert text.strip() == (
        "Nothing was probed: network and engine are simulated here, so there is nothing to observe."
    )


def _name(expected: Verdict, observed: Literal["yes", "no"], answer: str = "") -> NameResult:
    return NameResult(
        source=SOURCE,
        expected=expected,
        because="a test",
        observed=observed,
        answer=answer,
        name="probe-1.lab",
    )


def test_names_that_leave_although_they_may_not_are_wrong() -> None:
    """The container, what came back, and the command that explains it; silence where it belongs is counted."""
    text = told(
        seen(
            OPEN,
            names=(_name(Verdict.no, "yes", "NXDOMAIN"), replace(_name(Verdict.no, "no"), source=TARGET)),
        )
    )

    assert line_of(text, "WRONG", "service:a/a").split()[2:5] == ["no", "yes", "NXDOMAIN"]
    assert "  lab explain service:a/a names\n" in text
    assert "and 1 containers that may not ask" in text
    assert "1 pairs, 2 names and 0 routes probed in 4.2 s: 1 DISAGREE with the plan" in text


def test_names_are_in_the_data() -> None:
    """With what was asked for, so that a name server's log can be searched."""
    [found] = json.loads(json.dumps(verify_data(seen(OPEN, names=(_name(Verdict.yes, "no"),)))))["names"]
    assert (found["from"], found["expected"], found["observed"], found["answer"], found["asked"]) == (
        "service:a/a",
        "yes",
        "no",
        None,
        "probe-1.lab",
    )


def test_a_pair_that_was_not_probed_has_no_mark() -> None:
    """It is neither right nor wrong, and not among those that could not connect."""
    text = told(seen(OPEN, replace(CLOSED, observed="not probed")), every=True)

    assert line_of(text, "not probed").split()[0] == "-"
    assert "1 pairs, 0 names and 0 routes probed" in text
    assert "and 0 pairs that nobody declared" in told(seen(OPEN, replace(CLOSED, observed="not probed")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"routes": (replace(ROUTE, ok=False, status=0),)}, "no answer"),
        ({"routes": (replace(ROUTE, ok=False, status=502),)}, "502"),
        ({"missing": ("service:b/b",)}, "Not running, and so not probed: service:b/b"),
        (
            {"facts": (Fact("docker-1", "version", "20", "28"),)},
            "Engine of docker-1: version is 28, and the proof took it to be 20.\n"
            "  Write engine: {version: 28} at docker-1 in the lab file",
        ),
        (
            {"expectations": (Sentence("a does not reach b", 3, (LEAK,)),)},
            "WRONG  a does not reach b  3 probes",
        ),
    ],
)
def test_whatever_is_not_as_expected_counts(changes: dict[str, Any], said: str) -> None:
    """Routes, missing services, facts of engines and sentences of the lab file, beside pairs."""
    observed = seen(OPEN, **changes)

    assert observed.wrong == 1
    assert said in told(observed)
    assert "1 DISAGREE with the plan" in told(observed)
    assert verify_data(observed)["ok"] is False


def test_what_is_not_real_is_named() -> None:
    """Stand-ins and a certificate that nobody signed are not passed off as what they stand for."""
    text = told(seen(OPEN, routes=(ROUTE,), stand_ins=("service:b/b",)))

    assert (
        "1 services are stand-ins that listen where the image would and say their name:\n  service:b/b"
        in text
    )
    assert "a certificate that it signed itself" in text
    assert "signed itself" not in told(seen(OPEN, routes=(replace(ROUTE, issuer="an authority"),)))


def test_a_sentence_that_nothing_could_test_is_not_called_right() -> None:
    """Nobody stands on that segment here."""
    sentences = (Sentence("vlan:iot does not reach a", 0, ()), Sentence("a reaches b", 2, ()))
    text = told(seen(OPEN, expectations=sentences))

    assert line_of(text, "vlan:iot").split()[0] == "-"
    assert line_of(text, "vlan:iot").endswith("nothing here can be probed")
    assert line_of(text, "a reaches b").split()[0] == "ok"


def test_the_keys_of_the_json_are_these() -> None:
    """Scripts read them, so that a change is one of the version."""
    observed = seen(
        OPEN,
        LEAK,
        routes=(ROUTE,),
        missing=("service:c/c",),
        facts=(Fact("h", "version", "20", "28"),),
        stand_ins=("service:b/b",),
        expectations=(Sentence("a reaches b", 2, (LEAK,)),),
        refusal=REFUSED,
    )

    assert json.loads(json.dumps(verify_data(observed))) == {
        "version": 5,
        "ok": False,
        "seconds": 4.2,
        "pairs": [
            {
                "from": "service:a/a",
                "to": "service:b/b",
                "port": "8080/tcp",
                "protocol": "tcp",
                "expected": "yes",
                "permission": "flow",
                "observed": "yes",
                "milliseconds": 12.4,
                "because": "a test",
            },
            {
                "from": "service:b/b",
                "to": "service:a/a",
                "port": None,
                "protocol": "udp",
                "expected": "no",
                "permission": None,
                "observed": "yes",
                "milliseconds": 0.0,
                "because": "a test",
            },
        ],
        "names": [],
        "routes": [
            {
                "url": "https://www.lab.example:443/",
                "audience": "lan",
                "expected": "service:b/b",
                "status": 200,
                "ok": True,
                "issuer": "itself",
                "days_left": None,
                "distrust": None,
            }
        ],
        "pinned": None,
        "refusal": {
            "when": "2026-11-26T08:27:52Z",
            "cause": "it is",
            "repair": "do",
            "said": "no",
            "again": "soon",
        },
        "entry_points": [],
        "expectations": [{"sentence": "a reaches b", "probes": 2, "against": 1}],
        "engine_facts": [{"host": "h", "what": "version", "taken": "20", "found": "28"}],
        "missing": ["service:c/c"],
        "stand_ins": ["service:b/b"],
    }


APP, DB = Endpoint("service", "wiki/app"), Endpoint("service", "wiki/db")


def _sentence(observed: Observation, **sentence: Any) -> Sentence:
    """A sentence held against a run in which every pair of the wiki was seen like this."""
    proof = small_lab(expect=[{"because": "a test", **sentence}])
    asked = questions(proof, [APP, DB], 47001)
    results = tuple(Result(question=q, observed=observed) for q in asked)
    [found] = expectations_seen(proof, Matrix(results=results))
    return found


@pytest.mark.parametrize(
    ("observed", "borne_out"), [("yes", False), ("wrong service", False), ("no", True), ("silent", True)]
)
def test_a_denial_is_borne_out_by_silence(observed: Observation, borne_out: bool) -> None:
    """Each port of the target was tried, and the one that nobody declared."""
    found = _sentence(observed, **{"from": str(DB), "to": str(APP), "reach": "no"})

    assert (found.text, not found.against) == ("service:wiki/db does not reach service:wiki/app", borne_out)
    assert found.probed == 2


@pytest.mark.parametrize(("observed", "borne_out"), [("yes", True), ("wrong service", False), ("no", False)])
def test_a_promise_is_borne_out_by_an_answer(observed: Observation, borne_out: bool) -> None:
    """The right service has to have answered."""
    found = _sentence(observed, **{"from": str(APP), "to": f"{DB}:5432", "reach": "yes"})

    assert (found.text, not found.against) == ("service:wiki/app reaches service:wiki/db:5432/tcp", borne_out)
    assert found.probed == 1


def test_a_sentence_about_somebody_who_is_not_here_has_no_probes() -> None:
    """What was not probed bears nothing out."""
    elsewhere = {"from": "device:tv", "to": str(APP), "reach": "no"}

    assert _sentence("yes", **elsewhere).probed == 0
    assert _sentence("not probed", **{"from": str(DB), "to": str(APP), "reach": "no"}).probed == 0


def test_what_is_not_refused_is_told_and_counted() -> None:
    """Each entry point says what was asked, what had to come of it, and what did."""
    refusal = EntryPointResult(
        audience="lan",
        port=443,
        asked="plain HTTP for www.lab.example",
        expected="no service",
        observed="404",
        ok=True,
    )
    observed = seen(OPEN, entry_points=(refusal, replace(refusal, observed="200", ok=False)))
    assert observed.wrong == 1
    right, wrong = (line for line in told(observed).splitlines() if "plain HTTP" in line)
    assert (right.split()[0], right.split()[-1]) == ("ok", "404")
    assert (wrong.split()[0], wrong.split()[-1]) == ("WRONG", "200")
