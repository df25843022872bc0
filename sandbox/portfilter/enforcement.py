"""The rules of this kernel follow the Proxmox API: after each change, before the caller has its answer.

When the kernel refuses rules, the earlier ones stay, the log and `status` say so, and no guest starts until newer
ones are in force.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from sandbox.errors import SandboxError
from sandbox.portfilter.model import Filters
from sandbox.portfilter.nft import rules_text
from sandbox.portfilter.reading import COLLECTIONS, read_filters
from sandbox.portfilter.report import report
from sandbox.store import Store

_LOG = logging.getLogger(__name__)


class Enforcement:
    """Keeps what the API holds in force.

    Args:
        store: where the API keeps its state.
        put: puts rules between the ports of the fabric (`Fabric.filter`).
    """

    def __init__(self, store: Store, put: Callable[[str], None]) -> None:
        self._store = store
        self._put = put
        self._lock = threading.Lock()
        self._in_force: Filters | None = None
        self._problem: str | None = None

    def start(self) -> None:
        """Put what the API holds now in force, and follow it from now on.

        Raises:
            SandboxError: it cannot be in force; the sandbox must not run without it.
        """
        self._store.follow(COLLECTIONS, self.apply)
        with self._lock:
            self._apply()

    def apply(self) -> None:
        """Put what the API holds now in force, unless it is; a problem is in `listing` and in the log."""
        with self._lock:
            try:
                self._apply()
            except SandboxError as error:
                self._problem = str(error)
                _LOG.error("the Proxmox firewall is not in force as configured: %s", error)

    def _apply(self) -> None:
        with self._store.transaction() as t:
            filters = read_filters(t)
        if filters == self._in_force and self._problem is None:
            return
        self._put(rules_text(filters))
        known = self._in_force.ignored if self._in_force else ()
        for sentence in filters.ignored:
            if sentence not in known:
                _LOG.warning("Proxmox firewall: %s", sentence)
        self._in_force, self._problem = filters, None

    def listing(self) -> dict[str, Any]:
        """What is filtered, as `status --format json` shows it; what was not in force is tried again."""
        if self._problem is not None:
            self.apply()
        filters = self._in_force or Filters()
        return report(
            self._problem,
            enabled=filters.enabled,
            ports=[port.port for port in filters.ports if port.guest is not None],
            ignored=filters.ignored,
        )
