"""Names: whether a container's question gets to a name server, by whom it is sent, and past what."""

from dataclasses import replace
from typing import Any

import pytest

from lab.errors import QueryError
from lab.flows import Endpoint
from lab.isolation import Proof, Verdict, prove
from lab.isolation.queries import Queries
from lab.plan.records import EngineFacts, LabPlan
from lab.render.reach.names import explained_names, names_blocks
from lab.render.reach.text import text
from tests.support.builders import guest, plan, service, stack
from tests.support.proofs import SERVICES

APP, DB = Endpoint("service", "web/app"), Endpoint("service", "web/db")
LOOPBACK = "127.0.0.53"
NEAR = "10.10.20.53"
"""A name server on the segment of the Docker host, which is nobody's whom the lab file names."""


def lab(*servers: str, **changes: Any) -> LabPlan:
    """A service that may reach the internet and one that may not, on a host whose node asks these servers."""
    node = {"address": "10.10.20.2", **({"dns": list(servers)} if servers else {})}
    app = {"listens": [80], "egress": "yes", "needs": ["db:5432"], **changes}
    return plan(
        vlans={"services": SERVICES},
        nodes={"pve": node},
        guests={"docker-1": guest(address=11, runs="docker"), "siem": guest(address=12)},
        router={"kind": "none"},
        stacks={"web": stack(app=service(**app), db=service(listens=[5432]))},
    )


def unguarded(decided: LabPlan) -> LabPlan:
    """The same without its guard."""
    return replace(decided, guards=())


def on(version: int | None, decided: LabPlan) -> LabPlan:
    """The same on an engine of this version."""
    hosts = tuple(replace(h, engine=EngineFacts(version=version)) for h in decided.docker_hosts)
    return replace(decided, docker_hosts=hosts)


def verdicts(decided: LabPlan) -> tuple[Verdict, Verdict]:
    """What becomes of the questions of the two."""
    names = prove(decided).names
    return names[APP].verdict, names[DB].verdict


def test_a_question_is_the_containers_own_packet() -> None:
    """Who is let out to the server asks it; in an internal network the same question goes nowhere."""
    assert verdicts(lab(NEAR)) == (Verdict.yes, Verdict.no)
    assert "no way out" in prove(lab(NEAR)).names[DB].reason


def test_a_guard_that_does_not_know_the_server_drops_the_question() -> None:
    """A way out is not enough: the rule for names has to lead to the server that is asked."""
    decided = lab(NEAR)
    deaf = [replace(g, rules=tuple(r for r in g.rules if "name" not in r.because)) for g in decided.guards]
    names = prove(replace(decided, guards=tuple(deaf))).names
    assert names[APP].verdict is Verdict.no
    assert "drops what no rule lets out" in names[APP].reason


def test_without_a_guard_the_network_decides() -> None:
    """Nothing else closes it, so a container on a network with a way out asks."""
    assert verdicts(unguarded(lab(NEAR))) == (Verdict.yes, Verdict.no)


def test_a_server_on_loopback_is_asked_past_the_guard() -> None:
    """The engine asks it itself, so that no rule about the container counts."""
    decided = lab(LOOPBACK)
    closed = replace(decided, guards=tuple(replace(g, rules=()) for g in decided.guards))
    assert verdicts(on(28, closed)) == (Verdict.yes, Verdict.no)


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        (20, Verdict.yes),
        (23, Verdict.unknown),
        (24, Verdict.yes),
        (25, Verdict.unknown),
        (26, Verdict.no),
        (29, Verdict.no),
        (None, Verdict.unknown),
    ],
)
def test_internal_networks_leaked_names_until_the_engine_was_mended(
    version: int | None, verdict: Verdict
) -> None:
    """CVE-2024-29018: which engines ask a server on loopback for a container in internal networks only."""
    assert verdicts(on(version, lab(LOOPBACK)))[1] is verdict


def test_where_nobody_said_who_is_asked_nobody_can_tell() -> None:
    """A server on loopback cannot be ruled out, unless the engine asks none for such a container."""
    assert verdicts(on(20, lab())) == (Verdict.unknown, Verdict.unknown)
    assert verdicts(on(28, lab())) == (Verdict.unknown, Verdict.no)
    assert "nobody said which name servers docker-1 asks" in prove(on(28, lab())).names[APP].reason


def test_the_best_of_several_servers_counts() -> None:
    """One server that answers is enough for a leak."""
    assert verdicts(on(20, lab("192.0.2.53", LOOPBACK)))[1] is Verdict.yes


def test_a_server_of_the_lab_is_asked_through_its_firewall() -> None:
    """A guest that does not accept the question does not get it."""
    found = prove(unguarded(lab("10.10.20.12"))).names[APP]
    open_siem = plan_with_siem_listening()
    assert found.verdict is Verdict.yes, "the derived flow opens the firewall of the server"
    assert prove(open_siem).names[APP].verdict is Verdict.no


def plan_with_siem_listening() -> LabPlan:
    """The server's firewall lost its rules."""
    decided = unguarded(lab("10.10.20.12"))
    guests = tuple(replace(g, rules=()) if g.name == "siem" else g for g in decided.guests)
    return replace(decided, guests=guests)


def test_who_shares_the_hosts_network_asks_as_the_host() -> None:
    """Such a service has no engine between it and the server."""
    decided = lab(NEAR, **{"host_network": "yes", "needs": [], "egress": "no"})
    assert prove(decided).names[APP].verdict is Verdict.yes


def test_names_are_told_by_what_decides() -> None:
    """What is open or unknown is told with its reason, the rest is counted."""
    proof = prove(lab(NEAR))
    told = text(list(names_blocks(proof.names)))
    assert "- yes, 1 container: " in told
    assert "- no, 1 container\n      service:web/db" in told
    page, data = explained_names(proof.plan, Queries(proof).names("service:web/db"))
    assert text(page).startswith("service:web/db: names: no\n")
    assert [(part["from"], part["verdict"]) for part in data["names"]] == [("service:web/db", "no")]


def test_names_are_asked_of_containers_only() -> None:
    """Of a machine the lab file does not say whom it asks, so the question is refused with what can be asked."""
    proof: Proof = prove(lab(NEAR))
    with pytest.raises(QueryError, match="guest:siem is no container"):
        Queries(proof).names("guest:siem")
