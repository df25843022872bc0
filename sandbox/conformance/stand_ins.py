"""The figures of the sandbox's own plugins: all packages, the types they have, as the table of `docs/sandbox.md`.

`python -m sandbox.conformance stand-ins FOLDER [--write FILE]` reads the recordings of that folder.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

from sandbox.conformance.figures import Figures, figures_of
from sandbox.conformance.plugin import command_of
from sandbox.conformance.recording import read_cases
from sandbox.conformance.replay import Verdict
from sandbox.conformance.run import replay_all

PACKAGES: Final = ("cloudflare", "docker", "proxmoxve", "tailscale")


def stand_in_figures(folder: Path, jobs: int) -> dict[str, Figures]:
    """The figures of every type and function that a stand-in has.

    Raises:
        ConformanceError: a recording is not there or cannot be replayed.
    """
    found: dict[str, Figures] = {}
    for package in PACKAGES:
        cases = read_cases([folder / f"{package}.jsonl.gz"])
        words = [sys.executable, "-m", "sandbox.plugins", package]
        outcomes = replay_all(command_of(shlex.join(words)), cases, jobs=jobs)
        found |= {
            token: one
            for token, one in figures_of(outcomes).items()
            if one.verdicts[Verdict.REFUSED] < one.steps
        }
    return dict(sorted(found.items()))
