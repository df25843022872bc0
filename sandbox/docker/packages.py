"""The programs of a Docker Engine: the user's own where they are new enough, else Debian's, unpacked into the
cache.

Packages are downloaded with apt and unpacked with dpkg-deb; they are never installed, no maintainer script
runs and no system daemon starts. An unpacked set is complete or absent: it is renamed into place when it is
whole.
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

OLDEST_ENGINE = (20, 10)
ROOTS = ("docker.io", "containerd", "runc", "iptables", "nftables", "tini")
# Never taken from a package: a second C library beside the system's own breaks every program.
SYSTEM_PACKAGES = frozenset({"libc6", "libgcc-s1", "libcrypt1", "gcc-12-base"})
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IPTABLES_NAMES = tuple(
    f"{base}{suffix}" for base in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore")
)

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class EnginePrograms:
    """Where the programs of an engine are, as a process environment.

    Attributes:
        dockerd: the daemon's executable.
        version: its version as (major, minor).
        path: folders to put before PATH.
        libraries: folders for LD_LIBRARY_PATH; empty for installed programs.
        xtables_nft: folder in which `iptables` is the nftables variant; None: the system's iptables is used.
        xtables_legacy: the same for the legacy variant.
        xtables_extensions: folder of iptables' match extensions; None: the system's.
    """

    dockerd: Path
    version: tuple[int, int]
    path: tuple[Path, ...]
    libraries: tuple[Path, ...] = ()
    xtables_nft: Path | None = None
    xtables_legacy: Path | None = None
    xtables_extensions: Path | None = None

    def environment(self) -> dict[str, str]:
        """The variables with which these programs run, on top of a minimal PATH."""
        values = {"PATH": ":".join([*map(str, self.path), SYSTEM_PATH]), "LANG": "C.UTF-8"}
        if self.libraries:
            values["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        if self.xtables_extensions:
            values["XTABLES_LIBDIR"] = str(self.xtables_extensions)
        return values


def show(line: str) -> None:
    """Print one line of progress where it does not mix with a program's output."""
    print(line, file=sys.stderr, flush=True)


def engine_programs(cache: Path, progress: Progress = show) -> EnginePrograms:
    """Find or fetch the programs of an engine; the second call for a cache takes milliseconds.

    Args:
        cache: the user's cache folder.
        progress: receives one line per step that takes time.

    Raises:
        SandboxError: when there is no engine and no way to get one, with the repair.
    """
    return _installed() or _unpacked(cache) or _fetch(cache, progress)


