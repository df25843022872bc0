"""Questions that the program asks an API before it registers anything, and what the API says where it refuses one."""

from collections.abc import Callable
from typing import TypeVar

_SAID = "returned an error: "
"""Before this, the engine only repeats which function was called."""
_LONGEST = 300
_Answer = TypeVar("_Answer")


class Refused(Exception):
    """A question without an answer; its text is what the provider and its API said, on one line."""


def asked(question: Callable[[], _Answer]) -> _Answer:
    """The answer of a provider's function.

    Args:
        question: calls the function.

    Raises:
        Refused: it failed, for whatever reason; at most 300 characters of it.
    """
    try:
        return question()
    except Exception as error:  # The SDK raises nothing more specific for a function that fails.
        text = " ".join(str(error).rpartition(_SAID)[2].split())
        raise Refused(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") from None
