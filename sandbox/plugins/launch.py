"""Start one stand-in plugin, by what the command line says.

The engine starts it through a launcher in its plugin folder, gives its own address last (not needed here),
and reads the port from the first line of standard output.
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.server import serve

PACKAGES = ("docker", "cloudflare", "tailscale", "proxmoxve")


def read_endpoints(checkout: Path) -> Endpoints:
    """The addresses of this checkout's sandbox; empty where it was never started, so that everything is
    refused.
    """
    file = checkout / ".sandbox" / "endpoints.json"
    addresses: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return Endpoints(addresses=addresses, file=".sandbox/endpoints.json")


def load(name: str) -> Package[Any]:
    """The package's description; only the one that was asked for is imported."""
    module = import_module(f"sandbox.plugins.{name}.provider")
    package: Package[Any] = module.package()
    return package


def main(arguments: list[str]) -> int:
    """Serve the plugin that the command line names, until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.plugins", description=__doc__.partition("\n")[0])
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument(
        "--checkout",
        type=Path,
        default=Path(),
        help="root of the checkout whose sandbox to talk to; default: .",
    )
    parser.add_argument("engine", nargs="?", help="the engine's address, given by the engine")
    options, _ignored = parser.parse_known_args(arguments)
    serve(load(options.package), read_endpoints(options.checkout))
    return 0
