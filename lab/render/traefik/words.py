"""Names that Traefik's two files share. Those made here hold an underscore, which no name of a lab file does."""

from lab.plan.records import RoutePlan

PLUGIN = "crowdsec"
"""The bouncer, as the static file names it."""


def audience_chain(audience: str) -> str:
    """The middleware that stands for everything that an audience's requests pass."""
    return f"audience_{audience}"


def redirecting(audience: str) -> str:
    """The entry point that sends plain HTTP to an audience's own."""
    return f"{audience}_http"


def entry_of(route: RoutePlan) -> str:
    """The entry point that is one route's alone."""
    return f"{route.name}_{route.protocol}"


def forwarded(name: str) -> str:
    """What stands for a router or middleware where somebody in front names the visitor's address."""
    return f"{name}_forwarded"
