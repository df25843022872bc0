"""All cases of some recordings, replayed by several lanes at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import closing

from sandbox.conformance.engine_service import EngineService
from sandbox.conformance.lane import Lane, Settings
from sandbox.conformance.recording import Case
from sandbox.conformance.replay import Outcome, Replay
from sandbox.conformance.unnoticed import unnoticed_of


class _Run:
    """What the workers share: the cases that wait, what was found, and the first problem."""

    def __init__(self, cases: list[Case], settings: Settings, progress: Callable[[int], None]) -> None:
        self.waiting: queue.SimpleQueue[tuple[int, Case]] = queue.SimpleQueue()
        for numbered in enumerate(cases):
            self.waiting.put(numbered)
        self.found: dict[int, list[Outcome]] = {}
        self.problems: list[BaseException] = []
        self._settings = settings
        self._progress = progress

    def work(self, package: str) -> None:
        """Replay waiting cases on one lane until none is left or somebody has a problem."""
        try:
            with closing(Lane(package, self._settings)) as lane:
                replay = Replay(lane, unnoticed_of(package))
                while not self.problems:
                    index, case = self.waiting.get_nowait()
                    self.found[index] = replay.outcomes(case)
                    self._progress(len(self.found))
        except queue.Empty:
            return
        except BaseException as error:
            self.problems.append(error)


def replay_all(
    command: list[str],
    cases: list[Case],
    *,
    jobs: int = 1,
    start_seconds: float = 30.0,
    step_seconds: float = 300.0,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Outcome]:
    """Replay the cases of one package against the plugin that the command starts, in the order of the cases.

    Args:
        jobs: how many plugins run at once.
        progress: called with the number of cases that are done.

    Raises:
        ConformanceError: a plugin cannot be started or died. What the other lanes do then is given up.
    """
    with closing(EngineService()) as engine:
        settings = Settings(
            command=command, engine=engine.address, start_seconds=start_seconds, step_seconds=step_seconds
        )
        run = _Run(cases, settings, progress)
        workers = [
            threading.Thread(target=run.work, args=(cases[0].package,))
            for _ in range(max(1, min(jobs, len(cases))))
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except BaseException as error:
            run.problems.append(error)
            for worker in workers:
                worker.join()
            raise
    if run.problems:
        raise run.problems[0]
    return [outcome for index in sorted(run.found) for outcome in run.found[index]]
