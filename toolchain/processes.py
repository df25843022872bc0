"""Run one long command with progress, and leave none of its processes behind.

The command gets a session of its own: an interrupt at the terminal reaches
this process first, which then ends the whole group. Its output is kept in
memory and only shown if it fails.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from toolchain.progress import Progress

GRACE = 5.0
"""Seconds a group of processes has to end before it is killed."""


def run(
    command: Sequence[str],
    *,
    progress: Progress,
    environment: Mapping[str, str],
    folder: Path,
    describe: Callable[[list[str]], str] = lambda lines: "",
) -> tuple[int, list[str]]:
    """Run ``command`` in ``folder``; return its exit code and the lines it printed.

    ``describe`` turns the lines so far into the state that a line of progress shows.
    Raises OSError if the command cannot be started.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            try:
                process.wait(timeout=max(0.05, progress.until_next))
            except subprocess.TimeoutExpired:
                progress.tick(describe(lines))
    finally:
        _end(process)
    reader.join(timeout=GRACE)
    return process.returncode, lines


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    if process.stdout is None:
        return
    with process.stdout as output:
        # One by one, because the lines so far are read while the command runs.
        for line in output:
            lines.append(line.rstrip("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, and all it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
