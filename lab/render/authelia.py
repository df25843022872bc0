"""How many factors Authelia asks for: the part of its configuration that follows from the routes.

Traefik only asks whether a visitor may pass; one factor or two is decided by Authelia's own `access_control`. It cannot
read that anew while it runs, so everything that follows the lab's default is left to the default policy: a route that
says nothing of its factors is in no rule, and adding or removing it leaves the sign-in alone.
"""

from collections.abc import Iterator
from typing import Any

from lab.plan.records import IngressPlan, RoutePlan
from lab.render.emit import yaml_text

_POLICIES = {"one-factor": "one_factor", "two-factor": "two_factor"}
_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
"""What a regular expression of Go (RE2) takes for more than itself."""


def access_control(ingress: IngressPlan) -> str:
    """Authelia's file: its default policy, and rules for hosts whose routes ask for something else.

    The first rule that matches decides (Authelia, *Access Control*), so the longest path of a host comes first, as
    Traefik's longest rule does. Paths are matched without their host, cleaned, and with the query (Authelia 4.38,
    `utils.URLPathFullClean`); Traefik matches the same beginning of a cleaned path.
    """
    rules = list(_rules(ingress))
    control: dict[str, Any] = {"default_policy": _POLICIES[_default(ingress)]}
    control |= {"rules": rules} if rules else {}
    return yaml_text(
        {"access_control": control}, comment="Authelia's access control, rendered from the lab file."
    )


def _default(ingress: IngressPlan) -> str:
    """What a route asks for that says nothing; two factors also where that is none, and so nobody is sent here."""
    return ingress.auth_default if ingress.auth_default in _POLICIES else "two-factor"


def _rules(ingress: IngressPlan) -> Iterator[dict[str, Any]]:
    guarded = [route for route in ingress.routes if route.auth in _POLICIES]
    hosts = {route.host for route in guarded if route.auth != _default(ingress)}
    for route in sorted(guarded, key=_specific_first):
        if route.host in hosts:
            paths = {"resources": [f"^{_literal(route.path)}"]} if route.path else {}
            yield {"domain": route.host, **paths, "policy": _POLICIES[route.auth]}


def _specific_first(route: RoutePlan) -> tuple[str, int, str]:
    path = route.path or ""
    return route.host, -len(path), path


def _literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
