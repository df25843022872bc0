"""The command: `python -m sandbox start|stop|status|logs|clean`.

Answers go to standard output, progress and problems to standard error. Exit code 0: done; 1: a problem, said
in one sentence; 2: the command was misused.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox import daemon, lifecycle
from sandbox.certificates import authority_file
from sandbox.checkout import Checkout
from sandbox.errors import SandboxError


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    checkout = Checkout(options.checkout)
    verbs = {
        "start": _start,
        "stop": _stop,
        "status": _status,
        "logs": _logs,
        "clean": _clean,
        "serve": _serve,
    }
    try:
        return verbs[options.verb](checkout, options)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="The outside world of the dev lab, on this machine."
    )
    parser.add_argument(
        "--checkout",
        type=Path,
        default=Path(__file__).resolve().parents[1],
        help="root of the checkout; default: this",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="start it, or leave it running")
    start.add_argument("--simulated", action="store_true", help="simulate network and engines")
    start.add_argument(
        "--stand-ins", action="store_true", help="run stand-ins even where a registry serves the image"
    )
    start.add_argument(
        "--zone", action="append", default=[], metavar="APEX", help="a zone of the Cloudflare account"
    )
    start.add_argument(
        "--secret", action="append", default=[], metavar="NAME", help="a lab secret to generate once"
    )
    verbs.add_parser("stop", help="stop everything, keep all state")
    status = verbs.add_parser("status", help="what runs")
    status.add_argument("--format", choices=("text", "json"), default="text")
    logs = verbs.add_parser("logs", help="show a log")
    logs.add_argument("service", nargs="?", default="daemon", help="daemon, or engine-<guest>")
    logs.add_argument("--follow", action="store_true", help="go on as it grows")
    verbs.add_parser("clean", help="stop everything and delete all state")
    verbs.add_parser("serve", help=argparse.SUPPRESS)
    return parser


def _start(checkout: Checkout, options: argparse.Namespace) -> int:
    settings = lifecycle.start(
        checkout,
        simulated=options.simulated,
        zones=options.zone,
        secrets=options.secret,
        stand_ins=options.stand_ins,
    )
    for service in lifecycle.services(checkout):
        print(f"{service['name']:<11} {service['address']}")
    print(f"{'trust':<11} {authority_file(checkout)}")
    print(f"{'shell':<11} source {checkout.env_file}")
    if settings.simulated:
        print(f"not real: network and Docker Engines are simulated ({settings.simulated})")
    return 0


def _stop(checkout: Checkout, _: argparse.Namespace) -> int:
    lifecycle.stop(checkout)
    return 0


def _clean(checkout: Checkout, _: argparse.Namespace) -> int:
    lifecycle.clean(checkout)
    return 0


def _serve(checkout: Checkout, _: argparse.Namespace) -> int:
    settings = daemon.read_settings(checkout)
    if settings is None:
        raise SandboxError("nothing was started here; run `python -m sandbox start`")
    daemon.run_daemon(checkout, settings)
    return 0


def _status(checkout: Checkout, options: argparse.Namespace) -> int:
    document = lifecycle.status(checkout)
    print(json.dumps(document, indent=2) if options.format == "json" else _table(document))
    return 0


def _table(document: dict[str, Any]) -> str:
    if not document["running"]:
        return "the sandbox is stopped; start it with `python -m sandbox start`"
    lines = [f"{service['name']:<11} {service['address']}" for service in document["services"]]
    for guest in document["guests"]:
        where = ", ".join(guest["addresses"]) or "no address"
        lines.append(
            f"{'guest':<11} {guest['name']} ({guest['vmid']} on {guest['node']}): {guest['state']}, {where}"
        )
    for forward in document["forwards"]:
        target = f"{forward['guest']} {forward['address']}:{forward['port']}"
        lines.append(f"{'forward':<11} {forward['listen']} -> {target}")
    if document["simulated"]:
        lines.append(f"not real: network and Docker Engines are simulated ({document['simulated']})")
    return "\n".join(lines)


def _logs(checkout: Checkout, options: argparse.Namespace) -> int:
    path = checkout.logs_dir / f"{options.service}.log"
    if not path.exists():
        known = ", ".join(sorted(found.stem for found in checkout.logs_dir.glob("*.log"))) or "none yet"
        raise SandboxError(f"there is no log of {options.service}; known: {known}")
    if options.follow:
        return subprocess.run(["tail", "-n", "+1", "-F", str(path)], check=False).returncode
    print(path.read_text(errors="replace"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
