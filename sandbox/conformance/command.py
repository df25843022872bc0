"""The command: replay recordings against a plugin, or captures against the sandbox's tailnet policy.

The report goes to standard output, progress and problems to standard error. Exit code 0: all agrees; 1: something
differs; 2: nothing could be compared, and one text says why.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sandbox.conformance import plugin
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.figures import figures_of, total
from sandbox.conformance.recording import Case, read_cases
from sandbox.conformance.replay import Verdict
from sandbox.conformance.report import rendered
from sandbox.conformance.run import replay_all

FORMATS = ("text", "markdown", "json")


def main(arguments: list[str]) -> int:
    """Run the command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _plugin(options)
    except ConformanceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.conformance",
        description="Say recorded conversations again to a plugin, and count where it answers differently.",
    )
    parser.add_argument(
        "plugin", help='path of a plugin, or a command such as "python -m sandbox.plugins docker"'
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, JSON Lines, gzipped")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose id contains this")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="plugins at once")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--start-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--step-timeout", type=float, default=300.0, metavar="SECONDS")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def _plugin(options: argparse.Namespace) -> int:
    command = plugin.command_of(options.plugin)
    cases = [case for case in read_cases(options.files) if options.only in case.id]
    if not cases:
        raise ConformanceError(f"--only {options.only!r}: no case has this in its id.")
    packages = sorted({case.package for case in cases})
    if len(packages) > 1:
        raise ConformanceError(
            f"the files hold cases of {', '.join(packages)}: one plugin answers one package. Run it for each."
        )
    outcomes = replay_all(
        command,
        cases,
        jobs=options.jobs,
        start_seconds=options.start_timeout,
        step_seconds=options.step_timeout,
        progress=lambda done: _progress(done, cases),
    )
    figures = figures_of(outcomes)
    print(rendered(figures, options.format))
    return 1 if total(figures.values()).verdicts[Verdict.DIFFERS] else 0


def _progress(done: int, cases: list[Case]) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == len(cases) else ""
        print(f"\r{done} of {len(cases)} cases", end=end, file=sys.stderr, flush=True)
