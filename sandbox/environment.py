"""What a shell needs so that plain `pulumi preview` and `pulumi up` work against this checkout's sandbox.

Writes `.sandbox/env`, `.sandbox/endpoints.json` and the launchers of the stand-in plugins. An official plugin
that lies in the plugin folder is left there and used.
"""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sandbox.checkout import Checkout, write_atomically
from toolchain import resolve

PACKAGES = ("docker", "proxmoxve", "cloudflare", "tailscale")
# Public on purpose: it protects nothing but throw-away secrets of the sandbox.
PASSPHRASE = "homelab-dev"
API_CREDENTIALS = {
    "PROXMOX_TOKEN": "proxmox-token",
    "CLOUDFLARE_TOKEN": "cloudflare-token",
    "CLOUDFLARE_TOKEN_MAKER": "cloudflare-token-maker",
    "TAILSCALE_KEY": "tailscale-key",
}
ELF = b"\x7fELF"


def endpoints(checkout: Checkout) -> dict[str, str]:
    """The address of each API; the plugins accept no other."""
    ports = checkout.ports(("proxmox", "cloudflare", "tailscale"))
    return {
        "proxmox": f"https://127.0.0.1:{ports['proxmox']}",
        "cloudflare": f"http://127.0.0.1:{ports['cloudflare']}/client/v4",
        "tailscale": f"http://127.0.0.1:{ports['tailscale']}",
        "docker": str(checkout.docker_dir),
    }


def name_server(checkout: Checkout) -> str:
    """Where the name server answers on loopback, over UDP and TCP."""
    return f"127.0.0.1:{checkout.ports(['dns'])['dns']}"


def services(checkout: Checkout) -> list[dict[str, str]]:
    """The APIs and the name server with their addresses, as `status --format json` shows them."""
    addresses = endpoints(checkout) | {"dns": name_server(checkout)}
    return [{"name": name, "address": address} for name, address in addresses.items()]


def write_environment(checkout: Checkout, secrets: Sequence[str]) -> None:
    """Write everything that a user's shell and the plugins read.

    Args:
        checkout: whose.
        secrets: names of lab secrets to generate where they do not exist; earlier ones stay.
    """
    credentials = checkout.credentials([*API_CREDENTIALS.values(), *(f"secret:{name}" for name in secrets)])
    addresses = endpoints(checkout)
    write_atomically(checkout.endpoints_file, json.dumps(addresses, indent=2) + "\n")
    variables = {
        "PULUMI_HOME": str(checkout.pulumi_home),
        "PULUMI_BACKEND_URL": backend_url(checkout),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # `make up` has said what is in the outputs; after an update they are hundreds of lines.
        "PULUMI_OPTION_SUPPRESS_OUTPUTS": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "LAB_CONNECTION_PROXMOX": addresses["proxmox"],
        "LAB_CONNECTION_CLOUDFLARE": addresses["cloudflare"],
        "LAB_CONNECTION_TAILSCALE": addresses["tailscale"],
        "LAB_CONNECTION_DOCKER": f"unix://{checkout.docker_dir}/{{name}}.sock",
        "SANDBOX_DNS": name_server(checkout),
        "LAB_CERTIFICATE_ROOTS": str(checkout.roots_file),
        "SSL_CERT_FILE": str(checkout.ca_bundle),
        "REQUESTS_CA_BUNDLE": str(checkout.ca_bundle),
        **{f"LAB_SECRET_{name}": credentials[key] for name, key in API_CREDENTIALS.items()},
        **{
            variable_of(key.removeprefix("secret:")): v
            for key, v in credentials.items()
            if key.startswith("secret:")
        },
    }
    folders = [str(checkout.root / ".venv" / "bin"), *map(str, resolve.search_path())]
    lines = [f'export PATH={shlex.quote(os.pathsep.join(folders))}:"$PATH"']
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    write_atomically(checkout.env_file, "\n".join(lines) + "\n", mode=0o600)
    write_launchers(checkout)


def backend_url(checkout: Checkout) -> str:
    """Where the engine keeps its state, such that a kill at any moment leaves a state that can be read.

    The file backend renames each checkpoint into place, but writes a file of attributes (`.attrs`) beside it in
    place: a kill between its creation and its first byte makes every later read of the stack fail with `EOF`
    (gocloud.dev, blob/fileblob/attrs.go). Pulumi never reads the attributes, so none are written.
    """
    return f"file://{checkout.pulumi_state}?metadata=skip"


def variable_of(secret: str) -> str:
    """The environment variable of a lab secret: `db-password` is LAB_SECRET_DB_PASSWORD."""
    return "LAB_SECRET_" + "".join(letter if letter.isalnum() else "_" for letter in secret).upper()


def write_launchers(checkout: Checkout) -> None:
    """Put a launcher of each stand-in plugin where Pulumi looks for the version of the installed SDK."""
    for package in PACKAGES:
        try:
            number = version(f"pulumi-{package}")
        except PackageNotFoundError:
            continue
        folder = checkout.pulumi_home / "plugins" / f"resource-{package}-v{number}"
        program = folder / f"pulumi-resource-{package}"
        if _is_official(program):
            continue
        words = [sys.executable, "-m", "sandbox.plugins", package, "--checkout", str(checkout.root)]
        script = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(checkout.root))} exec {shlex.join(words)} "$@"\n'
        if not program.exists() or program.read_text() != script:
            write_atomically(program, script, mode=0o755)


def _is_official(program: Path) -> bool:
    if not program.exists():
        return False
    with program.open("rb") as stream:
        return stream.read(len(ELF)) == ELF