def _version(dockerd: Path, environment: dict[str, str] | None = None) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(
            [dockerd, "--version"], capture_output=True, text=True, timeout=20, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"version (\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _installed() -> EnginePrograms | None:
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    dockerd = shutil.which("dockerd", path=path)
    if dockerd is None or any(
        shutil.which(name, path=path) is None for name in ("containerd", "runc", "iptables")
    ):
        return None
    version = _version(Path(dockerd))
    if version is None or version < OLDEST_ENGINE:
        return None
    return EnginePrograms(dockerd=Path(dockerd), version=version, path=(Path(dockerd).parent,))


def _unpacked(cache: Path) -> EnginePrograms | None:
    root = cache / "docker" / "current"
    dockerd = root / "usr" / "sbin" / "dockerd"
    if not dockerd.exists():
        return None
    root = root.resolve()
    libraries = tuple(sorted({found.parent for found in root.glob("**/*-linux-gnu*/*.so.*")}))
    extensions = next(iter(root.glob("usr/lib/*/xtables")), None)
    programs = EnginePrograms(
        dockerd=root / "usr/sbin/dockerd",
        version=OLDEST_ENGINE,
        path=(root / "usr/bin", root / "usr/sbin", root / "bin", root / "sbin"),
        libraries=libraries,
        xtables_nft=root / "xtables-nft",
        xtables_legacy=root / "xtables-legacy",
        xtables_extensions=extensions,
    )
    version = _version(programs.dockerd, programs.environment())
    if version is None:
        return None
    return EnginePrograms(**{**programs.__dict__, "version": version})


def _fetch(cache: Path, progress: Progress) -> EnginePrograms:
    if not all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb")):
        raise SandboxError(
            "there is no Docker Engine: dockerd 20.10 or newer is not on PATH, and without apt-get and "
            "dpkg-deb Debian's packages cannot be unpacked; install Docker Engine, or run `python -m "
            "sandbox start --simulated`"
        )
    folder = cache / "docker"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".unpack-") as temporary:
        work = Path(temporary)
        # apt's own download user must be able to write here; else apt prints a warning for each package.
        work.chmod(0o755)
        options = _apt_lists(folder, progress)
        packages = _closure(options)
        progress(
            f"fetching {len(packages)} Debian packages for the Docker Engine (once per user, about 65 MB)"
        )
        _run(["apt-get", *options, "-q", "download", *packages], "download Debian's Docker packages", work)
        archives = sorted(work.glob("*.deb"))
        digest = hashlib.sha256("\n".join(archive.name for archive in archives).encode()).hexdigest()[:12]
        progress("unpacking them into the cache (nothing is installed)")
        root = work / "root"
        for archive in archives:
            _run(["dpkg-deb", "-x", str(archive), str(root)], f"unpack {archive.name}", work)
        _link_xtables(root)
        target = folder / digest
        if not target.exists():
            root.rename(target)
    link = folder / f".current-{os.getpid()}"
    link.symlink_to(digest)
    link.replace(folder / "current")
    programs = _unpacked(cache)
    if programs is None:
        raise SandboxError(
            f"the Docker Engine unpacked into {target} does not run on this machine; see "
            f"`{target}/usr/sbin/dockerd --version`, or install Docker Engine 20.10 or newer"
        )
    return programs


def _apt_lists(folder: Path, progress: Progress) -> list[str]:
    if any(Path("/var/lib/apt/lists").glob("*Packages*")):
        return []
    lists = folder / "apt"
    (lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (lists / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        *("-o", f"Dir::State::lists={lists}/lists"),
        *("-o", f"Dir::Cache={lists}/cache"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    progress("reading Debian's package lists into the cache")
    _run(["apt-get", *options, "-q", "update"], "read Debian's package lists", folder)
    return options


def _closure(options: Sequence[str]) -> list[str]:
    """The packages to unpack: the roots, and those libraries below them that this system lacks."""
    installed = _run(
        ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n"], "list installed packages", Path("/")
    )
    known = {line[3:].strip() for line in installed.splitlines() if line.startswith("ii ")} | SYSTEM_PACKAGES
    new = {*ROOTS, *([] if shutil.which("ip", path=SYSTEM_PATH) else ["iproute2"])}
    chosen: set[str] = set()
    while new:
        chosen |= new
        text = _run(["apt-cache", *options, "depends", *sorted(new)], "read Debian's dependencies", Path("/"))
        # A line of alternatives starts with "|"; the package that Debian prefers is what is already
        # installed.
        names = set(re.findall(r"^ +(?:Pre)?Depends: (lib[a-z0-9.+-]*)$", text, flags=re.MULTILINE))
        new = names - known - chosen
    return sorted(chosen)


def _link_xtables(root: Path) -> None:
    for variant in ("nft", "legacy"):
        folder = root / f"xtables-{variant}"
        folder.mkdir()
        for name in IPTABLES_NAMES:
            (folder / name).symlink_to(Path("..") / "usr" / "sbin" / f"xtables-{variant}-multi")


def _run(command: Sequence[str], purpose: str, folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(
            f"cannot {purpose}: {error}; install Docker Engine 20.10 or newer instead"
        ) from None
    if done.returncode != 0:
        last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-2:])
        raise SandboxError(
            f"cannot {purpose}: `{' '.join(command[:4])} ...` ended with {done.returncode}: {last}; check "
            "the network and `apt-get update`, or install Docker Engine 20.10 or newer, or run `python -m "
            "sandbox start --simulated`"
        )
    return done.stdout
