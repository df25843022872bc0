"""Lines of progress for work that takes longer than a person waits unsure.

One line at the start, one about every ten seconds, one at the end, all on
standard error: standard output belongs to what a command answers. No cursor
movement, so that a log file reads the same as a terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

INTERVAL = 10.0
"""Seconds between two lines of one piece of work."""


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """The lines of one piece of work, named ``subject`` in each of them."""

    def __init__(self, subject: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._subject = subject
        self._clock = clock
        self._begin = clock()
        self._next = self._begin + INTERVAL

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self._begin

    @property
    def until_next(self) -> float:
        """Seconds until the next line is due, never less than zero."""
        return max(0.0, self._next - self._clock())

    def note(self, text: str) -> None:
        """Print a line now."""
        say(f"{self._subject}: {text}")

    def tick(self, state: str) -> None:
        """Print the elapsed time and ``state`` if a line is due."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + INTERVAL
        self.note(f"{self.seconds:.0f} s{', ' if state else ''}{state}")
