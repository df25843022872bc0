"""The command: replay recordings against a plugin or the sandbox's APIs, or captures against its tailnet policy.

The report goes to standard output, progress and problems to standard error. Exit code 0: all agrees; 1: something
differs; 2: nothing could be compared, and one text says why.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sandbox.conformance import plugin
from sandbox.conformance.document import HTTP_BEGIN, write_part
from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.figures import Figures, figures_of, total
from sandbox.conformance.http.run import http_outcomes, package_figures
from sandbox.conformance.recording import Case, read_cases
from sandbox.conformance.replay import Verdict
from sandbox.conformance.report import HTTP_HEADINGS, rendered, table
from sandbox.conformance.run import replay_all
from sandbox.conformance.stand_ins import stand_in_figures
from sandbox.conformance.tailnet_policies import policy_figures

FORMATS = ("text", "markdown", "json")


def main(arguments: list[str]) -> int:
    """Run the command and return the exit code."""
    verb = _VERBS.get(arguments[0]) if arguments else None
    parse, run = verb or (_plugin_options, _plugin)
    options = parse(arguments[1:] if verb else arguments)
    try:
        figures = run(options)
        print(rendered(figures, options.format))
    except ConformanceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 1 if total(figures.values()).verdicts[Verdict.DIFFERS] else 0


def _parser(verb: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m sandbox.conformance {verb}".strip(),
        description=description,
        epilog=f"In the place of PLUGIN there may be a verb: {', '.join(_VERBS)}." if not verb else None,
    )
    parser.add_argument("--format", choices=FORMATS, default="text")
    return parser


def _plugin_options(arguments: list[str]) -> argparse.Namespace:
    parser = _parser(
        "", "Say recorded conversations again to a plugin, and count where it answers differently."
    )
    parser.add_argument(
        "plugin", help='path of a plugin, or a command such as "python -m sandbox.plugins docker"'
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, JSON Lines, gzipped")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose id contains this")
    _add_jobs(parser)
    parser.add_argument("--start-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--step-timeout", type=float, default=300.0, metavar="SECONDS")
    return parser.parse_args(arguments)


def _policies_options(arguments: list[str]) -> argparse.Namespace:
    text = "Check captured tailnet policies with the sandbox, and compare verdicts and packet filters."
    parser = _parser("tailscale-policies", text)
    parser.add_argument("file", type=Path, metavar="FILE", help="captures, JSON, gzipped")
    return parser.parse_args(arguments)


def _stand_ins_options(arguments: list[str]) -> argparse.Namespace:
    parser = _parser("stand-ins", "All recordings of a folder, said to the sandbox's own plugins.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the recordings")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the table between a document's marks"
    )
    _add_jobs(parser)
    return parser.parse_args(arguments)


def _http_options(arguments: list[str]) -> argparse.Namespace:
    parser = _parser("http", "Send recorded HTTP requests to the sandbox's APIs, and compare the answers.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, JSON Lines, gzipped")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose id contains this")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the table of packages between a document's marks"
    )
    return parser.parse_args(arguments)


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="plugins at once")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def _chosen(options: argparse.Namespace) -> list[Case]:
    cases = [case for case in read_cases(options.files) if options.only in case.id]
    if not cases:
        raise ConformanceError(f"--only {options.only!r}: no case has this in its id.")
    return cases


def _plugin(options: argparse.Namespace) -> dict[str, Figures]:
    command = plugin.command_of(options.plugin)
    cases = _chosen(options)
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
    return figures_of(outcomes)


def _policies(options: argparse.Namespace) -> dict[str, Figures]:
    return policy_figures(options.file)


def _http(options: argparse.Namespace) -> dict[str, Figures]:
    cases = _chosen(options)
    outcomes = http_outcomes(cases, progress=lambda done: _progress(done, cases))
    if options.write:
        write_part(options.write, table(package_figures(outcomes), HTTP_HEADINGS), HTTP_BEGIN)
    return figures_of(outcomes)


def _stand_ins(options: argparse.Namespace) -> dict[str, Figures]:
    figures = stand_in_figures(options.folder, options.jobs)
    if options.write:
        write_part(options.write, table(figures))
    return figures


def _progress(done: int, cases: list[Case]) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == len(cases) else ""
        print(f"\r{done} of {len(cases)} cases", end=end, file=sys.stderr, flush=True)


_VERBS = {
    "http": (_http_options, _http),
    "tailscale-policies": (_policies_options, _policies),
    "stand-ins": (_stand_ins_options, _stand_ins),
}
