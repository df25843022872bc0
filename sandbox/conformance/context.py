"""Under which configuration each package was recorded, and how its plugin reaches the runner's HTTP server.

The values are those of the recordings' README; all credentials are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.conformance.errors import ConformanceError


@dataclass(frozen=True, kw_only=True)
class Context:
    """One package.

    Attributes:
        endpoint: its name in the sandbox's file of addresses, by which a stand-in knows where it may connect.
        address: what that file holds for it; `{url}` is the server's URL, `{directory}` its socket's folder.
        configuration: what Configure gets, with the same fields and `{socket}`.
        over: `http`, `https` or `unix`.
        sample: the type of provider cases whose steps do not name one.
    """

    endpoint: str
    address: str
    configuration: dict[str, str]
    over: str
    sample: str


CONTEXTS: Final = {
    "docker": Context(
        endpoint="docker",
        address="{directory}",
        configuration={"host": "unix://{socket}"},
        over="unix",
        sample="docker:index/volume:Volume",
    ),
    "cloudflare": Context(
        endpoint="cloudflare",
        address="{url}/client/v4",
        configuration={"apiToken": "x" * 40, "baseUrl": "{url}/client/v4"},
        over="http",
        sample="cloudflare:index/dnsRecord:DnsRecord",
    ),
    "tailscale": Context(
        endpoint="tailscale",
        address="{url}",
        configuration={"apiKey": "tskey-api-REC", "tailnet": "-", "baseUrl": "{url}"},
        over="http",
        sample="tailscale:index/dnsPreferences:DnsPreferences",
    ),
    "proxmoxve": Context(
        endpoint="proxmox",
        address="{url}/",
        configuration={
            "endpoint": "{url}/",
            "apiToken": "root@pam!rec=12345678-1234-1234-1234-123456789abc",
            "insecure": "true",
        },
        over="https",
        sample="proxmoxve:firewall/aliasLegacy:AliasLegacy",
    ),
}


def context_of(package: str) -> Context:
    """The context of a package.

    Raises:
        ConformanceError: recordings of this package are not known here.
    """
    if package not in CONTEXTS:
        raise ConformanceError(
            f"package {package}: the runner does not know how its plugin is configured; it knows"
            f" {', '.join(sorted(CONTEXTS))}. Add the package to sandbox/conformance/context.py."
        )
    return CONTEXTS[package]
