"""What has to be so before a certificate is signed, as far as plan and proof can see it."""

from dataclasses import replace
from typing import Any

from lab.isolation import Proof, prove
from lab.isolation.preflight import Condition, conditions
from lab.isolation.verdict import Verdict
from lab.plan.directory import INGRESS
from tests.support.builders import ingress
from tests.support.pairs import shown_names
from tests.support.proofs import small_lab

CLOUDFLARE = {"provider": "cloudflare"}
NAMES = {"names": ["*.lab.example"]}


def asking(**sections: Any) -> Proof:
    """A lab that asks an authority, behind a node that routes."""
    return small_lab(**{"router": {"kind": "node"}, "certificate": NAMES, "dns": CLOUDFLARE, **sections})


def found(proof: Proof) -> dict[str, Condition]:
    """The conditions by their word."""
    return {condition.what: condition for condition in conditions(proof)}


def test_what_a_lab_can_know_of_its_certificate() -> None:
    """Names and ways are proven; the account is not the plan's to know."""
    every = found(asking())
    assert {what: str(one.verdict) for what, one in every.items()} == {
        "names": "yes",
        "authority": "yes",
        "way to the authority": "yes",
        "way to the challenge": "yes",
        "zone": "cannot tell",
        "token": "cannot tell",
    }
    assert all(bool(one.repair) == (one.verdict is not Verdict.yes) for one in every.values())
    assert every["way to the challenge"].reason == "Traefik looks for its answer at 1.1.1.1:53 and 9.9.9.9:53"


def test_a_pair_is_covered_and_not_asked_for() -> None:
    """Nothing is asked of anybody: names count, and what only the secrets can tell."""
    every = found(small_lab(certificate=shown_names(["*.lab.example"])))
    assert {what: str(one.verdict) for what, one in every.items()} == {"names": "yes", "pair": "cannot tell"}
    assert every["names"].reason == "*.lab.example covers the one host"
    assert "own-certificate and own-key have to be one pair" in every["pair"].reason


def test_no_certificate_is_asked_for() -> None:
    """Without one, and where TLS ends in front of Traefik."""
    assert conditions(small_lab()) == ()
    upstream = ingress(
        audiences={"internet": {"port": 443}}, tls="upstream", trusted_upstreams=["10.10.20.5"]
    )
    assert conditions(asking(ingress=upstream, stacks={})) == ()


def test_a_host_that_no_name_covers() -> None:
    """The plan refuses it; a plan made by hand is looked at all the same."""
    proof = asking()
    assert proof.plan.ingress is not None
    routes = tuple(replace(route, covered_by=None) for route in proof.plan.ingress.routes)
    bare = prove(replace(proof.plan, ingress=replace(proof.plan.ingress, routes=routes)))
    assert found(bare)["names"].reason == "*.lab.example does not cover wiki.lab.example"
    assert found(bare)["names"].verdict is Verdict.no


def test_a_way_that_the_guard_closes() -> None:
    """Without its flows the ingress gets to no authority, and nobody sees its answer."""
    proof = asking()
    (guard,) = proof.plan.guards
    rules = tuple(rule for rule in guard.rules if rule.way != "out")
    closed = prove(
        replace(
            proof.plan,
            flows=tuple(flow for flow in proof.plan.flows if flow.source != INGRESS),
            guards=(replace(guard, rules=rules),),
        )
    )
    ways = [found(closed)[what] for what in ("way to the authority", "way to the challenge")]
    assert [way.verdict for way in ways] == [Verdict.no, Verdict.no]
    assert [way.repair for way in ways] == [
        "let the ingress reach internet:443/tcp there",
        "let the ingress reach internet:53/udp there",
    ]


def test_a_split_horizon_is_named() -> None:
    """The resolver inside answers the zone itself, and would never show the challenge."""
    inside = {"software": "bind9", "endpoint": "guest:siem", "zone": "lab.example"}
    reason = found(asking(dns={**CLOUDFLARE, "internal": inside}))["way to the challenge"].reason
    assert reason.endswith("past guest:siem, whose own lab.example would hide it")


def test_one_key_decides_who_signs() -> None:
    """Staging has limits that nobody meets; the other's budget is said."""
    staging = found(asking())["authority"].reason
    production = found(asking(certificate={**NAMES, "ca": "letsencrypt"}))["authority"].reason
    assert staging.startswith("Let's Encrypt's staging signs, which browsers do not trust")
    assert production.startswith("Let's Encrypt signs 5 certificates a week for exactly these names")
