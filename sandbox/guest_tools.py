"""The programs that a guest has beside its Docker Engine: `nft` for its rules, and a static busybox for images.

Debian's, unpacked into the cache (`sandbox.debian`) in the folders that they have in a guest: the set is a
tree of `/usr` that a guest sees below the machine's own, so that its loader finds the libraries where it
looks anyway.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox import debian
from sandbox.debian import SYSTEM_PATH, PackageSet, Progress, show
from sandbox.errors import SandboxError

# Older packages put files beside /usr; on a system whose /bin leads to /usr/bin they belong there.
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True, kw_only=True)
class GuestTools:
    """An unpacked set.

    Attributes:
        usr: the tree that a guest sees below the machine's /usr.
    """

    usr: Path

    @property
    def nft(self) -> Path:
        """The program nft; outside of a guest it needs `libraries`."""
        return self.usr / "sbin" / "nft"

    @property
    def busybox(self) -> Path:
        """Busybox, which needs no library."""
        return self.usr / "bin" / "busybox"

    @property
    def libraries(self) -> Path:
        """The folder for LD_LIBRARY_PATH, for whoever runs nft outside of a guest."""
        found = sorted(self.usr.glob("lib/*/libnftables.so.*"))
        return found[0].parent if found else self.usr / "lib"


def guest_tools(cache: Path, progress: Progress = show) -> GuestTools:
    """Find or fetch the tools; the second call for a cache takes milliseconds.

    Args:
        cache: the user's cache folder.
        progress: receives one line per step that takes time.

    Raises:
        SandboxError: when they cannot be had, with the repair.
    """
    root = debian.unpacked(cache, _PACKAGES)
    if root is None:
        if not debian.can_fetch():
            raise SandboxError(
                "guests need nft and a static busybox, which the sandbox unpacks from Debian's packages, and "
                "apt-get and dpkg-deb are not here; run it on Debian or Ubuntu, or run `python -m sandbox "
                "start --simulated`"
            )
        root = debian.fetch(cache, _PACKAGES, progress)
    tools = GuestTools(usr=root / "usr")
    _require_runs(tools)
    return tools


def merge_into_usr(root: Path) -> None:
    """Move what lies in /bin, /sbin and /lib* of an unpacked tree to where a merged system has it."""
    for name in _MERGED:
        source = root / name
        for path in sorted(source.rglob("*")) if source.is_dir() else []:
            if path.is_dir() and not path.is_symlink():
                continue
            target = root / "usr" / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        if source.is_dir():
            shutil.rmtree(source)


_PACKAGES = PackageSet(
    folder="guest-tools",
    title="the guests' own tools",
    size="3 MB",
    roots=("nftables", "busybox-static"),
    instead="run it on a machine that can download Debian's packages",
    own_libraries=True,
    finish=merge_into_usr,
)


def _require_runs(tools: GuestTools) -> None:
    environment = {"PATH": SYSTEM_PATH, "LD_LIBRARY_PATH": str(tools.libraries)}
    for command in ([str(tools.nft), "--version"], [str(tools.busybox), "true"]):
        try:
            subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(
                f"{tools.usr}, unpacked from Debian's packages, does not run on this machine: {error}; delete "
                f"{tools.usr.parents[1]} to have it fetched again, or run `python -m sandbox start --simulated`"
            ) from None
