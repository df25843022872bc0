"""The command: ``python3 -m toolchain build|path|env|venv``.

Answers go to standard output, progress and problems to standard error. Exit
code 0: done; 1: a problem, said in one sentence; 2: the command was misused.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the reader of this line may have an older one
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        f"Python 3.11 or newer is needed; {sys.executable} is {found}. To repair: make PYTHON=python3.11"
    )

import argparse
import os
import shlex
import signal

from toolchain import resolve, virtualenv
from toolchain.binaries import BINARIES
from toolchain.errors import ToolchainError


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    # An ordinary end by signal still removes what is half built.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        if options.verb == "build":
            for name, program in resolve.obtain(options.names).items():
                print(f"{name} {program}")
        elif options.verb == "path":
            print(resolve.locate(options.name))
        elif options.verb == "env":
            folders = os.pathsep.join(map(str, resolve.search_path()))
            print(f"export PATH={shlex.quote(folders)}:$PATH" if folders else "# nothing is built yet")
        else:
            print(virtualenv.ensure(virtualenv.DEVELOPMENT if options.dev else virtualenv.PROGRAM))
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(binary.name for binary in BINARIES)
    parser = argparse.ArgumentParser(
        prog="python3 -m toolchain", description="Get the binaries that the lab runs."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="build or fetch what is missing, and print where it is")
    build.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}; default: all")
    path = verbs.add_parser("path", help="print the absolute path of a binary")
    path.add_argument("name", metavar="NAME", help=f"one of {names}")
    verbs.add_parser("env", help="print the shell line that puts the cached binaries on PATH")
    venv = verbs.add_parser("venv", help="fill .venv from the lock")
    venv.add_argument("--dev", action="store_true", help="with the tools of `make check`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
