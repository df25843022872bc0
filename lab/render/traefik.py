"""Traefik's files: everything it knows comes from here, and nothing from a Docker socket.

The static file names entry points, one for each audience, and where the dynamic file
lies; Traefik reads it once, so a change replaces the container. The dynamic file holds
routers, services and middlewares; Traefik watches it, so adding a route restarts
nothing (Traefik 3, file provider).
"""

from typing import Any

from lab.plan.records import CertificatePlan, IngressPlan, RoutePlan
from lab.render.emit import yaml_text

DYNAMIC_DIRECTORY = "/run/homelab/routes"
"""Where the dynamic file lies in Traefik's container."""
PING_PORT = 8082
RESOLVER = "letsencrypt"
_AUTHORITIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_ENCODED_CHARACTERS = ("Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash")
_HEADERS = {
    "stsSeconds": 31536000,
    "contentTypeNosniff": True,
    "frameDeny": True,
    "referrerPolicy": "same-origin",
    "customResponseHeaders": {"Server": "", "X-Powered-By": ""},
}
_AUTH_HEADERS = {
    "authelia": ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"],
    "authentik": ["X-authentik-username", "X-authentik-groups", "X-authentik-email", "X-authentik-name"],
}


def static_configuration(ingress: IngressPlan, certificate: CertificatePlan | None = None) -> str:
    """What Traefik reads once, at its start.

    Args:
        ingress: the ingress.
        certificate: what the resolver asks for, with a DNS token; without it Traefik serves
            a certificate that it signed itself.
    """
    configuration: dict[str, Any] = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO"},
        "accessLog": {},
        "ping": {"entryPoint": "ping"},
        "entryPoints": {
            **{e.audience: _entry_point(ingress, e.port, certificate) for e in ingress.entry_points},
            "ping": {"address": f"127.0.0.1:{PING_PORT}"},
        },
        "providers": {"file": {"directory": DYNAMIC_DIRECTORY, "watch": True}},
    }
    if certificate is not None:
        configuration["certificatesResolvers"] = {RESOLVER: {"acme": _acme(certificate)}}
    return yaml_text(configuration, comment="Traefik's static configuration, rendered from the lab file.")


def _entry_point(ingress: IngressPlan, port: int, certificate: CertificatePlan | None) -> dict[str, Any]:
    http: dict[str, Any] = {
        # Without this a visitor may send Remote_User past forward authentication (Traefik 3.7.6).
        "underscoreHeadersStrategy": "delete",
        "encodedCharacters": {f"allowEncoded{name}": False for name in _ENCODED_CHARACTERS},
    }
    if ingress.tls == "own":
        http["tls"] = {} if certificate is None else _certificate(certificate)
    entry: dict[str, Any] = {"address": f":{port}", "http": http}
    if ingress.trusted_upstreams:
        entry["forwardedHeaders"] = {"trustedIPs": list(ingress.trusted_upstreams)}
    return entry


def _certificate(certificate: CertificatePlan) -> dict[str, Any]:
    main, *others = certificate.names
    return {
        "certResolver": RESOLVER,
        "domains": [{"main": main, "sans": others}] if others else [{"main": main}],
    }


def _acme(certificate: CertificatePlan) -> dict[str, Any]:
    return {
        "email": certificate.email,
        "storage": "/acme/acme.json",
        "caServer": _AUTHORITIES[certificate.ca],
        "keyType": "EC256",
        "dnsChallenge": {"provider": certificate.dns, "resolvers": list(certificate.resolvers)},
    }


def dynamic_configuration(ingress: IngressPlan) -> str:
    """What Traefik watches: one router and one service for each route."""
    routers: dict[str, Any] = {}
    services: dict[str, Any] = {}
    for route in ingress.routes:
        routers[route.name] = {
            "rule": _rule(route),
            "entryPoints": list(route.audiences),
            "middlewares": _chain(ingress, route),
            "service": route.name,
        }
        services[route.name] = {"loadBalancer": {"servers": [{"url": route.url}]}}
    configuration: dict[str, Any] = {
        "http": {"routers": routers, "services": services, "middlewares": _middlewares(ingress)}
    }
    if ingress.tls == "own":
        configuration["tls"] = {"options": {"default": {"minVersion": "VersionTLS12"}}}
    if not routers:
        configuration["http"] = {"middlewares": _middlewares(ingress)}
    return yaml_text(configuration, comment="Traefik's dynamic configuration, rendered from the lab file.")


def _rule(route: RoutePlan) -> str:
    rule = f"Host(`{route.host}`)"
    return f"{rule} && PathPrefix(`{route.path}`)" if route.path else rule


def _chain(ingress: IngressPlan, route: RoutePlan) -> list[str]:
    chain = ["secure-headers"]
    if ingress.rate_limit:
        chain.append("rate-limit")
    if ingress.auth_url and route.auth in ("one-factor", "two-factor"):
        chain.append("forward-auth")
    return chain


def _middlewares(ingress: IngressPlan) -> dict[str, Any]:
    middlewares: dict[str, Any] = {"secure-headers": {"headers": dict(_HEADERS)}}
    if ingress.rate_limit:
        middlewares["rate-limit"] = {
            "rateLimit": {"average": ingress.rate_limit, "burst": ingress.rate_limit}
        }
    if ingress.auth_url and ingress.auth_kind:
        middlewares["forward-auth"] = {
            "forwardAuth": {
                "address": ingress.auth_url,
                "trustForwardHeader": False,
                "maxResponseBodySize": 65536,
                "authResponseHeaders": list(_AUTH_HEADERS[ingress.auth_kind]),
            }
        }
    return middlewares
