"""Sentences that must hold: what each stands for, and when it holds, fails, or cannot be told."""

from typing import Any

import pytest

from lab.isolation import Proof, Verdict
from lab.isolation.expectations import Outcome, questions
from tests.support.builders import guest, ingress, route, service, stack
from tests.support.proofs import open_node, small_lab


def outcome(source: Any, target: Any, reach: str, **sections: Any) -> Outcome:
    """What becomes of one sentence."""
    found = small_lab(expect=[{"from": source, "to": target, "reach": reach}], **sections)
    (only,) = found.expectations
    return only


def asked(source: Any, target: Any, reach: str = "no", **sections: Any) -> set[str]:
    """The single questions of one sentence."""
    found = small_lab(expect=[{"from": source, "to": target, "reach": reach}], **sections)
    return told(found)


def told(found: Proof) -> set[str]:
    """The questions of a lab's first sentence."""
    sentence = found.plan.expectations[0]
    return {f"{s} -> {t}:{p or '*'}" for s, t, p in questions(found.reach, found.openings, sentence)}


@pytest.mark.parametrize(
    ("source", "target", "reach", "verdict"),
    [
        ("service:wiki/app", "service:wiki/db:5432", "yes", Verdict.yes),
        ("service:wiki/app", "service:blog/app:8080", "yes", Verdict.no),
        ("service:blog/app", "service:wiki/db", "no", Verdict.yes),
        ("service:blog/app", "internet", "no", Verdict.yes),
        ("device:tv", ["stack:wiki", "stack:blog"], "no", Verdict.yes),
        ("vlan:services", "service:wiki/db:5432", "yes", Verdict.no),
    ],
)
def test_sentences_hold_or_do_not(source: Any, target: Any, reach: str, verdict: Verdict) -> None:
    """A sentence holds where every single answer is what it says."""
    assert outcome(source, target, reach).verdict is verdict


def test_what_speaks_against_it_is_told() -> None:
    """A sentence that fails names the first answer that is not as it says."""
    found = outcome("service:wiki/app", ["service:wiki/db:5432", "service:blog/app:8080"], "yes")
    assert found.verdict is Verdict.no
    assert found.against is not None
    assert (str(found.against.target), found.against.verdict) == ("service:blog/app", Verdict.no)


def test_every_single_answer_counts() -> None:
    """One answer that is not as said makes the whole sentence fail, also among others that are."""
    lab: dict[str, Any] = {"expect": [{"from": "guest:siem", "to": ["operator", "device:tv"], "reach": "no"}]}
    (found,) = open_node(**lab, operator={"vlan": "iot"}, router={"kind": "none"}).expectations
    assert found.verdict is Verdict.yes
    (found,) = open_node(**lab, operator={"vlan": "services"}, router={"kind": "none"}).expectations
    assert found.verdict is Verdict.no


def test_a_router_of_somebody_else_cannot_be_told() -> None:
    """Where a router decides whose rules are not ours, the sentence is neither kept nor broken."""
    found = outcome("device:tv", "operator", "no", router={"kind": "unifi"})
    assert found.verdict is Verdict.unknown
    assert found.against is not None
    assert "decides between vlan iot and vlan services" in found.against.reason


def test_a_failure_weighs_more_than_a_doubt() -> None:
    """A sentence with one answer against it and one in doubt is broken."""
    found = outcome("vlan:iot", ["operator", "device:tv"], "no", router={"kind": "unifi"})
    assert found.verdict is Verdict.no


def test_what_the_ingress_passes_on_is_reached() -> None:
    """Requests that the ingress passes on count: who gets to a web front through it reaches it."""
    found = outcome("vlan:services", "service:wiki/app:80", "yes")
    assert found.verdict is Verdict.yes
    refuted = outcome("guest:siem", "service:wiki/app:80", "no")
    assert refuted.verdict is Verdict.no
    assert refuted.against is not None
    assert refuted.against.verdict is Verdict.yes
    assert "Traefik passes wiki.lab.example on" in refuted.against.reason


def test_without_a_port_every_port_must_be_closed() -> None:
    """A target without a port means each known one and all others."""
    assert asked("device:tv", "service:wiki/db") == {
        "device:tv -> service:wiki/db:5432/tcp",
        "device:tv -> service:wiki/db:*",
    }
    assert asked("device:tv", "service:wiki/db:5432") == {"device:tv -> service:wiki/db:5432/tcp"}


def test_a_segment_means_everybody_on_it() -> None:
    """As a source a segment means whoever is on it, named or not; as in a flow."""
    assert {question.partition(" -> ")[0] for question in asked("vlan:iot", "guest:siem")} == {
        "vlan:iot",
        "device:tv",
    }


def test_a_segment_is_what_its_machines_publish_too() -> None:
    """As a target a segment means its machines, and the containers whose ports they publish."""
    found = asked("device:tv", "vlan:services")
    assert {question.partition(" -> ")[2].rpartition(":")[0] for question in found} == {
        "vlan:services",
        "guest:docker-1",
        "guest:siem",
        "node:pve",
        "operator",
        "ingress",
    }
    assert "device:tv -> ingress:443/tcp" in found


def test_a_port_of_a_segment_is_the_published_one() -> None:
    """A port of a segment is the one at which its machines are asked, and leads to the container's own."""
    stacks = {
        "web": stack(app=service(listens=[80], publishes={"80": 8080})),
    }
    lab: dict[str, Any] = {"stacks": stacks, "ingress": None}
    assert "device:tv -> service:web/app:80/tcp" in asked("device:tv", "vlan:services:8080", **lab)
    assert "device:tv -> service:web/app:80/tcp" not in asked("device:tv", "vlan:services:80", **lab)


def test_a_docker_host_is_not_held_against_its_containers() -> None:
    """Who has a machine has what runs on it: a segment's sentence leaves that out, one that names it does not."""
    assert not any(q.startswith("guest:docker-1 ->") for q in asked("vlan:services", "service:blog/app"))
    assert any(q.startswith("guest:docker-1 ->") for q in asked("guest:docker-1", "service:blog/app"))


def test_nobody_is_asked_about_itself() -> None:
    """A sentence about a group and itself leaves out each one's way to itself."""
    assert asked("set:screens", "vlan:iot") == {
        "device:tv -> vlan:iot:*",
    }


def test_a_route_of_another_audience_is_not_passed_on() -> None:
    """A web front is not reached through the ingress by whoever is no audience of its route."""
    sections: dict[str, Any] = {
        "stacks": {"wiki": stack(app=service(listens=[80], route=route("wiki", "tailnet")))},
        "ingress": ingress(),
        "guests": {"docker-1": guest(address=11, runs="docker"), "siem": guest(address=12)},
    }
    assert outcome("guest:siem", "service:wiki/app", "no", **sections).verdict is Verdict.yes
