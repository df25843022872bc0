"""What became of one create that was under way when the engine was killed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cli.recovery.state import Operation


class Outcome(StrEnum):
    """What the outside says; the value is how a report says it."""

    exists = "exists"
    incomplete = "exists, incomplete"
    absent = "never happened"
    repeated = "harmless"
    undecided = "a person decides"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One create, and what was found of it.

    Attributes:
        operation: the create.
        outcome: what became of it.
        id: the id that the provider would have answered; empty where nothing is taken over.
        note: what follows from it or, where a person decides, what is in the way and what to do.
    """

    operation: Operation
    outcome: Outcome
    id: str = ""
    note: str = ""


class Outside(Protocol):
    """One API that objects were being created at."""

    def find(self, operation: Operation) -> Finding:
        """Look up what an operation was creating.

        Raises:
            Unanswered: the API gives no answer that can be trusted.
        """
        ...


class Unanswered(Exception):
    """An outside does not answer; the text says which, where, why, and what to do."""


def found(operation: Operation, id: str) -> Finding:
    """The object is there, whole as far as a refresh and the next update can make it."""
    return Finding(operation=operation, outcome=Outcome.exists, id=id, note="goes into the state")


def incomplete(operation: Operation, id: str, why: str) -> Finding:
    """The object is there, and no refresh could tell what it lacks."""
    return Finding(
        operation=operation, outcome=Outcome.incomplete, id=id, note=f"{why}; the next up replaces it"
    )


def absent(operation: Operation) -> Finding:
    """The object is not there."""
    return Finding(operation=operation, outcome=Outcome.absent, note="the next up creates it")


def repeated(operation: Operation, why: str) -> Finding:
    """Whether it happened makes no difference: creating is a write that can be done again."""
    return Finding(operation=operation, outcome=Outcome.repeated, note=f"{why}; the next up does it again")


def undecided(operation: Operation, note: str) -> Finding:
    """Nothing is done until a person has decided."""
    return Finding(operation=operation, outcome=Outcome.undecided, note=note)


def text(inputs: Mapping[str, object], key: str) -> str:
    """A plain text of the inputs; empty where it is absent or secret."""
    value = inputs.get(key)
    return value if isinstance(value, str) else ""


def number(inputs: Mapping[str, object], key: str) -> int | None:
    """A whole number of the inputs, which the state may hold as a fraction."""
    value = inputs.get(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
