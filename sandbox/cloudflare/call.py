"""A request inside its transaction: who sends it, what its path names, and its body."""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.bodies import BodyError, read_json
from sandbox.cloudflare import zones as zone_store
from sandbox.cloudflare.errors import ApiError, missing_record, no_route
from sandbox.cloudflare.records import Record
from sandbox.cloudflare.rights import USER, Bearer, zone_resource
from sandbox.store import Transaction

PREFIX = "/client/v4"
BEARER = web.RequestKey("bearer", Bearer)
"""Where a request carries who sends it."""
_HEX = re.compile(r"^[0-9a-f]{32}$")


class Call:
    """A request inside its transaction."""

    def __init__(self, request: web.Request, transaction: Transaction, text: str) -> None:
        """Wrap a request whose body was read."""
        self.transaction = transaction
        self.bearer = request[BEARER]
        self.query = request.query
        self.match = request.match_info
        self._text = text
        for name in ("zone", "record", "token"):
            if not _HEX.match(self.match.get(name, "0" * 32)):
                raise no_route(request.path.removeprefix(PREFIX))

    def demand(self, rights: frozenset[str], refusal: Callable[[], ApiError]) -> None:
        """Refuse a call for which the bearer has none of these permission groups; without any, all may call.

        What a zone is asked for is a right on that zone, everything else a right of the token's owner.
        """
        resource = zone_resource(self.zone["id"]) if "zone" in self.match else USER
        if rights and not self.bearer.may(rights, resource):
            raise refusal()

    def body(self) -> dict[str, Any]:
        """The JSON object of the request; refused (400) when it is none."""
        found = read_json(self._text)
        if not isinstance(found, dict):
            raise BodyError("it is not an object")
        return found

    @property
    def zone(self) -> dict[str, Any]:
        """The zone of the path."""
        return zone_store.need_zone(self.transaction, self.match["zone"])

    @property
    def collection(self) -> str:
        """The store collection of the records of this zone."""
        return zone_store.records_collection(self.zone["id"])

    def records(self) -> list[Record]:
        """All records of the zone."""
        return [record for _, record in self.transaction.list(self.collection)]

    def record(self) -> Record:
        """The record of the path, or 404."""
        found: Record | None = self.transaction.get(self.collection, self.match["record"])
        if found is None:
            raise missing_record()
        return found


Result = tuple[Any, dict[str, Any]]
"""The envelope's `result`, and what the envelope has beside it."""
Handler = Callable[[Call], Result]
