"""The daemon of a lane's engine by itself: ended and started again while its containers run (`live-restore`)."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.evidence.conformance.lane import Lane

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A daemon that has ended, with what it takes to start it again as it was."""

    command: tuple[str, ...]
    environment: dict[str, str]
    companion: int
    """The process id of containerd, which stays and whose mounts are the daemon's."""


def end(lane: Lane) -> Ended:
    """End the daemon as an init system does, and wait until it is gone."""
    pid = int((lane.place.folder / "launch.pid").read_text())
    process = Path(f"/proc/{pid}")
    command = tuple(process.joinpath("cmdline").read_bytes().decode().rstrip("\0").split("\0"))
    pairs = process.joinpath("environ").read_bytes().decode().rstrip("\0").split("\0")
    companion = next(p for p in lane.place.group.processes() if _name(p) == "containerd")
    os.kill(pid, signal.SIGTERM)
    _wait(lambda: pid not in lane.place.group.processes(), "the daemon did not end")
    return Ended(command=command, environment=dict(pair.split("=", 1) for pair in pairs), companion=companion)


def start(lane: Lane, ended: Ended) -> None:
    """Start the daemon again, in the mounts, network and control group that it had; returns before it answers."""
    group, folder = lane.place.group.own, lane.place.folder
    script = f'echo $$ >"{group}/cgroup.procs"; echo $$ >"{folder}/launch.pid"; exec "$@"'
    with lane.place.log.open("ab") as log:
        process = subprocess.Popen(
            [
                *("nsenter", f"--target={ended.companion}", "--mount", "--uts", "--net"),
                *("/bin/sh", "-c", script, "dockerd", *ended.command),
            ],
            env=ended.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    lane.outlast(process)


def wait_until_it_answers(lane: Lane) -> None:
    """Return when the API answers; an engine that runs containers has set its rules by then."""
    _wait(lane.engine.answers, "the daemon does not answer")


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _wait(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not done():
        assert time.monotonic() < deadline, f"{otherwise} within {_SECONDS:.0f} s"
        time.sleep(0.02)
