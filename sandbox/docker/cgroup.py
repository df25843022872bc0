"""The control groups of an engine: how all of its processes are found, and ended, without knowing their
names.

A group is `<hierarchy>/hl-xxxxxx/<guest>`; the engine's own processes start in its child `engine`, and Docker
puts each container beside it. Works with cgroup v2 and with the separate hierarchies of v1.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

from sandbox.errors import SandboxError

ROOT = Path("/sys/fs/cgroup")
# Any one v1 hierarchy shows all processes of a group; the first that is mounted is taken.
V1_HIERARCHIES = ("pids", "freezer", "devices", "systemd")


class EngineGroup:
    """The processes of one engine and of its containers.

    Args:
        parent: the group of the checkout, such as `hl-1a2b3c`.
        guest: the guest's name.
    """

    def __init__(self, parent: str, guest: str, root: Path = ROOT) -> None:
        self._root = root
        self.name = f"/{parent}/{guest}"
        self._parent = parent

    @property
    def own(self) -> Path:
        """The folder of the group in which the engine's own processes run."""
        return self._hierarchy() / self.name.lstrip("/") / "engine"

    def create(self) -> Path:
        """Make the group and return the folder whose `cgroup.procs` a process joins by writing its id."""
        self.own.mkdir(parents=True, exist_ok=True)
        return self.own

    def processes(self) -> list[int]:
        """The ids of all processes of the engine and its containers."""
        folder = self._hierarchy() / self.name.lstrip("/")
        found: list[int] = []
        for path in folder.glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):
                found += [int(line) for line in path.read_text().split()]
        return found

    def kill(self, seconds: float = 10.0) -> None:
        """Kill all processes until none is left.

        Raises:
            SandboxError: when one survives for `seconds`.
        """
        deadline = time.monotonic() + seconds
        while left := self.processes():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"processes {left} of the engine in {self.name} do not end; look at them with `ps`"
                )
            time.sleep(0.02)

    def remove(self) -> None:
        """Remove the group from every hierarchy; its processes must have ended."""
        for hierarchy in (self._root, *(path for path in self._root.iterdir() if path.is_dir())):
            folder = hierarchy / self.name.lstrip("/")
            for path in sorted(folder.glob("**/"), reverse=True):
                with contextlib.suppress(FileNotFoundError):
                    _remove_folder(path)
            with contextlib.suppress(OSError):
                # The checkout's group stays while another engine uses it.
                (hierarchy / self._parent).rmdir()

    def _hierarchy(self) -> Path:
        if (self._root / "cgroup.controllers").exists():
            return self._root
        for name in V1_HIERARCHIES:
            if (self._root / name / "cgroup.procs").exists():
                return self._root / name
        raise SandboxError(
            f"no control group hierarchy is mounted under {self._root}, and Docker needs one; mount cgroup2 "
            "there, or run `python -m sandbox start --simulated`"
        )


def engine_groups(parent: str, root: Path = ROOT) -> list[EngineGroup]:
    """The groups of all engines of a checkout that exist in any hierarchy, found by name."""
    names: set[str] = set()
    if root.is_dir():
        for hierarchy in (root, *(path for path in root.iterdir() if path.is_dir())):
            names |= {path.name for path in (hierarchy / parent).glob("*") if path.is_dir()}
    return [EngineGroup(parent, name, root) for name in sorted(names)]


def _remove_folder(path: Path) -> None:
    # The kernel lets a group go only some time after its last process has ended.
    for _ in range(100):
        try:
            path.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
