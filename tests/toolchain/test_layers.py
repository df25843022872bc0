"""The layer contracts of pyproject.toml: each one breaks when a file imports what it must not."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import need
from toolchain.binaries import MODULES

PYPROJECT = MODULES.parent / "pyproject.toml"
PACKAGES = (
    "lab", "lab.config", "lab.plan", "lab.render", "lab.isolation", "lab.simulate",
    "probe", "cli", "components", "sandbox", "toolchain",
)  # fmt: skip
LEAVES = (
    "lab.names",
    "lab.errors",
    "lab.flows",
    "lab.docker_api",
    "lab.addresses",
    "lab.policy",
    "lab.routes",
    "lab.ledger",
)

ALLOWED = {
    "lab.simulate": "import lab.flows, lab.errors",
    "lab.render.text": "import lab.isolation, lab.plan, lab.names",
    "lab.plan.make": "import lab.addresses, lab.routes, lab.config",
    "components.guest": "import pulumi, lab.plan",
    "cli.check": "import rich, typer, lab.render, lab.plan, lab.config, probe",
    "probe.connect": "import docker, socket, lab.plan",
    "sandbox.server": "import aiohttp, docker",
    "toolchain.build": "import subprocess",
}
FORBIDDEN = [
    ("lab.plan.make", "import pulumi", "lab/ is pure"),
    ("lab.config.load", "import socket", "lab/ is pure"),
    ("lab.render.text", "import docker.errors", "lab/ is pure"),
    ("lab.names", "import sandbox.server", "lab/ is pure"),
    ("lab.plan.make", "import lab.render.text", "lab/ is built in layers"),
    ("lab.config.load", "import lab.plan", "lab/ is built in layers"),
    ("lab.isolation", "import lab.render.text", "lab/ is built in layers"),
    ("lab.errors", "import lab.routes", "lab/ is built in layers"),
    ("cli.check", "import components.guest", "lab/ is built in layers"),
    ("sandbox.server", "import lab.names", "sandbox/ sees only"),
    ("sandbox.server", "import probe.connect", "sandbox/ sees only"),
    ("components.guest", "import lab.config", "components/ get decided values"),
    ("components.guest", "import sandbox.server", "components/ get decided values"),
    ("probe.connect", "import pulumi", "probe/ observes"),
    ("probe.connect", "import sandbox.server", "probe/ observes"),
    ("cli.check", "import pulumi_docker", "cli/ answers without the engine"),
    ("cli.check", "import sandbox.server", "cli/ answers without the engine"),
    ("toolchain.build", "import rich", "toolchain/ runs before"),
    ("toolchain.build", "import lab.names", "toolchain/ runs before"),
    ("lab.simulate", "import lab.plan", "lab/simulate shares nothing"),
    ("lab.simulate", "import lab.names", "lab/simulate shares nothing"),
]


def write(root: Path, module: str, line: str) -> None:
    """Add an import to a module of the tree, making its file if there is none."""
    path = root / Path(*module.split("."))
    file = path / "__init__.py" if module in PACKAGES else path.with_suffix(".py")
    with file.open("a") as text:
        text.write(line + "\n")


def broken(root: Path) -> list[str]:
    """Return the names of the contracts that the tree breaks."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    answer = subprocess.run(
        [*command, "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdicts = [line for line in answer.stdout.splitlines() if " KEPT" in line or " BROKEN" in line]
    assert len(verdicts) == PYPROJECT.read_text().count("[[tool.importlinter.contracts]]"), answer.stdout
    return [line for line in verdicts if " BROKEN" in line]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with every package of the design, in which each imports only what it may."""
    need(
        importlib.util.find_spec("importlinter") is not None, "import-linter is not installed: make venv-dev"
    )
    shutil.copy(PYPROJECT, tmp_path)
    for module in PACKAGES:
        (tmp_path / Path(*module.split("."))).mkdir()
    for module in (*PACKAGES, *LEAVES):
        write(tmp_path, module, "")
    for module, line in ALLOWED.items():
        write(tmp_path, module, line)
    return tmp_path


def test_what_the_design_allows_breaks_no_contract(tree: Path) -> None:
    """Every import that the design draws is allowed."""
    assert broken(tree) == []


@pytest.mark.parametrize("contract", sorted({contract for _, _, contract in FORBIDDEN}))
def test_what_the_design_forbids_breaks_its_contract(tree: Path, contract: str) -> None:
    """Each forbidden import alone is reported by the contract that is there for it."""
    for module, line, expected in FORBIDDEN:
        if expected != contract:
            continue
        shutil.copytree(tree, copy := tree / "copy")
        write(copy, module, line)
        assert [name for name in broken(copy) if name.startswith(contract)], f"{module}: {line}"
        shutil.rmtree(copy)
