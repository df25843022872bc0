"""Middlewares in Traefik's words.

A middleware that looks at the visitor's address is rendered twice where somebody in front
of the ingress names that address: once for connections that visitors open themselves, and
once, under a name of its own, for those whose address stands in X-Forwarded-For (Traefik
`ipStrategy.excludedIPs`: the last address there that is none of the trusted ones).
"""

from collections.abc import Iterable
from typing import Any, assert_never

from lab.plan.middlewares import CROWDSEC, FORWARD_AUTH
from lab.plan.records import (
    AllowPlan,
    BasicAuthPlan,
    CompressionPlan,
    CrowdsecPlan,
    HeadersPlan,
    InFlightPlan,
    IngressPlan,
    Middleware,
    RateLimitPlan,
    RoutePlan,
)
from lab.render.traefik.words import PLUGIN, audience_chain, forwarded

_AUTH_HEADERS = {
    "authelia": ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"],
    "authentik": [
        "X-authentik-username",
        "X-authentik-groups",
        "X-authentik-entitlements",
        "X-authentik-email",
        "X-authentik-name",
        "X-authentik-uid",
    ],
}
_DISTRUST = "only_the_address"
_PASSED_ALONG = ("X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Uri")
"""What a visitor may write himself and a terminator passes along: believed, it would name another request to the
sign-in than the one that is made."""
_UNNAMED = "only_the_sign_in"
"""Takes a visitor's own name for himself away, everywhere: a service that believes the sign-in's word on one route
believes it on a route that asks for nothing too."""
_LARGEST_ANSWER = 65536
"""Bytes of an answer about a visitor that are read."""


def request_middlewares(ingress: IngressPlan) -> dict[str, Any]:
    """Every middleware of requests: named and built-in ones, and one chain for each audience."""
    behind = [entry for entry in ingress.entry_points if entry.tls != "own"]
    found: dict[str, Any] = {}
    for name, middleware in ingress.middlewares.items():
        found[name] = _request(middleware, ())
        if behind and _looks_at_the_address(middleware):
            found[forwarded(name)] = _request(middleware, ingress.trusted_upstreams)
    if ingress.crowdsec is not None:
        found[CROWDSEC] = {"plugin": {PLUGIN: _bouncer(ingress, ingress.crowdsec)}}
    if ingress.auth_url is not None and ingress.auth_kind is not None:
        found[FORWARD_AUTH] = _forward_auth(ingress.auth_url, ingress.auth_kind, trusting=False)
        if behind:
            found[forwarded(FORWARD_AUTH)] = _forward_auth(ingress.auth_url, ingress.auth_kind, trusting=True)
    if behind:
        found[_DISTRUST] = _without(_PASSED_ALONG)
    if ingress.auth_kind is not None:
        found[_UNNAMED] = _without(_AUTH_HEADERS[ingress.auth_kind])
    for entry in ingress.entry_points:
        chain = [_DISTRUST] if entry in behind else []
        chain += [_UNNAMED] if _UNNAMED in found else []
        chain += [known_as(ingress, name, entry in behind) for name in entry.middlewares]
        found[audience_chain(entry.audience)] = {"chain": {"middlewares": chain}}
    return found


def known_as(ingress: IngressPlan, name: str, behind: bool) -> str:
    """The name of a middleware at an entry point, which may be behind somebody who names the visitor's address."""
    middleware = ingress.middlewares.get(name)
    differs = name == FORWARD_AUTH or (middleware is not None and _looks_at_the_address(middleware))
    return forwarded(name) if behind and differs else name


def connection_middlewares(ingress: IngressPlan, routes: Iterable[RoutePlan]) -> dict[str, Any]:
    """The middlewares of connections that some route names."""
    named = {name: ingress.middlewares[name] for route in routes for name in route.middlewares}
    return {
        name: _connection(middleware)
        for name, middleware in sorted(named.items())
        if isinstance(middleware, AllowPlan | InFlightPlan)
    }


def _looks_at_the_address(middleware: Middleware) -> bool:
    return isinstance(middleware, AllowPlan | RateLimitPlan)


def _request(middleware: Middleware, trusted: tuple[str, ...]) -> dict[str, Any]:
    strategy = {"ipStrategy": {"excludedIPs": list(trusted)}} if trusted else {}
    match middleware:
        case HeadersPlan():
            return {"headers": _headers(middleware)}
        case RateLimitPlan():
            limit = {
                "average": middleware.average,
                "burst": middleware.burst,
                "period": f"{middleware.seconds}s",
            }
            return {"rateLimit": limit | ({"sourceCriterion": strategy} if strategy else {})}
        case CompressionPlan():
            return {"compress": {"excludedContentTypes": list(middleware.excluded_types)}}
        case AllowPlan():
            return {"ipAllowList": {"sourceRange": list(middleware.subnets), **strategy}}
        case BasicAuthPlan():
            # The password is for the ingress and not for the service behind it.
            return {"basicAuth": {"usersFile": middleware.users_file, "removeHeader": True}}
        case InFlightPlan():
            return {"inFlightReq": {"amount": middleware.amount}}
        case _:
            assert_never(middleware)


def _connection(middleware: AllowPlan | InFlightPlan) -> dict[str, Any]:
    if isinstance(middleware, AllowPlan):
        return {"ipAllowList": {"sourceRange": list(middleware.subnets)}}
    return {"inFlightConn": {"amount": middleware.amount}}


def _headers(headers: HeadersPlan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if headers.hsts is not None:
        found["stsSeconds"] = headers.hsts
    if headers.frames == "deny":
        found["frameDeny"] = True
    elif headers.frames == "same-origin":
        found["customFrameOptionsValue"] = "SAMEORIGIN"
    if headers.response:
        found["customResponseHeaders"] = dict(headers.response)
    if headers.request:
        found["customRequestHeaders"] = dict(headers.request)
    return found


def _forward_auth(address: str, kind: str, *, trusting: bool) -> dict[str, Any]:
    return {
        "forwardAuth": {
            "address": address,
            "trustForwardHeader": trusting,
            "maxResponseBodySize": _LARGEST_ANSWER,
            "authResponseHeaders": list(_AUTH_HEADERS[kind]),
        }
    }


def _without(headers: Iterable[str]) -> dict[str, Any]:
    return {"headers": {"customRequestHeaders": dict.fromkeys(headers, "")}}


def _bouncer(ingress: IngressPlan, crowdsec: CrowdsecPlan) -> dict[str, Any]:
    """Its own keys (crowdsec-bouncer-traefik-plugin): verdicts are fetched every minute, so none is waited for."""
    return {
        "enabled": True,
        "crowdsecMode": "stream",
        "crowdsecLapiScheme": "http",
        "crowdsecLapiHost": crowdsec.address,
        "crowdsecLapiKeyFile": crowdsec.key_file,
        "forwardedHeadersTrustedIPs": list(ingress.trusted_upstreams),
    }
