"""Findings about routes: who is let in without a question, who gets in that is not meant, and who may answer."""

from collections.abc import Iterator

from lab.flows import Port
from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof
from lab.isolation.verdict import Answer, Verdict
from lab.plan.directory import INGRESS, INTERNET
from lab.plan.records import IngressPlan, LabPlan, RoutePlan

_NAMED = 4


def routes(proof: Proof) -> Iterator[Finding]:
    """Routes that ask for nothing, targets that are not checked, and audiences that are wider than declared."""
    ingress = proof.plan.ingress
    if ingress is None:
        return
    yield from _undecided_factors(ingress)
    strangers = {port: _strangers(proof, port) for _, port, _ in ingress.openings()}
    for route in ingress.routes:
        if not _is_sign_in(proof.plan, route):
            yield from _asks_nothing(route)
        yield from _unverified(route)
        yield from _distrusted(proof.plan, route)
        ports = {ingress.way_in(route, audience) for audience in route.audiences if ingress.entry_points}
        uninvited = {a.source: a for port in sorted(ports) for a in strangers[port]}
        if uninvited:
            yield _wide(route, tuple(uninvited.values()))


def _is_sign_in(plan: LabPlan, route: RoutePlan) -> bool:
    """Whether it leads to what others are asked by, which cannot be asked for itself."""
    auth_url = plan.ingress.auth_url if plan.ingress else None
    own = plan.identity is not None and route.target == plan.identity.endpoint
    return own or (auth_url is not None and auth_url.startswith(f"{route.url}/"))


def _asks_nothing(route: RoutePlan) -> Iterator[Finding]:
    if route.auth == "none" and "internet" in route.audiences:
        yield Finding(
            kind="open-to-the-internet",
            where=f"route {route.host}",
            problem=f"{route.host} is for the internet and the ingress asks for nothing",
            consequence="every flaw of the service is everybody's to use",
            repair="write auth: two-factor, or an audience that is not the internet",
        )


def _undecided_factors(ingress: IngressPlan) -> Iterator[Finding]:
    asking = [route for route in ingress.routes if route.auth != "none"]
    if ingress.auth_kind == "authentik" and asking:
        wanted = sorted({route.auth for route in asking})
        yield Finding(
            kind="factors-decided-elsewhere",
            where=f"sign-in {ingress.auth}",
            problem=f"routes ask for {' and '.join(wanted)}, and Authentik decides that in a flow of its own, which "
            "nothing here can set or see",
            consequence="a password alone may open a route that is declared to ask for two factors",
            repair="give its authentication flow a stage that validates a second factor and refuses who has none",
        )


def _unverified(route: RoutePlan) -> Iterator[Finding]:
    if route.target_tls is not None and not route.target_tls.verify:
        yield Finding(
            kind="unverified-target",
            where=f"route {route.host}",
            problem=f"the ingress does not check the certificate of {route.target} (verify: no)",
            consequence="whoever is between the two, or takes its address, reads and answers in its place",
            repair="write ca: the secret with the certificate that signed the target's own",
        )


def _distrusted(plan: LabPlan, route: RoutePlan) -> Iterator[Finding]:
    """Visitors who are shown a certificate of Cloudflare's Origin CA and do not come through Cloudflare's proxy."""
    shown, ingress = plan.shown_certificate, plan.ingress
    if shown is None or shown.ca != "cloudflare-origin" or ingress is None or route.covered_by is None:
        return
    here = [
        a for a in route.audiences if (entry := ingress.entry_point(a)) is not None and entry.tls == "own"
    ]
    direct = [a for a in here if a != INTERNET.kind or route.published != "proxied"]
    if direct:
        yield Finding(
            kind="untrusted-certificate",
            where=f"route {route.host}",
            problem=f"{', '.join(direct)} {'comes' if len(direct) == 1 else 'come'} to {route.host} past Cloudflare, "
            "and its Origin CA is trusted by Cloudflare's proxy alone",
            consequence="their browsers refuse the page, or people learn to click the warning away",
            repair="publish the route with mode: proxied and for the internet only, or write a ca that visitors trust",
        )


def _strangers(proof: Proof, entry: Port) -> tuple[Answer, ...]:
    """Who gets to an entry point by no flow. Who has the host of the ingress has the ingress, and is none."""
    target, found = proof.reach.machine(INGRESS), []
    containers = proof.reach.directory.containers
    host = proof.reach.grounds.host_endpoint(containers[target].host) if target in containers else target
    for source in (*proof.openings.machines, *proof.openings.users, INTERNET):
        if source == host or proof.declared.flow(source, target, entry) is not None:
            continue
        answer = proof.reach.answer(source, target, entry)
        permission = proof.judged(answer).permission
        if answer.verdict is Verdict.yes and (permission is None or permission.kind != "accepted"):
            found.append(answer)
    return tuple(found)


def _wide(route: RoutePlan, answers: tuple[Answer, ...]) -> Finding:
    asked = "asks for nothing" if route.auth == "none" else f"asks for {route.auth}"
    more = f" and {len(answers) - _NAMED} more" if len(answers) > _NAMED else ""
    names = ", ".join(str(answer.source) for answer in answers[:_NAMED]) + more
    get, are = ("gets", "is") if len(answers) == 1 else ("get", "are")
    return Finding(
        kind="wider-audience",
        where=f"route {route.host}",
        problem=f"{names} {get} to {route.host} and {are} none of its audiences ({answers[0].reason})",
        consequence=f"the route {asked}, so that is all that stands before the service",
        repair="close the way to the entry point, or add the audience to the route",
    )
