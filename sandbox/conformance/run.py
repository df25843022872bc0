"""All cases of some recordings, replayed by several lanes at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from sandbox.conformance.engine_service import EngineService
from sandbox.conformance.lane import Lane, Settings
from sandbox.conformance.recording import Case
from sandbox.conformance.replay import Outcome, Replay
from sandbox.conformance.unnoticed import unnoticed_of


def replay_all(
    command: list[str],
    cases: list[Case],
    *,
    jobs: int = 1,
    start_seconds: float = 30.0,
    step_seconds: float = 300.0,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Outcome]:
    """Replay the cases against the plugin that the command starts; outcomes come in the order of the cases.

    Args:
        jobs: how many plugins run at once.
        progress: called with the number of cases that are done.

    Raises:
        ConformanceError: a plugin cannot be started or died. What the other lanes do then is given up.
    """
    waiting: queue.SimpleQueue[tuple[int, Case]] = queue.SimpleQueue()
    for numbered in enumerate(cases):
        waiting.put(numbered)
    found: dict[int, list[Outcome]] = {}
    problems: list[BaseException] = []
    engine = EngineService()
    settings = Settings(
        command=command, engine=engine.address, start_seconds=start_seconds, step_seconds=step_seconds
    )

    def work() -> None:
        lane: Lane | None = None
        try:
            while not problems:
                index, case = waiting.get_nowait()
                if lane is None or package != case.package:
                    if lane is not None:
                        lane.close()
                    package = case.package
                    lane = Lane(package, settings)
                    replay = Replay(lane, unnoticed_of(package))
                found[index] = replay.outcomes(case)
                progress(len(found))
        except queue.Empty:
            pass
        except BaseException as error:
            problems.append(error)
        finally:
            if lane is not None:
                lane.close()

    workers = [threading.Thread(target=work) for _ in range(max(1, min(jobs, len(cases))))]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    except BaseException as error:
        problems.append(error)
        raise
    finally:
        engine.close()
    if problems:
        raise problems[0]
    return [outcome for index in sorted(found) for outcome in found[index]]
