"""A copy of the toolchain, an own cache and programs that only answer, so that no test builds by accident."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchain.binaries import MODULES

FAKE_GO = """#!/bin/sh
# Answers like Go: its version, a build that writes down that it ran, and where a module lies.
case "$1" in
  version) echo "go version {version}" ;;
  build)
    echo run >> "{record}"
    {behaviour}
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho built\\n' > "$2"; chmod +x "$2" ;;
  mod) echo "{{\\"Dir\\": \\"{record}.module\\"}}" ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """A copy of the toolchain at ``root``, its cache, and ``bin``, which comes first on its PATH."""

    root: Path
    cache: Path
    bin: Path
    record: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the copy runs: no release, no package index, the fake programs first."""
        return {
            "PATH": f"{self.bin}{os.pathsep}{self.bin.parent / 'system'}",
            "HOME": str(self.root),
            "HOMELAB_CACHE": str(self.cache),
            "HOMELAB_ENGINE_RELEASE": "no",
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }

    @property
    def entries(self) -> list[str]:
        """The names in the cache that are not locks."""
        folder = self.cache / "toolchain"
        return (
            sorted(path.name for path in folder.glob("*") if path.suffix != ".lock")
            if folder.is_dir()
            else []
        )

    @property
    def builds(self) -> int:
        """How often the fake Go built something."""
        return len(self.record.read_text().splitlines()) if self.record.exists() else 0

    def start(self, *arguments: str, first: Path | None = None) -> subprocess.Popen[str]:
        """Start ``python -m toolchain`` with these arguments, and another folder first on PATH if given."""
        path = os.pathsep.join(filter(None, [str(first or ""), self.environment["PATH"]]))
        return subprocess.Popen(
            [sys.executable, "-m", "toolchain", *arguments],
            cwd=self.root,
            env={**self.environment, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, first: Path | None = None) -> tuple[int, str, str]:
        """Run ``python -m toolchain``; return its exit code, answer and problems."""
        with self.start(*arguments, first=first) as process:
            answer, problems = process.communicate(timeout=60)
        return process.returncode, answer, problems

    def program(self, name: str, script: str) -> Path:
        """Put an executable script on PATH."""
        path = self.bin / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    def go(self, *, version: str = "go1.26.8 linux/amd64", behaviour: str = ":") -> Path:
        """Put a fake Go on PATH; ``behaviour`` is what its build does before it writes the binary."""
        script = Path(f"{self.record}.module/python/cmd/pulumi-language-python-exec")
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("#!/usr/bin/env python3\n")
        text = FAKE_GO.format(version=version, record=self.record, behaviour=behaviour)
        return self.program("go", text)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A workplace with no Go, no engine and an empty cache."""
    root = tmp_path / "checkout"
    shutil.copytree(MODULES, root / "toolchain", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("bin", "system"):
        (tmp_path / folder).mkdir()
    # Only what the fake programs themselves call, so that the machine's own Go is out of reach.
    for name in ("sh", "sleep", "chmod"):
        (tmp_path / "system" / name).symlink_to(shutil.which(name) or name)
    return Workplace(root=root, cache=tmp_path / "cache", bin=tmp_path / "bin", record=tmp_path / "builds")


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds, for at most ten seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "the condition did not come true within 10 s"
            time.sleep(0.02)

    return wait
