"""Middlewares: what a request passes before a service sees it."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lab.config.strict import Part
from lab.config.values import Name, Subnet

KINDS = ("headers", "rate-limit", "compression", "allow", "basic-auth", "in-flight")
"""What a middleware may do: one of these."""


class HeadersConfig(Part):
    """Headers that are set; one with empty text is removed. What `secure-headers` sets on answers stays as it is."""

    response: dict[str, str] = {}
    """On answers: `X-Robots-Tag: none`."""
    request: dict[str, str] = {}
    """On requests, before the service sees them."""
    hsts: int | None = Field(default=None, ge=0)
    """Seconds for which a browser remembers to come by HTTPS only (Strict-Transport-Security)."""
    frames: Literal["deny", "same-origin", "anybody"] | None = None
    """Whose pages may show this one in a frame: `deny`, `same-origin` or `anybody`."""


class RateLimitConfig(Part):
    """How many requests one source address may make; more are answered with 429."""

    average: int = Field(ge=1)
    """Requests in each period, on average."""
    burst: int | None = Field(default=None, ge=1)
    """How many may come at once; as many as `average` when not given."""
    seconds: int = Field(default=1, ge=1)
    """The length of a period."""


class CompressionConfig(Part):
    """Answers are compressed for those who accept it."""

    excluded_types: tuple[str, ...] = ("text/event-stream",)
    """Content types that are left alone; those of streams would wait for their own end."""


def _rate(value: object) -> object:
    return {"average": value} if isinstance(value, int) else value


class MiddlewareConfig(Part):
    """One step that requests pass: just one of these keys."""

    headers: HeadersConfig | None = None
    """Sets and removes headers."""
    rate_limit: Annotated[RateLimitConfig | None, BeforeValidator(_rate)] = None
    """Limits how often one source address may ask: a number of requests a second, or its parts."""
    compression: CompressionConfig | None = None
    """Compresses answers."""
    allow: tuple[Subnet, ...] = ()
    """Lets in only these source addresses and subnets; docs/ingress.md says what an address proves."""
    basic_auth: Name | None = None
    """Asks for a user and a password: the secret that holds the lines `USER:HASH` (htpasswd, bcrypt)."""
    in_flight: int | None = Field(default=None, ge=1)
    """How many requests for one host name may be under way at a time; more are answered with 429."""

    @model_validator(mode="after")
    def _one_thing(self) -> "MiddlewareConfig":
        if len(self.model_fields_set) != 1:
            given = " and ".join(sorted(n.replace("_", "-") for n in self.model_fields_set)) or "nothing"
            raise ValueError(
                f"it says {given}; a middleware is one of {', '.join(KINDS)}, so write one of them each"
            )
        if self.model_fields_set == {"allow"} and not self.allow:
            raise ValueError("it lets nobody in; write at least one address, or remove it")
        if self.model_fields_set == {"basic_auth"} and self.basic_auth is None:
            raise ValueError(
                "nothing says who may sign in; write the name of the secret that holds USER:HASH lines"
            )
        return self
