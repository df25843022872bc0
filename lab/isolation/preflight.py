"""Preflight of the certificate: what has to be so before an authority signs, and whether it is.

What the plan and the proof cannot know, because it is in an account or in a zone, is `cannot tell` here and asked by
`lab check --online` (probe/zone.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.flows import Port
from lab.isolation.proof import Proof
from lab.isolation.verdict import Verdict
from lab.plan.certificate import AUTHORITY
from lab.plan.directory import INGRESS, INTERNET
from lab.plan.records import CertificatePlan, IngressPlan, PairPlan

TOKEN, ZONE, MINT = "token", "zone", "minted token"
"""The conditions that only Cloudflare can answer."""
_ASK = "ask with `lab check --online`"
_DNS, _HTTPS = Port(53, "udp"), Port(443)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Something that has to be so before the certificate can be signed."""

    what: str
    """A fixed word for it, such as `token`."""
    verdict: Verdict
    reason: str
    repair: str = ""
    """What to do where it is not so; empty where it is."""


def conditions(proof: Proof) -> tuple[Condition, ...]:
    """What the certificate of a lab depends on, in the order in which it would fail; none where none is shown."""
    ingress, certificate = proof.plan.ingress, proof.plan.shown_certificate
    if ingress is None or certificate is None:
        return ()
    if certificate.pair is not None:
        return _names(ingress, certificate), _pair(certificate, certificate.pair)
    return tuple(_conditions(proof, ingress, certificate))


def _conditions(proof: Proof, ingress: IngressPlan, certificate: CertificatePlan) -> Iterator[Condition]:
    zones = " and ".join(certificate.zones)
    yield _names(ingress, certificate)
    yield Condition(
        what="authority",
        verdict=Verdict.yes,
        reason=f"{_who_signs(certificate)}; CAA records let {AUTHORITY} sign, and nobody else",
    )
    yield _way(proof, _HTTPS, "way to the authority", "it and Cloudflare's API are reached")
    yield _way(proof, _DNS, "way to the challenge", _where_it_is_seen(proof, certificate))
    yield Condition(
        what=ZONE,
        verdict=Verdict.unknown,
        reason=f"the account of the token has to have {zones}, active, with no part given to others",
        repair=_ASK,
    )
    yield Condition(
        what=TOKEN,
        verdict=Verdict.unknown,
        reason=f"cloudflare-token needs Zone Read and DNS Edit for {zones}, and nothing else",
        repair=_ASK,
    )
    if certificate.mint is not None:
        yield Condition(
            what=MINT,
            verdict=Verdict.unknown,
            reason=f"Traefik's own is made with {certificate.mint.maker.name}, which needs API Tokens Write",
            repair=_ASK,
        )


def _names(ingress: IngressPlan, certificate: CertificatePlan) -> Condition:
    hosts = sorted({route.host for route in ingress.routes})
    bare = sorted({route.host for route in ingress.routes if route.covered_by is None})
    names = ", ".join(certificate.names)
    if bare:
        return Condition(
            what="names",
            verdict=Verdict.no,
            reason=f"{names} does not cover {', '.join(bare)}",
            repair="add a name to certificate.names; a wildcard covers exactly one level (RFC 6125, 6.4.3)",
        )
    proven = ", proven by DNS-01 (a wildcard cannot be otherwise)," if certificate.pair is None else ""
    return Condition(what="names", verdict=Verdict.yes, reason=f"{names}{proven} covers {_every(hosts)}")


def _every(hosts: Sequence[str]) -> str:
    return f"all {len(hosts)} hosts" if len(hosts) > 1 else "the one host"


def _pair(certificate: CertificatePlan, pair: PairPlan) -> Condition:
    signed = {
        "cloudflare-origin": "Cloudflare's Origin CA has signed it, which Cloudflare's proxy trusts and no browser does"
    }
    who = signed.get(certificate.ca, "an authority of your own has signed it")
    return Condition(
        what="pair",
        verdict=Verdict.unknown,
        reason=f"{who}; nothing renews it, and {pair.certificate.name} and {pair.key.name} have to be one pair",
        repair="`pulumi preview` reads both secrets and says what is wrong with them",
    )


def _who_signs(certificate: CertificatePlan) -> str:
    if certificate.ca == "letsencrypt-staging":
        return "Let's Encrypt's staging signs, which browsers do not trust and whose limits nobody meets"
    return (
        "Let's Encrypt signs 5 certificates a week for exactly these names and 50 for the registered domain "
        "(letsencrypt.org/docs/rate-limits); a renewal takes none, a lab destroyed and created anew takes one"
    )


def _where_it_is_seen(proof: Proof, certificate: CertificatePlan) -> str:
    resolver = proof.plan.dns.resolver
    seen = f"Traefik looks for its answer at {' and '.join(certificate.resolvers)}"
    if resolver is None or resolver.zone is None:
        return seen
    return f"{seen}, past {resolver.endpoint}, whose own {resolver.zone} would hide it"


def _way(proof: Proof, port: Port, what: str, meant: str) -> Condition:
    answer = proof.answer(proof.reach.machine(INGRESS), INTERNET, port)
    if answer.verdict is Verdict.yes:
        return Condition(what=what, verdict=Verdict.yes, reason=meant)
    repair = f"let the ingress reach internet:{port} there"
    return Condition(what=what, verdict=answer.verdict, reason=answer.reason, repair=repair)
