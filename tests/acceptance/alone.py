"""The real engine with one stand-in plugin in a folder of its own: a program, its state, and one API."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.support.needs import need
from toolchain import resolve

ROOT = Path(__file__).resolve().parents[2]
STACK = "alone"


@dataclass(frozen=True, kw_only=True)
class Alone:
    """A folder with a program and its state."""

    folder: Path
    variables: Mapping[str, str]
    """What the program finds in its environment."""

    def pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the engine."""
        path = [str(Path(sys.executable).parent), *map(str, resolve.search_path()), "/usr/bin:/bin"]
        environment = {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.variables,
        }
        return subprocess.run(
            ["pulumi", *words, "--stack", STACK, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def up(self, *words: str, fails: bool = False) -> str:
        """Update, and give what was said."""
        done = self.pulumi("up", "--yes", *words)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr


def alone(folder: Path, package: str, address: str, variables: Mapping[str, str]) -> Alone:
    """A stack without resources beside a program that is in the folder already.

    Args:
        folder: holds `__main__.py`, `Pulumi.yaml` and, where the program has one, `Pulumi.alone.yaml`.
        package: of the stand-in plugin.
        address: of the API that it may talk to.
        variables: the program's.
    """
    need(resolve.find("pulumi") is not None, "no Pulumi engine here: run `python3 -m toolchain build pulumi`")
    (folder / "state").mkdir()
    (folder / ".sandbox").mkdir()
    (folder / ".sandbox" / "endpoints.json").write_text(json.dumps({package: address}))
    plugins = folder / "home" / "plugins"
    plugin = plugins / f"resource-{package}-v{version(f'pulumi-{package}')}" / f"pulumi-resource-{package}"
    plugin.parent.mkdir(parents=True)
    command = f'{sys.executable} -m sandbox.plugins {package} --checkout {folder} "$@"'
    plugin.write_text(f"#!/bin/sh\nPYTHONPATH={ROOT} exec {command}\n")
    plugin.chmod(0o755)
    found = Alone(folder=folder, variables=variables)
    assert found.pulumi("stack", "init").returncode == 0
    return found
