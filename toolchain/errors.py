"""The one error of this package: what, where, why and how to repair.

It is a sentence for a person at a terminal, so the command prints it and ends;
nothing in the package prints a stack trace for something a user can repair.
"""

from __future__ import annotations


class ToolchainError(Exception):
    """Something a user can repair.

    ``what`` failed, ``where`` (a path or a name), ``why``, and the ``repair``;
    each without a full stop at its end.
    """

    def __init__(self, what: str, *, where: str, why: str, repair: str) -> None:
        super().__init__(f"{what} ({where}): {why}. To repair: {repair}.")
        self.what = what
        self.where = where
        self.why = why
        self.repair = repair
