"""Tokens as the lab mints them: what the component registers, made by the stand-in plugin at the sandbox's API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulumi_cloudflare

import components as c
from sandbox.cloudflare.zones import zone_document
from sandbox.plugins.cloudflare.api_token import TYPE
from sandbox.plugins.cloudflare.connection import Api, connect
from sandbox.plugins.resource import Endpoints
from sandbox.plugins.values import Values, text
from tests.components import records as r
from tests.ingress.internet import MAKER, Internet
from tests.support.engine import record

_ZONE = r.MINTED.zones[0]


def _registered(zone: str) -> Values:
    """The inputs of the token of a certificate, in a zone of that name."""

    def program() -> None:
        maker = pulumi_cloudflare.Provider("maker", api_token=MAKER)
        c.WildcardCert("certificate", c.WildcardCertArgs(certificate=r.MINTED, maker=maker))

    inputs: dict[str, Any] = dict(record(program).one("ApiToken").inputs)
    (policy,) = inputs["policies"]
    named = policy["resources"].replace(f"id-of-{_ZONE}", zone_document(zone)["id"])
    return {**inputs, "policies": [{**policy, "resources": named}]}


class Mint:
    """The credential that makes tokens, at one API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def make(self, zone: str) -> tuple[str, str]:
        """A token for the challenges of a zone: its id and its value."""
        made = TYPE.calls.create(self._api, _registered(zone))
        return made.id, text(made.state, "value")

    def revoke(self, id: str) -> None:
        """The end of a token."""
        TYPE.calls.delete(self._api, id, {})


@contextmanager
def mint(there: Internet) -> Iterator[Mint]:
    """The credential while the block runs."""
    endpoints = Endpoints(addresses={"cloudflare": there.cloudflare}, file="")
    api = connect({"apiToken": MAKER, "baseUrl": there.cloudflare}, endpoints)
    try:
        yield Mint(api)
    finally:
        api.close()
