"""What each layer may load, and the names that no file has; the contracts themselves are lint-imports' work."""

import ast
import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
import lab
for part in pkgutil.walk_packages(lab.__path__, "lab."):
    importlib.import_module(part.name)
print(json.dumps(sorted(sys.modules)))
"""

FORBIDDEN = {
    "aiohttp",
    "cli",
    "cloudflare",
    "components",
    "docker",
    "grpc",
    "h11",
    "probe",
    "proxmoxer",
    "pulumi",
    "pulumi_cloudflare",
    "pulumi_docker",
    "pulumi_proxmoxve",
    "pulumi_tailscale",
    "requests",
    "sandbox",
    "ssl",
    "toolchain",
    "typer",
    "urllib3",
}


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of a fresh interpreter that has imported all of `lab`."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{IMPORT_EVERYTHING}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(json.loads(done.stdout))


def test_lab_loads_every_module_of_its_own(loaded: set[str]) -> None:
    """Every file of `lab/` is a module that can be imported."""
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "lab").rglob("*.py")}
    names = {".".join(path.parts).removesuffix(".__init__") for path in files}
    assert names <= loaded


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_lab_loads_nothing_that_reaches_outside(package: str, loaded: set[str]) -> None:
    """Importing all of `lab` loads no engine, no provider, no client and no TLS.

    The standard library's `socket` comes in by way of pydantic (`importlib.metadata`
    reads package data with `email`, which imports it); the next two tests say that nothing
    of ours imports it and that nobody opens one.
    """
    assert {name for name in loaded if name.partition(".")[0] == package} == set()


@pytest.mark.parametrize("module", ["socket", "http", "urllib.request", "asyncio", "subprocess"])
def test_lab_imports_no_way_out(module: str) -> None:
    """No file of `lab/` imports what opens a connection or starts a program."""
    imported = {
        (path, name)
        for path in (ROOT / "lab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert [path for path, name in imported if name == module or name.startswith(f"{module}.")] == []


PLAN_AND_LISTEN = """
import sys
sys.path.insert(0, {root!r})
heard = []
sys.addaudithook(lambda event, _: heard.append(event) if event.startswith(("socket.", "subprocess.")) else None)
from pathlib import Path
from lab.plan import load_plan
from lab.render.report import plan_text
text = plan_text(load_plan(Path({root!r}) / "Pulumi.dev.yaml"))
print(len(text) > 1000, heard)
"""


def test_planning_opens_no_socket() -> None:
    """From the lab file to the text of the plan, no socket is made and no program is started."""
    command = [sys.executable, "-I", "-c", PLAN_AND_LISTEN.format(root=str(ROOT))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True []\n"


@pytest.mark.parametrize("package", ["lab", "components", "cli", "probe", "sandbox", "toolchain"])
def test_files_are_named_for_what_they_hold(package: str) -> None:
    """No file is a drawer for everything."""
    drawers = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
    assert [path for path in (ROOT / package).rglob("*.py") if path.stem in drawers] == []


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module of tests that pytest takes for tests."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            found.append(node)
    return found


DEFINES_A_TEST = re.compile(r"^\s*(async )?def test_", re.MULTILINE)
MODULES = [path for path in sorted(TESTS.rglob("*.py")) if DEFINES_A_TEST.search(path.read_text())]


def test_every_test_is_collected() -> None:
    """A module that defines tests is named so that pytest finds it."""
    assert [path for path in MODULES if not fnmatch(path.name, "test_*.py")] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_test_says_what_it_expects(path: Path) -> None:
    """Every test has a docstring that is a sentence."""
    said = {node.name: ast.get_docstring(node) or "" for node in functions(path)}
    assert [name for name, text in said.items() if not text.strip().endswith(".")] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_hides_another(path: Path) -> None:
    """No two tests of one scope have one name, because the first would never run."""
    for scope in ast.walk(ast.parse(path.read_text())):
        if not isinstance(scope, ast.Module | ast.ClassDef):
            continue
        names = [
            node.name for node in scope.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"
        ]
        assert len(names) == len(set(names))
