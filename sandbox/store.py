"""The state of the sandbox's APIs: JSON documents in one sqlite file.

Owns atomicity: everything a request changes is written in one transaction, so a crash leaves the
state before or after it, never between. Documents are addressed by collection and key; an API puts its
own prefix in front of its collections (`pve/guests`). Whoever follows a collection is told after each commit
that wrote to it. A file of an older format is brought to the present one. Refuses values that JSON cannot carry, nested
transactions of one thread, and use of a transaction that is over. Knows nothing of any API.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError

# Each step brings a file from the format that is its index to the next one; sqlite keeps the number in the file.
# Who changes the shape of documents that a released sandbox has written adds a step. The first one makes the tables;
# files from before formats were counted have them.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE IF NOT EXISTS documents (
            collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, key)
        ) WITHOUT ROWID""",
        "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    ),
)


class StoreError(Exception):
    """The store was used in a way that would break its guarantees; the text says how."""


class StateFileError(SandboxError):
    """The file cannot be used; the text says why, and the way out."""


class Transaction:
    """Reads and writes documents; handed out by `Store.transaction` and dead after it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Wrap an open sqlite transaction; only `Store` does this."""
        self._connection: sqlite3.Connection | None = connection
        self.written: set[str] = set()
        """The collections that it has written to, or tried to."""

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        if self._connection is None:
            raise StoreError("this transaction is over; open another with store.transaction()")
        return self._connection.execute(statement, values)

    def get(self, collection: str, key: str) -> Any:
        """The document, freshly decoded, or None where there is none."""
        found = self._run("SELECT value FROM documents WHERE collection = ? AND key = ?", collection, key)
        row = found.fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, collection: str, key: str, value: Any) -> None:
        """Write a document, replacing what was there. None is no document: delete instead."""
        if value is None:
            raise StoreError(f"{collection}/{key}: None is not a document; use delete")
        try:
            text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as problem:
            raise StoreError(f"{collection}/{key}: not a JSON value: {problem}") from problem
        self.written.add(collection)
        self._run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", collection, key, text)

    def delete(self, collection: str, key: str) -> bool:
        """Remove a document; True where it existed."""
        self.written.add(collection)
        gone = self._run("DELETE FROM documents WHERE collection = ? AND key = ?", collection, key)
        return gone.rowcount > 0

    def list(self, collection: str) -> list[tuple[str, Any]]:
        """All (key, document) pairs of a collection, ordered by key."""
        found = self._run("SELECT key, value FROM documents WHERE collection = ? ORDER BY key", collection)
        rows = found.fetchall()
        # One text is decoded in half the time of many.
        documents = json.loads(f"[{','.join(value for _, value in rows)}]")
        return [(key, document) for (key, _), document in zip(rows, documents, strict=True)]

    def next_number(self, name: str) -> int:
        """The next number of a counter, from 1; never given twice once committed."""
        bump = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
        self._run(bump, name)
        (value,) = self._run("SELECT value FROM counters WHERE name = ?", name).fetchone()
        return int(value)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part that may fail alone: what it wrote is undone where it raises, the rest stays."""
        self._run("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK TO part")
            self._run("RELEASE part")
            raise
        self._run("RELEASE part")

    def _close(self) -> None:
        self._connection = None


class Store:
    """One sqlite file (0600), or memory for `:memory:`; safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the store; the folder must exist.

        Raises:
            StateFileError: the file cannot be opened, is not a store, or is of a newer format.
        """
        self._lock = threading.RLock()
        self._open = False
        self._followers: list[tuple[frozenset[str], Callable[[], None]]] = []
        self._path = str(path)
        try:
            if self._path != ":memory:":
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                self._path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # WAL with NORMAL never tears a transaction; a power cut may lose the last ones as a whole.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
        except (OSError, sqlite3.Error) as problem:
            raise StateFileError(
                f"cannot open the sandbox's state {self._path}: {problem}; `make clean` starts from nothing"
            ) from problem

    def _migrate(self) -> None:
        """Bring the file to the format of this version, in one transaction."""
        with self._exclusive() as transaction:
            (number,) = transaction._run("PRAGMA user_version").fetchone()
            if number > len(_STEPS):
                raise StateFileError(
                    f"the sandbox's state {self._path} has format {number}, and this version of the sandbox knows "
                    f"formats up to {len(_STEPS)}; start it with the version that wrote it, or start from nothing "
                    "with `make clean`"
                )
            for step in _STEPS[number:]:
                for statement in step:
                    transaction._run(statement)
            transaction._run(f"PRAGMA user_version = {len(_STEPS)}")

    def follow(self, collections: Iterable[str], tell: Callable[[], None]) -> None:
        """Have something called after each commit that wrote to one of these collections.

        Args:
            collections: which.
            tell: called by the thread that committed, before it goes on, and outside of the transaction: another
                one may have committed meanwhile, so it reads the state anew.
        """
        self._followers.append((frozenset(collections), tell))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction: committed where the block ends, rolled back where it raises."""
        with self._exclusive() as transaction:
            yield transaction
        for collections, tell in self._followers:
            if collections & transaction.written:
                tell()

    @contextmanager
    def _exclusive(self) -> Iterator[Transaction]:
        with self._lock:
            if self._open:
                raise StoreError("this thread already has a transaction open")
            self._open = True
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                transaction = Transaction(self._connection)
                try:
                    yield transaction
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                else:
                    self._connection.execute("COMMIT")
                finally:
                    transaction._close()
            finally:
                self._open = False

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
