"""One API call on its way through: checked parameters, the open transaction, and what to do after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.proxmox.access.checks import Caller
from sandbox.proxmox.description import Operation
from sandbox.proxmox.guests import GuestHost
from sandbox.proxmox.tasks import Tasks
from sandbox.store import Transaction

if TYPE_CHECKING:
    from sandbox.proxmox.power import Power


@dataclass(kw_only=True)
class Call:
    """What a handler gets.

    Attributes:
        t: the transaction of this request; committed when the handler returns.
        values: all parameters, checked and typed, the ones in the path included.
        caller: who calls, and what it may do.
        after: run in order once the transaction is committed.
    """

    t: Transaction
    values: dict[str, Any]
    caller: Caller
    tasks: Tasks
    guests: GuestHost
    power: Power
    operation: Operation
    after: list[Callable[[], None]] = field(default_factory=list)

    @property
    def node(self) -> str:
        """The node in the path."""
        return str(self.values["node"])

    def parameter(self, name: str) -> Mapping[str, Any] | None:
        """The schema of a parameter of this call."""
        return self.operation.parameter(name)

    def rest(self, *names: str) -> dict[str, Any]:
        """The parameters without the named ones (usually those of the path)."""
        return {key: value for key, value in self.values.items() if key not in names}

    def finished(self, kind: str, ident: str = "", work: Callable[[list[str]], None] | None = None) -> str:
        """A task that is over when its UPID is returned; its work runs inside this transaction."""
        return self.tasks.finished(self.t, self.node, kind, ident, self.caller.who, work)

    def finished_on(self, node: str, kind: str) -> str:
        """A task of a call that is about no node, which ran on this one."""
        return self.tasks.finished(self.t, node, kind, "", self.caller.who, None)

    def worker(self, kind: str, ident: str, work: Callable[[list[str]], None]) -> str:
        """A task that runs in a worker thread once this transaction is committed; returns its UPID."""
        upid, run = self.tasks.worker(self.t, self.node, kind, ident, self.caller.who, work)
        self.after.append(run)
        return upid


Handler = Callable[[Call], Any]
Routes = Mapping[tuple[str, str], Handler]
