"""What the name server was asked, the last ten thousand queries, in memory alone."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query that could be read.

    Attributes:
        name: without its last dot, in lower case.
        type: such as `TXT`.
        client: the IP address that asked.
        time: when, in seconds since 1970.
    """

    name: str
    type: str
    client: str
    time: float


class QueryLog:
    """The last queries; used by one thread."""

    def __init__(self) -> None:
        self._queries: deque[Query] = deque(maxlen=MOST)

    def add(self, query: Query) -> None:
        """Keep a query; the oldest goes where there are too many."""
        self._queries.append(query)

    def listing(self, name: str | None = None) -> list[dict[str, Any]]:
        """The queries, the oldest first.

        Args:
            name: only those for this name, in any case, with or without its last dot.
        """
        wanted = name.lower().removesuffix(".") if name is not None else None
        return [asdict(query) for query in self._queries if wanted in (None, query.name)]
