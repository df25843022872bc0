"""What can be built: one record per binary, in the order they are built.

The quick ones come first, so that whatever needs only those can begin. A
version stands here and in the ``go.mod`` of its module; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent
"""The folder that holds one Go module per binary."""

ENGINE_VERSION = "3.259.0"
"""The last engine whose Go modules were published when this was written."""

MINIMUM_ENGINE = (3, 250)
"""The oldest engine accepted from PATH: the first that the pinned SDK was tried with."""

TRAEFIK_VERSION = "3.7.9"

AUTHELIA_VERSION = "4.38.0"
"""That whose access control is asked; the whole of it cannot be built (see the program's own words)."""


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A file that must lie beside a binary, taken from a Go module that another binary pins."""

    file: str
    pinned_by: str
    module: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Binary:
    """How one binary is built; ``typical`` is said before the build begins (two cores, nothing cached)."""

    name: str
    package: str
    typical: str
    ldflags: tuple[str, ...] = ("-s", "-w")
    companion: Companion | None = None

    @property
    def module(self) -> Path:
        """The folder of its Go module."""
        return MODULES / self.name


LANGUAGE_HOST = Binary(
    name="pulumi-language-python",
    package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
    typical="about a minute",
    # The host starts this script with the program's Python; it belongs to the engine's version.
    companion=Companion(
        file="pulumi-language-python-exec",
        pinned_by="pulumi",
        module="github.com/pulumi/pulumi/sdk/v3",
        path="python/cmd/pulumi-language-python-exec",
    ),
)

STANDIN = Binary(name="standin", package=".", typical="a few seconds")

ACCESS_CONTROL = Binary(name="access-control", package=".", typical="half a minute")
"""For tests only: what Authelia asks of a visitor, by its own code."""

ENGINE = Binary(
    name="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    typical="3 to 5 minutes",
    ldflags=("-s", "-w", f"-X=github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{ENGINE_VERSION}"),
)

TRAEFIK = Binary(
    name="traefik",
    package="github.com/traefik/traefik/v3/cmd/traefik",
    typical="4 to 6 minutes",
    ldflags=("-s", "-w", f"-X=github.com/traefik/traefik/v3/pkg/version.Version={TRAEFIK_VERSION}"),
)

BINARIES = (LANGUAGE_HOST, STANDIN, ACCESS_CONTROL, ENGINE, TRAEFIK)
