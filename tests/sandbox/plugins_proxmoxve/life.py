"""One resource as the engine leads it: check, create, refresh, update, delete."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.check import check_resource
from sandbox.plugins.diff import Diff, diff_resource
from sandbox.plugins.plan import plan_create, refreshed_inputs, without_bookkeeping
from sandbox.plugins.proxmoxve.connection import Client
from sandbox.plugins.proxmoxve.provider import package
from sandbox.plugins.values import Value, Values


class Life:
    """A resource and what the engine would keep of it."""

    def __init__(self, client: Client, token: str, inputs: Values) -> None:
        """Check and create it; the preview must not fail before."""
        self._client = client
        self._kind = package().by_token[f"proxmoxve:{token}"]
        self.inputs: Values = {}
        self.state: Values = {}
        self.inputs = self.check(inputs)
        plan_create(self._kind, self.inputs)
        created = self._kind.calls.create(client, self._known(self.inputs))
        self.id, self.state = created.id, created.state

    @staticmethod
    def _known(inputs: Values) -> Values:
        plain = without_bookkeeping(inputs)
        assert isinstance(plain, dict)
        return plain

    def check(self, inputs: Values) -> Values:
        """The checked inputs; none of them may be refused."""
        checked = check_resource(
            self._kind, inputs, olds=self.inputs, name="rec", generated_name="rec-1234567"
        )
        assert checked.reasons == ()
        return checked.inputs

    def diff(self, inputs: Values, *ignored: str) -> Diff:
        """What would change."""
        return diff_resource(self._kind, self.state, self.check(inputs), ignored)

    def update(self, inputs: Values) -> Values:
        """Update in place."""
        self.inputs = self.check(inputs)
        self.state = self._kind.calls.update(self._client, self.id, self.state, self._known(self.inputs))
        return self.state

    def refresh(self) -> bool:
        """Read again; False where it is gone."""
        found = self._kind.calls.read(self._client, self.id, self.state)
        if found is None:
            return False
        self.id, self.state = found.id, found.state
        self.inputs = refreshed_inputs(self._kind, self.inputs, self.state)
        return True

    def imported(self, id: str) -> Values | None:
        """What an import by this id finds."""
        found: Any = self._kind.calls.read(self._client, id, {})
        return None if found is None else found.state

    def delete(self) -> None:
        """Delete it."""
        self._kind.calls.delete(self._client, self.id, self.state)


def unchanged(life: Life, inputs: Values, *ignored: str) -> None:
    """Nothing would change, before and after a refresh, and an update with the same inputs does nothing."""
    assert life.diff(inputs, *ignored).changed == ()
    assert life.refresh()
    assert life.diff(inputs, *ignored).changed == ()


def at(state: Value, *steps: str | int) -> Any:
    """The value at a path."""
    found: Any = state
    for step in steps:
        found = found[step]
    return found
