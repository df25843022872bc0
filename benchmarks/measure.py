"""A figure: something run several times, with its median and its range."""

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """What was measured, and what is aimed at."""

    what: str
    samples: tuple[float, ...]
    goal: str = ""
    unit: str = "s"

    @property
    def median(self) -> float:
        """The median of the runs."""
        return statistics.median(self.samples)

    def _shown(self, value: float) -> str:
        return f"{value:,.{0 if value >= 1000 else 2}f} {self.unit}".strip()

    def line(self) -> str:
        """One line for a terminal."""
        return f"{self.what}: {self._shown(self.median)} ({self.goal or 'no goal'})"

    def row(self) -> str:
        """One row of the page."""
        shown = [self._shown(value) for value in (self.median, min(self.samples), max(self.samples))]
        return f"| {self.what} | {' | '.join(shown)} | {len(self.samples)} | {self.goal} |"


def timed(work: Callable[[], object], runs: int) -> tuple[float, ...]:
    """The seconds that each of several runs takes, after one that does not count."""
    work()
    samples = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        samples.append(time.perf_counter() - started)
    return tuple(samples)


def run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a program and give what it printed.

    Raises:
        RuntimeError: it did not succeed; with the end of what it said.
    """
    done = subprocess.run(
        command,
        env=dict(environment) if environment else None,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])}: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
