"""The programs of a Docker Engine: the user's own where they are new enough, else Debian's, unpacked into the
cache (`sandbox.debian`).
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox import debian
from sandbox.debian import SYSTEM_PATH, PackageSet, Progress, show
from sandbox.errors import SandboxError

OLDEST_ENGINE = (20, 10)
ROOTS = ("docker.io", "containerd", "runc", "iptables", "nftables", "tini")
IPTABLES_NAMES = tuple(
    f"{base}{suffix}" for base in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore")
)


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


def _package_set() -> PackageSet:
    return PackageSet(
        folder="docker",
        title="the Docker Engine",
        size="65 MB",
        roots=(*ROOTS, *([] if shutil.which("ip", path=SYSTEM_PATH) else ["iproute2"])),
        instead="install Docker Engine 20.10 or newer",
        finish=_link_xtables,
    )


def _unpacked(cache: Path) -> EnginePrograms | None:
    root = debian.unpacked(cache, _package_set())
    if root is None:
        return None
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
    if not debian.can_fetch():
        raise SandboxError(
            "there is no Docker Engine: dockerd 20.10 or newer is not on PATH, and without apt-get and "
            "dpkg-deb Debian's packages cannot be unpacked; install Docker Engine, or run `python -m "
            "sandbox start --simulated`"
        )
    target = debian.fetch(cache, _package_set(), progress)
    programs = _unpacked(cache)
    if programs is None:
        raise SandboxError(
            f"the Docker Engine unpacked into {target} does not run on this machine; see "
            f"`{target}/usr/sbin/dockerd --version`, or install Docker Engine 20.10 or newer"
        )
    return programs


def _link_xtables(root: Path) -> None:
    for variant in ("nft", "legacy"):
        folder = root / f"xtables-{variant}"
        folder.mkdir()
        for name in IPTABLES_NAMES:
            (folder / name).symlink_to(Path("..") / "usr" / "sbin" / f"xtables-{variant}-multi")
