"""A clone of this checkout in a folder of its own, and what can be asked of it."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Clone:
    """A checkout that a test may run and break."""

    root: Path
    user: int | None = None
    """Whose processes run in it; None for whoever runs the tests."""

    def make(
        self, *targets: str, timeout: float = 900, environment: Mapping[str, str] | None = None
    ) -> "Answer":
        """Run `make` in it, with a bare environment."""
        done = subprocess.run(
            ["make", "--no-print-directory", *targets],
            cwd=self.root,
            env={**_bare_environment(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else (),
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def shell(self, script: str, timeout: float = 300) -> "Answer":
        """Run a line in a shell of a user who has sourced the lab's environment."""
        done = subprocess.run(
            ["bash", "-c", f". .sandbox/env && {script}"],
            cwd=self.root,
            env=_bare_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else (),
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def prefix(self) -> str:
        """How the names of its namespaces and links begin."""
        return f"hl-{hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:6]}"

    def leftovers(self) -> list[str]:
        """Processes, namespaces and links of this clone that are there now."""
        found = [f"process {pid}: {line}" for pid, line in _processes() if str(self.root) in line]
        for command in (["ip", "netns", "list"], ["ip", "-oneline", "link"]):
            lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            found += [line for line in lines if self.prefix in line]
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        return found + [line for line in mounts if str(self.root) in line or self.prefix in line]

    def committed_files(self) -> dict[str, str]:
        """A digest of every file that git would track."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
            and not {".venv", ".sandbox", "__pycache__"} & set(path.relative_to(self.root).parts)
        }


@dataclass(frozen=True)
class Answer:
    """What a program answered."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out[-6000:]}\n--- err\n{self.err[-6000:]}"


def clone_to(folder: Path) -> Clone:
    """Copy what git tracks, or would track, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return Clone(folder)


def _processes() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found.append((int(entry.name), line))
    return found


def _bare_environment() -> dict[str, str]:
    """What a login shell has, and nothing of the virtual environment that runs the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PULUMI", "LAB", "VIRTUAL_ENV"))
    }
    venv = os.environ.get("VIRTUAL_ENV") or str(ROOT / ".venv")
    folders = [folder for folder in kept["PATH"].split(os.pathsep) if not folder.startswith(venv)]
    return {**kept, "PATH": os.pathsep.join(folders)}
