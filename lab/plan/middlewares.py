"""What requests pass at the ingress, and in which order.

Every request passes these, first to last:

1. `secure-headers`, so that refusals carry them too;
2. `compression`;
3. `rate-limit`, where `ingress.rate-limit` or a middleware of that name is declared;
4. `crowdsec`, where `ingress.ips.key` is declared: before anybody is asked to sign in;
5. the middlewares that its audience names;
6. the middlewares that its route names;
7. `forward-auth`, where the route asks for one factor or two: last, so that the sign-in is not asked about
   requests that are refused anyway.

1 to 5 are the same for a whole audience and belong to its entry point, 6 and 7 to the route. The first three
may be replaced by declaring a middleware of the same name.
"""

from collections.abc import Iterable

from lab.config.ingress import IngressConfig
from lab.config.middlewares import HeadersConfig, MiddlewareConfig, RateLimitConfig
from lab.flows import Protocol
from lab.names import did_you_mean
from lab.plan.containers import SECRETS
from lab.plan.draft import Draft
from lab.plan.records import (
    AllowPlan,
    BasicAuthPlan,
    CompressionPlan,
    HeadersPlan,
    InFlightPlan,
    Middleware,
    RateLimitPlan,
)

SECURE_HEADERS, COMPRESSION, RATE_LIMIT = "secure-headers", "compression", "rate-limit"
CROWDSEC, FORWARD_AUTH = "crowdsec", "forward-auth"
_REPLACEABLE = {SECURE_HEADERS: "headers", COMPRESSION: "compression", RATE_LIMIT: "rate-limit"}
"""Built-in middlewares that a declared one may take the place of, each with what that one has to be."""
_YEAR = 365 * 24 * 60 * 60
_SECURE = HeadersPlan(
    response={
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Server": "",
        "X-Powered-By": "",
    },
    hsts=_YEAR,
    frames="deny",
)


def plan_middlewares(draft: Draft, ingress: IngressConfig) -> dict[str, Middleware]:
    """Every middleware by its name: the built-in ones, and the declared ones in place of them or beside them."""
    found: dict[str, Middleware] = {SECURE_HEADERS: _SECURE, COMPRESSION: CompressionPlan()}
    if ingress.rate_limit is not None:
        found[RATE_LIMIT] = RateLimitPlan(average=ingress.rate_limit, burst=ingress.rate_limit)
    for name, declared in sorted(ingress.middlewares.items()):
        _check_name(draft, ingress, name, declared)
        found[name] = _planned(declared)
    return found


def audience_chain(
    draft: Draft, ingress: IngressConfig, audience: str, known: Iterable[str]
) -> tuple[str, ...]:
    """What every request of an audience passes, first to last."""
    known = tuple(known)
    chain = [SECURE_HEADERS, COMPRESSION]
    chain += [RATE_LIMIT] if RATE_LIMIT in known else []
    chain += [CROWDSEC] if ingress.ips is not None and ingress.ips.key is not None else []
    named = ingress.audiences[audience].middlewares
    return (*chain, *named_middlewares(draft, ingress, named, f"ingress.audiences.{audience}.middlewares"))


def named_middlewares(
    draft: Draft, ingress: IngressConfig, names: tuple[str, ...], where: str, protocol: Protocol | None = None
) -> tuple[str, ...]:
    """The names of middlewares that somebody passes besides the built-in ones; others are refused.

    Args:
        draft: the draft.
        ingress: where they are declared.
        names: what was written.
        where: where it was written.
        protocol: that of a route that is passed on unread, which can pass fewer of them; None for requests.
    """
    free = [name for name in ingress.middlewares if name not in _REPLACEABLE]
    for name in dict.fromkeys(names):
        if name in (*_REPLACEABLE, CROWDSEC, FORWARD_AUTH):
            draft.refuse(
                where,
                f"{name} is a built-in middleware, which has its own place in every chain",
                f"leave it out (docs/ingress.md); to change it, declare ingress.middlewares.{name}"
                if name in _REPLACEABLE
                else "leave it out (docs/ingress.md)",
            )
        elif name not in free:
            draft.refuse(where, f'there is no middleware "{name}"', did_you_mean(name, free))
        elif protocol is not None and not _for_connections(ingress.middlewares[name], protocol):
            draft.refuse(
                where,
                f"{name} is about requests, and a {protocol} route has none",
                "leave it out; a tcp route may pass allow and in-flight, a udp route nothing",
            )
    return tuple(name for name in dict.fromkeys(names) if name in free)


def users_files(ingress: IngressConfig) -> dict[str, str]:
    """Where the files of users lie in Traefik's container, by the name of their secret."""
    names = sorted({m.basic_auth for m in ingress.middlewares.values() if m.basic_auth is not None})
    return {name: f"{SECRETS}/{name}" for name in names}


def _for_connections(declared: MiddlewareConfig, protocol: Protocol) -> bool:
    return protocol == "tcp" and bool(declared.allow or declared.in_flight)


def _check_name(draft: Draft, ingress: IngressConfig, name: str, declared: MiddlewareConfig) -> None:
    where = f"ingress.middlewares.{name}"
    kind = next(iter(declared.model_fields_set)).replace("_", "-")
    if name in (CROWDSEC, FORWARD_AUTH):
        draft.refuse(where, f"{name} is the built-in middleware of that name", "give it another name")
    if (wanted := _REPLACEABLE.get(name, kind)) != kind:
        draft.refuse(
            where,
            f"it takes the place of the built-in {name} and does something else ({kind})",
            f"write {wanted}, or give it another name",
        )
    if name == RATE_LIMIT and ingress.rate_limit is not None:
        draft.refuse(where, "ingress.rate-limit says it already", "remove one of the two")


def _planned(declared: MiddlewareConfig) -> Middleware:
    if declared.headers is not None:
        return _headers(declared.headers)
    if declared.rate_limit is not None:
        return _rate_limit(declared.rate_limit)
    if declared.compression is not None:
        return CompressionPlan(excluded_types=declared.compression.excluded_types)
    if declared.basic_auth is not None:
        return BasicAuthPlan(users_file=f"{SECRETS}/{declared.basic_auth}")
    if declared.in_flight is not None:
        return InFlightPlan(amount=declared.in_flight)
    return AllowPlan(subnets=tuple(str(subnet) for subnet in declared.allow))


def _headers(declared: HeadersConfig) -> HeadersPlan:
    return HeadersPlan(
        response=dict(sorted(declared.response.items())),
        request=dict(sorted(declared.request.items())),
        hsts=declared.hsts,
        frames=declared.frames or "anybody",
    )


def _rate_limit(declared: RateLimitConfig) -> RateLimitPlan:
    burst = declared.average if declared.burst is None else declared.burst
    return RateLimitPlan(average=declared.average, burst=burst, seconds=declared.seconds)
