"""The command: `python -m sandbox start|stop|status|logs|peer|clean`.

Answers go to standard output, progress and problems to standard error. Exit code 0: done; 1: a problem, said
in one sentence; 2: the command was misused.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from sandbox import lifecycle
from sandbox.certificates import authority_file
from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.peers import put_peer, remove_peer
from sandbox.settings import read_settings
from sandbox.status_text import status_text


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    checkout = Checkout(options.checkout)
    verbs = {
        "start": _start,
        "stop": _stop,
        "status": _status,
        "logs": _logs,
        "peer": _peer,
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
    peer = verbs.add_parser(
        "peer", help="somebody on a segment beside the guests; prints the network namespace"
    )
    peer.add_argument("segment", metavar="SEGMENT", help="a segment with a guest on it, such as vmbr0.20")
    wish = peer.add_mutually_exclusive_group(required=True)
    wish.add_argument("address", nargs="?", metavar="ADDRESS/LENGTH", help="such as 10.10.20.99/24")
    wish.add_argument("--remove", action="store_true", help="remove the peer of the segment")
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
    settings = read_settings(checkout)
    if settings is None:
        raise SandboxError("nothing was started here; run `python -m sandbox start`")
    # All servers are loaded with it, which the other verbs need not wait for.
    from sandbox.daemon import run_daemon

    run_daemon(checkout, settings)
    return 0


def _status(checkout: Checkout, options: argparse.Namespace) -> int:
    document = lifecycle.status(checkout)
    print(json.dumps(document, indent=2) if options.format == "json" else status_text(document))
    return 0


def _peer(checkout: Checkout, options: argparse.Namespace) -> int:
    if options.remove:
        remove_peer(checkout, options.segment)
    else:
        print(put_peer(checkout, options.segment, options.address).namespace)
    return 0


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
