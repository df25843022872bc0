"""The cloudflare package: its configuration, its types, and the refusal of every API but the sandbox's."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.plugins.cloudflare import api_token, dns_record, dns_records, permission_groups, zone
from sandbox.plugins.cloudflare.connection import Api, connect
from sandbox.plugins.properties import names, string
from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.values import Values, text


def refuse(configuration: Values, endpoints: Endpoints) -> Iterator[str]:
    """Why this configuration cannot be used: another address than the sandbox's, or no token."""
    base = text(configuration, "baseUrl")
    if base.rstrip("/") != endpoints.addresses.get("cloudflare", "").rstrip("/") or not base:
        yield endpoints.refusal("cloudflare", "the property baseUrl of the cloudflare provider", base)
    if not text(configuration, "apiToken"):
        yield (
            "the property apiToken of the cloudflare provider is not set, so that no request can be"
            " authorised."
            " Use the token from `.sandbox/env` (LAB_SECRET_CLOUDFLARE_TOKEN)."
        )


def package() -> Package[Api]:
    """The package as the server needs it."""
    return Package(
        name="cloudflare",
        version="6.23.1",
        configuration=(string("apiToken", secret=True), string("baseUrl")),
        unsupported=names("apiKey apiUserServiceKey email userAgentOperatorSuffix"),
        types=(dns_record.TYPE, api_token.TYPE),
        functions=(zone.FUNCTION, dns_records.FUNCTION, permission_groups.FUNCTION),
        connect=connect,
        # A lab's zone is looked up by name in every preview.
        ahead="cloudflare",
        close=Api.close,
        refuse=refuse,
        accepts_resources=True,
        diff_is_unknown=True,
    )
