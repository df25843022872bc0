"""Traefik's dynamic file: routers, services and middlewares, which it watches."""

from collections.abc import Iterator
from typing import Any

from lab.plan.containers import SECRETS
from lab.plan.middlewares import FORWARD_AUTH
from lab.plan.records import CertificatePlan, IngressPlan, RoutePlan, TargetTlsPlan
from lab.render.emit import yaml_text
from lab.render.traefik.middlewares import connection_middlewares, known_as, request_middlewares
from lab.render.traefik.words import entry_of, forwarded

_OUTPOST = "/outpost.goauthentik.io/"
"""Where Authentik's outpost answers below every host that it guards (its own documentation)."""
_OUTPOST_PRIORITY = 100_000
"""Above that of every path of a route: Traefik's default is the length of the rule."""
_Section = dict[str, dict[str, Any]]
"""Routers, services and what else there is, by kind and name."""


def dynamic_configuration(ingress: IngressPlan, certificate: CertificatePlan | None = None) -> str:
    """What Traefik watches: routers, services and middlewares of all routes, and how TLS is spoken.

    Args:
        ingress: the ingress.
        certificate: what the static file asks for, or a pair that is shown; without one Traefik serves a certificate
            that it signed itself, and which covers no name, so unknown ones cannot be refused.
    """
    configuration: dict[str, Any] = {
        "http": _http(ingress),
        "tcp": _connections(ingress, "tcp"),
        "udp": _connections(ingress, "udp"),
    }
    if ingress.ends_tls:
        strict = ingress.refuses_unknown_names and certificate is not None
        options = {"minVersion": f"VersionTLS{ingress.tls_minimum.replace('.', '')}", "sniStrict": strict}
        configuration["tls"] = {"options": {"default": options}, **_shown(certificate)}
    # Traefik refuses empty sections.
    configuration = {kind: section for kind, section in configuration.items() if section}
    return yaml_text(configuration, comment="Traefik's dynamic configuration, rendered from the lab file.")


def _shown(certificate: CertificatePlan | None) -> dict[str, Any]:
    if certificate is None or certificate.pair is None:
        return {}
    files = {"certFile": certificate.pair.certificate, "keyFile": certificate.pair.key}
    return {"certificates": [{kind: f"{SECRETS}/{secret.name}" for kind, secret in files.items()}]}


def _http(ingress: IngressPlan) -> _Section:
    routes = [route for route in ingress.routes if route.protocol == "http"]
    section: _Section = {
        "routers": {name: router for route in routes for name, router in _routers(ingress, route)},
        "services": {route.name: {"loadBalancer": _load_balancer(route)} for route in routes},
        "serversTransports": {
            route.name: transport
            for route in routes
            if route.target_tls is not None and (transport := _transport(route.target_tls))
        },
        "middlewares": request_middlewares(ingress),
    }
    if ingress.auth_kind == "authentik" and ingress.auth_url is not None:
        section["routers"] |= dict(_outposts(ingress, routes))
        url = ingress.auth_url.partition(_OUTPOST)[0]
        section["services"]["authentik_outpost"] = {"loadBalancer": {"servers": [{"url": url}]}}
    return {kind: parts for kind, parts in section.items() if parts}


def _routers(ingress: IngressPlan, route: RoutePlan) -> Iterator[tuple[str, dict[str, Any]]]:
    """One router; where some of its audiences come by way of a terminator or tunnel, one for each kind."""
    for behind in (False, True):
        entry_points = [a for a in route.audiences if _is_behind(ingress, a) is behind]
        if entry_points:
            names = [*route.middlewares, *([FORWARD_AUTH] if _asks(ingress, route) else [])]
            middlewares = [known_as(ingress, name, behind) for name in names]
            router: dict[str, Any] = {"rule": _rule(route), "entryPoints": entry_points}
            # Traefik refuses an empty list.
            router |= {"middlewares": middlewares} if middlewares else {}
            name = forwarded(route.name) if behind else route.name
            yield name, {**router, "service": route.name}


def _is_behind(ingress: IngressPlan, audience: str) -> bool:
    entry = ingress.entry_point(audience)
    return entry is not None and entry.tls != "own"


def _rule(route: RoutePlan) -> str:
    rule = f"Host(`{route.host}`)"
    return f"{rule} && PathPrefix(`{route.path}`)" if route.path else rule


def _asks(ingress: IngressPlan, route: RoutePlan) -> bool:
    return ingress.auth_url is not None and route.auth != "none"


def _outposts(ingress: IngressPlan, routes: list[RoutePlan]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Below each guarded host, where Authentik sends a visitor back to; nobody is asked to sign in there."""
    audiences: dict[str, dict[str, None]] = {}
    names: dict[str, str] = {}
    for route in routes:
        if _asks(ingress, route):
            names.setdefault(route.host, route.name)
            audiences.setdefault(route.host, {}).update(dict.fromkeys(route.audiences))
    for host, name in names.items():
        yield (
            f"{name}_outpost",
            {
                "rule": f"Host(`{host}`) && PathPrefix(`{_OUTPOST}`)",
                "entryPoints": list(audiences[host]),
                "priority": _OUTPOST_PRIORITY,
                "service": "authentik_outpost",
            },
        )


def _load_balancer(route: RoutePlan) -> dict[str, Any]:
    balancer: dict[str, Any] = {"servers": [{"url": route.url}]}
    if route.target_tls is not None and _transport(route.target_tls):
        balancer["serversTransport"] = route.name
    return balancer


def _transport(tls: TargetTlsPlan) -> dict[str, Any]:
    """How a target's certificate is checked; empty where Traefik's own default is meant, the public authorities."""
    if not tls.verify:
        return {"insecureSkipVerify": True}
    transport: dict[str, Any] = {} if tls.ca is None else {"rootCAs": [f"{SECRETS}/{tls.ca.name}"]}
    return transport | ({} if tls.server_name is None else {"serverName": tls.server_name})


def _connections(ingress: IngressPlan, protocol: str) -> _Section:
    """Routers and services of what is passed on unread."""
    routes = [route for route in ingress.routes if route.protocol == protocol]
    section: _Section = {
        "routers": {route.name: _connection_router(route) for route in routes},
        "services": {route.name: {"loadBalancer": {"servers": [{"address": route.url}]}} for route in routes},
        "middlewares": connection_middlewares(ingress, routes) if protocol == "tcp" else {},
    }
    return {kind: parts for kind, parts in section.items() if parts}


def _connection_router(route: RoutePlan) -> dict[str, Any]:
    router: dict[str, Any] = {
        "entryPoints": list(route.audiences) if route.passthrough else [entry_of(route)],
        "service": route.name,
    }
    if route.protocol == "tcp":
        router["rule"] = f"HostSNI(`{route.host if route.passthrough else '*'}`)"
        router |= {"tls": {"passthrough": True}} if route.passthrough else {}
        router |= {"middlewares": list(route.middlewares)} if route.middlewares else {}
    return router
