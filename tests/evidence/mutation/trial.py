"""One mutant against the evidence, in a process of its own."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import signal
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec

from tests.evidence.mutation.evidence import Check
from tests.evidence.mutation.mutants import Mutant
from tests.evidence.mutation.subjects import RENEWED

SECONDS = 60
"""A mutant that takes longer is one that never ends."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    mutant: Mutant
    """The one that was tried."""
    killed_by: str
    """The evidence that noticed, and what it noticed; empty where none did."""


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a syntax tree."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is the broken one."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the broken text in place of the file's."""
        exec(compile(self._mutant.tree(), self._mutant.name, "exec"), module.__dict__)


def judge(mutant: Mutant | None, checks: Sequence[Check]) -> str:
    """Which evidence notices a mutant, and what; empty for none. Without a mutant the model is as it is.

    Changes the modules of this process for good, so it is called once in each.
    """
    for name in [name for name in sys.modules if name.startswith(RENEWED)]:
        del sys.modules[name]
    if mutant is not None:
        sys.meta_path.insert(0, _Broken(mutant))
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS)
    for check in checks:
        try:
            noticed = check.notices()
        except TimeoutError:
            noticed = f"it takes longer than {SECONDS} seconds"
        except Exception as error:
            # A broken model may fail in any way, and whoever runs it sees that it does.
            noticed = f"{type(error).__name__}: {error}"
        if noticed:
            return f"{check.name}: {noticed}"
    return ""


def _give_up(number: int, frame: object) -> None:
    raise TimeoutError
