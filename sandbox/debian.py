"""Debian's packages as files in the cache: downloaded with apt, unpacked with dpkg-deb, never installed.

No maintainer script runs and no system daemon starts. An unpacked set is complete or absent: it is renamed
into place when it is whole, and every later start finds it in milliseconds.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.errors import SandboxError

# Never taken from a package: a second C library beside the system's own breaks every program.
SYSTEM_PACKAGES = frozenset({"libc6", "libgcc-s1", "libcrypt1", "gcc-12-base"})
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Progress = Callable[[str], None]


def show(line: str) -> None:
    """Print one line of progress where it does not mix with a program's output."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class PackageSet:
    """Packages that are unpacked together.

    Attributes:
        folder: its name in the cache.
        title: what it is to a person, as in "the packages of ...".
        size: of the download, as a person reads it.
        roots: the packages that are wanted.
        instead: what a person can do where it cannot be had.
        own_libraries: take every library below the roots, also those that this system has, so that the set
            stays whole when the system changes; else those that the system lacks.
        backports: take what is newer in the release's backports from there.
        finish: what is done to the unpacked tree before it is used.
    """

    folder: str
    title: str
    size: str
    roots: tuple[str, ...]
    instead: str
    own_libraries: bool = False
    backports: bool = False
    finish: Callable[[Path], None] = lambda root: None


def unpacked(cache: Path, packages: PackageSet) -> Path | None:
    """The tree of a set that has been fetched; None before.

    Args:
        cache: the user's cache folder.
        packages: the set.
    """
    root = cache / packages.folder / "current"
    return root.resolve() if root.exists() else None


def can_fetch() -> bool:
    """Whether this system has the programs that fetch and unpack Debian's packages."""
    return all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb"))


def fetch(cache: Path, packages: PackageSet, progress: Progress) -> Path:
    """Download and unpack a set, and return its tree.

    Args:
        cache: the user's cache folder.
        packages: the set.
        progress: receives one line per step that takes time.

    Raises:
        SandboxError: what did not work, with the repair.
    """
    folder = cache / packages.folder
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".unpack-") as temporary:
        work = Path(temporary)
        # apt's own download user must be able to write here; else apt prints a warning for each package.
        work.chmod(0o755)
        run = _Runner(packages)
        options = _apt_lists(cache, packages.backports, run, progress)
        names = _closure(packages, options, run)
        progress(
            f"fetching {len(names)} Debian packages for {packages.title} "
            f"(once per user, about {packages.size})"
        )
        run(["apt-get", *options, "-q", "download", *names], "download Debian's packages", work)
        archives = sorted(work.glob("*.deb"))
        digest = hashlib.sha256("\n".join(archive.name for archive in archives).encode()).hexdigest()[:12]
        progress("unpacking them into the cache (nothing is installed)")
        root = work / "root"
        for archive in archives:
            run(["dpkg-deb", "-x", str(archive), str(root)], f"unpack {archive.name}", work)
        packages.finish(root)
        target = folder / digest
        if not target.exists():
            root.rename(target)
    link = folder / f".current-{os.getpid()}"
    link.symlink_to(digest)
    link.replace(folder / "current")
    return target


def _apt_lists(cache: Path, backports: bool, run: "_Runner", progress: Progress) -> list[str]:
    """Options for apt: none where the system has the package lists, else those that make lists in the cache."""
    if not backports and any(Path("/var/lib/apt/lists").glob("*Packages*")):
        return []
    lists = cache / ("apt-backports" if backports else "apt")
    (lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (lists / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        *("-o", f"Dir::State::lists={lists}/lists"),
        *("-o", f"Dir::Cache={lists}/cache"),
        *("-o", "APT::Sandbox::User=root"),
        *(_with_backports(lists, run) if backports else []),
    ]
    progress("reading Debian's package lists into the cache")
    run(["apt-get", *options, "-q", "update"], "read Debian's package lists", lists)
    return options


def _with_backports(lists: Path, run: "_Runner") -> list[str]:
    """Options for the release's main archive and, before it, its backports, from where the system has its own."""
    wanted = ["--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages", "Component: main"]
    targets = run(["apt-get", "indextargets", *wanted], "read where Debian's packages are", lists).split()
    # The release itself is the one whose name says nothing more: no -updates, no -security.
    release, archive = next(
        pair for pair in zip(targets[::2], targets[1::2], strict=True) if "-" not in pair[0]
    )
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    sources = lists / "sources.list"
    sources.write_text(
        "".join(f"deb {signed}{archive} {suite} main\n" for suite in (release, f"{release}-backports"))
    )
    return [
        *("-o", f"Dir::Etc::SourceList={sources}"),
        *("-o", "Dir::Etc::SourceParts=/dev/null"),
        *("-o", f"APT::Default-Release={release}-backports"),
    ]


def _closure(packages: PackageSet, options: Sequence[str], run: "_Runner") -> list[str]:
    """The packages to unpack: the roots and the libraries below them."""
    here = Path("/")
    known = set(SYSTEM_PACKAGES)
    if not packages.own_libraries:
        installed = run(
            ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n"], "list installed packages", here
        )
        known |= {line[3:].strip() for line in installed.splitlines() if line.startswith("ii ")}
    new, chosen = set(packages.roots), set[str]()
    while new:
        chosen |= new
        text = run(["apt-cache", *options, "depends", *sorted(new)], "read Debian's dependencies", here)
        new = libraries_in(text) - known - chosen
    return sorted(chosen)


def libraries_in(depends: str) -> set[str]:
    """The libraries that `apt-cache depends` names without an alternative.

    A line of alternatives starts with "|"; the package that Debian prefers is what is already installed.
    """
    return set(re.findall(r"^ +(?:Pre)?Depends: (lib[a-z0-9.+-]*)$", depends, flags=re.MULTILINE))


class _Runner:
    """Runs a program and answers what it printed; a failure names what can be done instead."""

    def __init__(self, packages: PackageSet) -> None:
        self._instead = packages.instead

    def __call__(self, command: Sequence[str], purpose: str, folder: Path) -> str:
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxError(f"cannot {purpose}: {error}; {self._instead} instead") from None
        if done.returncode != 0:
            last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-2:])
            raise SandboxError(
                f"cannot {purpose}: `{' '.join(command[:4])} ...` ended with {done.returncode}: {last}; check "
                f"the network and `apt-get update`, or {self._instead}, or run `python -m sandbox start "
                "--simulated`"
            )
        return done.stdout
