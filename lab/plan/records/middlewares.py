"""What requests pass at the ingress, as decided: one record for each kind of middleware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class HeadersPlan:
    """Headers that are set; one with empty text is removed."""

    response: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, str] = field(default_factory=dict)
    hsts: int | None = None
    """Seconds."""
    frames: Literal["deny", "same-origin", "anybody"] = "anybody"


@dataclass(frozen=True, kw_only=True)
class RateLimitPlan:
    """How often one source address may ask."""

    average: int
    burst: int
    seconds: int = 1


@dataclass(frozen=True, kw_only=True)
class CompressionPlan:
    """Answers are compressed, but for these types."""

    excluded_types: tuple[str, ...] = ("text/event-stream",)


@dataclass(frozen=True, kw_only=True)
class AllowPlan:
    """The only source addresses that are let in."""

    subnets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BasicAuthPlan:
    """A user and a password are asked for."""

    users_file: str
    """Where the file with `USER:HASH` lines lies in Traefik's container."""


@dataclass(frozen=True, kw_only=True)
class InFlightPlan:
    """How many requests for one host name, or connections of one address, may be under way."""

    amount: int


Middleware = HeadersPlan | RateLimitPlan | CompressionPlan | AllowPlan | BasicAuthPlan | InFlightPlan
