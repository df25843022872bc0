"""Traefik's static file: what it reads once, at its start."""

from collections.abc import Iterator
from typing import Any

from lab.plan.entries import PING
from lab.plan.records import CertificatePlan, EntryPointPlan, IngressPlan
from lab.render.emit import yaml_text
from lab.render.traefik.words import PLUGIN, audience_chain, entry_of, redirecting

ROUTES_MOUNT = "/run/homelab/routes"
"""Where the volume with the dynamic file is mounted in Traefik's container."""
DYNAMIC_DIRECTORY = f"{ROUTES_MOUNT}/now"
"""Where the dynamic file lies in Traefik's container."""
RESOLVER = "letsencrypt"
_AUTHORITIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_ENCODED_CHARACTERS = ("Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash")
_BOUNCER = {"moduleName": "github.com/maxlerebourg/crowdsec-bouncer-traefik-plugin", "version": "v1.7.1"}
"""Fetched from Traefik's catalogue of plugins when it starts."""


def static_configuration(ingress: IngressPlan, certificate: CertificatePlan | None = None) -> str:
    """What Traefik reads once, at its start.

    Args:
        ingress: the ingress.
        certificate: what the resolver asks for, with a DNS token, or what is in the dynamic file; without one
            Traefik serves a certificate that it signed itself.
    """
    certificate = None if certificate is None or certificate.pair is not None else certificate
    configuration: dict[str, Any] = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO"},
        "accessLog": {},
        "ping": {"entryPoint": "ping"},
        "entryPoints": dict(_entry_points(ingress, certificate)),
        "providers": {"file": {"directory": DYNAMIC_DIRECTORY, "watch": True}},
    }
    if ingress.crowdsec is not None:
        configuration["experimental"] = {"plugins": {PLUGIN: dict(_BOUNCER)}}
    if certificate is not None:
        configuration["certificatesResolvers"] = {RESOLVER: {"acme": _acme(certificate)}}
    return yaml_text(configuration, comment="Traefik's static configuration, rendered from the lab file.")


def _entry_points(
    ingress: IngressPlan, certificate: CertificatePlan | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in ingress.entry_points:
        yield entry.audience, _entry_point(ingress, entry, certificate)
        if entry.redirect is not None:
            to = {"to": entry.audience, "scheme": "https", "permanent": True}
            yield (
                redirecting(entry.audience),
                {"address": f":{entry.redirect}", "http": {"redirections": {"entryPoint": to}}},
            )
    for route in ingress.routes:
        if (own := route.own_port) is not None:
            suffix = "/udp" if own.protocol == "udp" else ""
            yield entry_of(route), {"address": f":{own.number}{suffix}"}
    yield "ping", {"address": f"127.0.0.1:{PING.number}"}


def _entry_point(
    ingress: IngressPlan, entry: EntryPointPlan, certificate: CertificatePlan | None
) -> dict[str, Any]:
    http: dict[str, Any] = {
        # Without this a visitor may send Remote_User past forward authentication (Traefik 3.7.6).
        "underscoreHeadersStrategy": "delete",
        "encodedCharacters": {f"allowEncoded{name}": False for name in _ENCODED_CHARACTERS},
        # Its content is in the dynamic file, so that a change of it replaces nothing.
        "middlewares": [f"{audience_chain(entry.audience)}@file"],
    }
    if entry.tls == "own":
        http["tls"] = {} if certificate is None else _certificate(certificate)
    found: dict[str, Any] = {"address": f":{entry.port}", "http": http}
    if entry.tls != "own" and ingress.trusted_upstreams:
        found["forwardedHeaders"] = {"trustedIPs": list(ingress.trusted_upstreams)}
    return found


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
        # Public resolvers: a split horizon would hide the challenge from its own check.
        "dnsChallenge": {"provider": certificate.dns, "resolvers": list(certificate.resolvers)},
    }
