"""The Go modules and the package itself: versions agree, and nothing but the standard library is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import need
from toolchain import resolve
from toolchain.binaries import (
    AUTHELIA_VERSION,
    BINARIES,
    ENGINE,
    ENGINE_VERSION,
    LANGUAGE_HOST,
    MODULES,
    TRAEFIK_VERSION,
)
from toolchain.go import existing_go

ROOT = MODULES.parent


@pytest.mark.parametrize(
    ("module", "requirement"),
    [
        ("pulumi", f"github.com/pulumi/pulumi/pkg/v3 v{ENGINE_VERSION}"),
        ("pulumi", f"github.com/pulumi/pulumi/sdk/v3 v{ENGINE_VERSION}"),
        ("traefik", f"github.com/traefik/traefik/v3 v{TRAEFIK_VERSION}"),
        ("access-control", f"github.com/authelia/authelia/v4 v{AUTHELIA_VERSION}"),
    ],
)
def test_the_versions_said_are_the_versions_pinned(module: str, requirement: str) -> None:
    """What is built is what the program says it builds; the script beside the host is the engine's."""
    lines = [line.removeprefix("require").split("//")[0].strip() for line in module_file(module).splitlines()]
    assert requirement in lines


@pytest.mark.parametrize("binary", BINARIES, ids=lambda binary: binary.name)
def test_every_module_pins_what_it_builds(binary: object) -> None:
    """A module has a go.mod, and a go.sum as soon as it requires anything."""
    name = getattr(binary, "name", "")
    assert "require" not in module_file(name) or (MODULES / name / "go.sum").stat().st_size > 0


def module_file(name: str) -> str:
    """Return the text of a module's go.mod."""
    return (MODULES / name / "go.mod").read_text()


def test_the_toolchain_needs_nothing_installed() -> None:
    """A fresh interpreter without any installed package imports every file of it."""
    names = [f"toolchain.{path.stem}" for path in MODULES.glob("*.py") if path.stem != "__init__"]
    assert "toolchain.__main__" in names
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(names)}"
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.engine
def test_the_engine_runs_a_python_program(tmp_path: Path) -> None:
    """Engine, language host and its script, as built or found, bring up a program and return its output."""
    engine, host = resolve.find(ENGINE.name), resolve.find(LANGUAGE_HOST.name)
    need(engine is not None and host is not None, "the engine is not built: python3 -m toolchain build")
    (tmp_path / "Pulumi.yaml").write_text("name: tried\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("import pulumi\npulumi.export('answer', 6 * 7)\n")
    folders = [Path(sys.executable).parent, *(program.parent for program in (engine, host) if program)]
    environment = {
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": tmp_path.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "tried",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def run(*arguments: str) -> str:
        answer = subprocess.run(
            [str(engine), *arguments, "--non-interactive"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    run("stack", "init", "tried")
    run("up", "--yes", "--skip-preview")
    assert json.loads(run("stack", "output", "--json")) == {"answer": 42}


@pytest.mark.engine
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [("pulumi", ("version",), "v3."), ("traefik", ("version",), f"Version:      {TRAEFIK_VERSION}")],
)
def test_a_built_binary_says_its_version(name: str, arguments: tuple[str, ...], expected: str) -> None:
    """What lies in the cache runs on this machine."""
    program = resolve.find(name)
    need(program is not None, f"{name} is not built: python3 -m toolchain build {name}")
    answer = subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
    assert answer.stdout.startswith(expected)


@pytest.mark.engine
def test_the_smallest_binary_builds_with_a_real_go(tmp_path: Path) -> None:
    """A real build into an empty cache gives a program, and a second call gives it again."""
    need(existing_go()[0] is not None, "there is no Go 1.26 or newer on PATH")
    command = [sys.executable, "-m", "toolchain", "build", "standin"]
    environment = {**os.environ, "HOMELAB_CACHE": str(tmp_path)}
    answers = [
        subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        for _ in range(2)
    ]
    assert answers[0].returncode == 0, answers[0].stderr
    program = Path(answers[0].stdout.split()[1])
    assert program.is_relative_to(tmp_path)
    assert os.access(program, os.X_OK)
    assert (answers[1].stdout, answers[1].stderr) == (answers[0].stdout, "")
