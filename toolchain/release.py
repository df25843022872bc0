"""Fetch the official release of the engine, where its host can be reached.

One attempt with a short timeout: where only package registries are reachable,
a person must not wait for it. What arrives is verified against the sha256 that
the publisher gives beside it; a mismatch is an error and never a reason to
build instead. ``HOMELAB_ENGINE_RELEASE=no`` skips the attempt.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tarfile
import threading
import urllib.request
from pathlib import Path, PurePosixPath

from toolchain import cache
from toolchain.binaries import ENGINE_VERSION
from toolchain.errors import ToolchainError
from toolchain.progress import Progress

HOST = "https://get.pulumi.com/releases/sdk"
"""Where Pulumi publishes its releases; the file names are those of its list of versions."""

CHECKSUMS = f"pulumi-{ENGINE_VERSION}-checksums.txt"
CONNECT_TIMEOUT = 3.0
"""Seconds until the host counts as unreachable, name resolution included."""

READ_TIMEOUT = 20.0
CHUNK = 1 << 20
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def archive_name() -> str | None:
    """Return the name of this platform's archive, or None if none is published."""
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine())
    return f"pulumi-v{ENGINE_VERSION}-{system}-{machine}.tar.gz" if system and machine else None


def find_release() -> Path | None:
    """Return the engine of a release that the cache already holds."""
    program = _folder() / "pulumi"
    return program if program.is_file() else None


def fetch_release() -> Path | None:
    """Return the engine of the official release, or None, after one line that says why, if it cannot be had.

    Raises ToolchainError if what arrives is not what was published.
    """
    progress = Progress("pulumi")
    archive = archive_name()
    if os.environ.get("HOMELAB_ENGINE_RELEASE") == "no" or archive is None:
        progress.note("no official release is used (switched off, or none for this platform)")
        return None
    with cache.exclusive("pulumi-release", progress):
        if (program := find_release()) is not None:
            return program
        expected = published_sha256(_checksums(), archive)
        if expected is None:
            progress.note(f"the official release cannot be had within {CONNECT_TIMEOUT:.0f} s, so build it")
            return None
        progress.note(f"fetching the official release {archive}, typically under a minute")
        with cache.filling(_folder()) as folder:
            _download(archive, expected, folder / archive, progress)
            unpack(folder / archive, folder)
            (folder / archive).unlink()
        progress.note(f"fetched in {progress.seconds:.0f} s")
    return find_release()


def published_sha256(checksums: str, archive: str) -> str | None:
    """Return the sha256 that a list of ``<hex>  <file>`` lines gives for ``archive``."""
    for line in checksums.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == archive:
            return words[0].lower()
    return None


def unpack(archive: Path, folder: Path) -> None:
    """Put the programs of a release into ``folder``; nothing else in the archive is looked at."""
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            content = tar.extractfile(member) if member.isfile() and len(parts) == 2 else None
            if content is None or parts[0] != "pulumi":
                continue
            target = folder / parts[1]
            with target.open("wb") as file:
                while chunk := content.read(CHUNK):
                    file.write(chunk)
            target.chmod(0o755)


def _folder() -> Path:
    return cache.entry("pulumi-release", cache.key_of(ENGINE_VERSION, archive_name() or ""))


def _checksums() -> str:
    """Return the published list, or an empty one if the host does not answer in time."""
    answers: list[str] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{HOST}/{CHECKSUMS}", timeout=CONNECT_TIMEOUT) as response:
                answers.append(response.read().decode())
        except (OSError, ValueError):
            # Unreachable is the ordinary case on a closed network; the caller says so.
            return

    # No timeout of a socket covers name resolution, so the wait is bounded from outside.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT)
    return answers[0] if answers else ""


def _download(archive: str, expected: str, target: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    size = 0
    try:
        with (
            urllib.request.urlopen(f"{HOST}/{archive}", timeout=READ_TIMEOUT) as response,
            target.open("wb") as file,
        ):
            while chunk := response.read(CHUNK):
                digest.update(chunk)
                size += file.write(chunk)
                progress.tick(f"{size >> 20} MB fetched")
        why = f"its sha256 is {digest.hexdigest()}, published is {expected}"
    except OSError as error:
        why = f"the download broke off after {size >> 20} MB: {error}"
    else:
        if digest.hexdigest() == expected:
            return
    raise ToolchainError(
        "the official release of pulumi is not usable",
        where=f"{HOST}/{archive}",
        why=why,
        repair="run the same command again, or set HOMELAB_ENGINE_RELEASE=no to build the engine from source",
    )
