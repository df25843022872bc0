"""What one simulated engine remembers, as documents of the sandbox's store.

Every engine has collections of its own, named after it, so that all guests share one store file.
Addresses in use and host ports are kept apart from the containers: a start then reads a few small
documents and not every container. Nothing here knows HTTP.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.store import Transaction

Document = dict[str, Any]
NEVER = "0001-01-01T00:00:00Z"


def now() -> str:
    """The present moment in the engine's notation (UTC, nanosecond field)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def digest_of(*parts: str) -> str:
    """64 hex digits that depend on the parts alone, for ids that must not change from run to run."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Records:
    """The documents of one collection inside one transaction."""

    def __init__(self, transaction: Transaction, collection: str) -> None:
        """Wrap an open transaction."""
        self._transaction = transaction
        self._collection = collection

    def get(self, key: str) -> Document | None:
        """The document, or None."""
        found: Document | None = self._transaction.get(self._collection, key)
        return found

    def put(self, key: str, value: Document) -> None:
        """Write a document."""
        self._transaction.put(self._collection, key, value)

    def delete(self, key: str) -> None:
        """Remove a document; no complaint when it is not there."""
        self._transaction.delete(self._collection, key)

    def items(self) -> list[tuple[str, Document]]:
        """All keys with their documents, by key."""
        return self._transaction.list(self._collection)

    def all(self) -> list[Document]:
        """All documents, by key."""
        return [document for _, document in self.items()]


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """The collections of the engine `name` inside one transaction."""

    transaction: Transaction
    name: str

    def _records(self, kind: str) -> Records:
        return Records(self.transaction, f"docker/{self.name}/{kind}")

    @property
    def networks(self) -> Records:
        """Network id -> its inspect document and `explicit`: whether its subnet was asked for."""
        return self._records("networks")

    @property
    def containers(self) -> Records:
        """Container id -> its inspect document."""
        return self._records("containers")

    @property
    def names(self) -> Records:
        """Container name without slash -> `{"id": ...}`."""
        return self._records("names")

    @property
    def images(self) -> Records:
        """Image id -> its inspect document."""
        return self._records("images")

    @property
    def volumes(self) -> Records:
        """Volume name -> its inspect document."""
        return self._records("volumes")

    @property
    def ports(self) -> Records:
        """`protocol/address/port` -> `{"container": id}` of published ports in use."""
        return self._records("ports")

    def endpoints(self, network_id: str) -> Records:
        """Endpoint id -> `{container, name, address, mac}` of the live endpoints of a network."""
        return self._records(f"endpoints/{network_id}")

    def files(self, owner: str) -> Records:
        """Path -> file entry, of `container:<id>` or `volume:<name>`."""
        return self._records(f"files/{owner}")
