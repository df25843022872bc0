"""How many factors Authelia asks for: the part of its configuration that follows from the routes.

Traefik only asks whether a visitor may pass; one factor or two is decided by Authelia's own `access_control`. It cannot
read that anew while it runs, so what follows the lab's default shares one rule for the whole domain: a route that says
nothing of its factors has none of its own, and adding or removing it leaves the sign-in alone.
"""

from collections.abc import Iterator
from typing import Any

from lab.plan.records import IngressPlan, RoutePlan
from lab.render.emit import yaml_text

_POLICIES = {"one-factor": "one_factor", "two-factor": "two_factor"}


def access_control(ingress: IngressPlan, domain: str) -> str:
    """Authelia's file: what it asks for below the lab's domain, first of all where a route asks for something else.

    The first rule that matches decides (Authelia, *Access Control*), so the longest path of a host comes first, as
    Traefik's longest rule does. Paths are matched without their host, cleaned, and with the query (Authelia 4.38,
    `utils.URLPathFullClean`); Traefik matches the same beginning of a cleaned path. Whatever no rule is for is denied.
    There is always a rule: a list in this file takes the place of the one in Authelia's own file, an absent one leaves
    it in force.

    Args:
        ingress: the ingress.
        domain: the lab's.
    """
    default = _default(ingress)
    rules = [*_exceptions(ingress, domain), {"domain": f"*.{domain}", "policy": _POLICIES[default]}]
    return yaml_text(
        {"access_control": {"default_policy": "deny", "rules": rules}},
        comment="Authelia's access control, rendered from the lab file.",
    )


def _default(ingress: IngressPlan) -> str:
    """What a route asks for that says nothing; two factors also where that is none, and so nobody is sent here."""
    return ingress.auth_default if ingress.auth_default in _POLICIES else "two-factor"


def _exceptions(ingress: IngressPlan, domain: str) -> Iterator[dict[str, Any]]:
    """Rules for hosts that the one for the domain does not fit, or does not match."""
    guarded = [route for route in ingress.routes if route.auth in _POLICIES]
    hosts = {r.host for r in guarded if r.auth != _default(ingress) or not r.host.endswith(f".{domain}")}
    for route in sorted(guarded, key=_specific_first):
        if route.host in hosts:
            paths = {"resources": [f"^{_literal(route.path)}"]} if route.path else {}
            yield {"domain": route.host, **paths, "policy": _POLICIES[route.auth]}


def _specific_first(route: RoutePlan) -> tuple[str, int, str]:
    path = route.path or ""
    return route.host, -len(path), path


def _literal(path: str) -> str:
    """A pattern for the path itself; of what may be in one, only the dot means more to a regular expression."""
    return path.replace(".", r"\.")
