"""Where Pebble comes from: Debian's package, unpacked into the cache."""

from pathlib import Path

from sandbox import debian
from sandbox.debian import PackageSet, Progress, show
from sandbox.errors import SandboxError

_PACKAGES = PackageSet(
    folder="pebble",
    title="the certificate authority",
    size="6 MB",
    roots=("pebble",),
    instead="go on without an authority, and Traefik signs its certificate itself",
)


def pebble(cache: Path) -> Path | None:
    """The program, where it has been fetched.

    Args:
        cache: the user's cache folder.
    """
    root = debian.unpacked(cache, _PACKAGES)
    program = root / "usr/bin/pebble" if root else None
    return program if program and program.exists() else None


def fetch_pebble(cache: Path, progress: Progress = show) -> None:
    """Have the program in the cache; without it the rest of the sandbox works, so this only says what is missing.

    Args:
        cache: the user's cache folder.
        progress: receives one line per step that takes time, and the problem.
    """
    if pebble(cache) is not None:
        return
    try:
        if not debian.can_fetch():
            raise SandboxError("there is no apt-get here to fetch Debian's package pebble with")
        debian.fetch(cache, _PACKAGES, progress)
    except SandboxError as error:
        progress(f"no certificate authority: {error}")
