"""The tailscale package: its configuration, its types, and the refusal of every API but the sandbox's."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.plugins.properties import names, string
from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.tailscale import acl, dns_split_nameservers, tailnet_key
from sandbox.plugins.tailscale.connection import Api, connect
from sandbox.plugins.values import Values, text

VERSION = "0.29.2"
USER_AGENT = f"Pulumi/3.0 (https://www.pulumi.com) pulumi-tailscale/{VERSION}"


def refuse(configuration: Values, endpoints: Endpoints) -> Iterator[str]:
    """Why this configuration cannot be used: another address than the sandbox's, or no key."""
    base = text(configuration, "baseUrl")
    if base.rstrip("/") != endpoints.addresses.get("tailscale", "").rstrip("/") or not base:
        yield endpoints.refusal("tailscale", "the property baseUrl of the tailscale provider", base)
    if not text(configuration, "apiKey"):
        yield (
            "the property apiKey of the tailscale provider is not set, so that no request can be"
            " authorised. Use the"
            " key from `.sandbox/env` (LAB_SECRET_TAILSCALE_KEY)."
        )


def package() -> Package[Api]:
    """The package as the server needs it."""
    return Package(
        name="tailscale",
        version=VERSION,
        configuration=(
            string("apiKey", secret=True),
            string("baseUrl"),
            string("tailnet"),
            string("userAgent", default=USER_AGENT),
        ),
        unsupported=names(
            "audience identityToken identityTokenEnvironmentVariableName oauthClientId"
            " oauthClientSecret scopes"
        ),
        types=(acl.TYPE, dns_split_nameservers.TYPE, tailnet_key.TYPE),
        functions=(acl.IN_FORCE,),
        connect=connect,
        close=Api.close,
        refuse=refuse,
        accepts_resources=True,
        diff_is_unknown=True,
    )
