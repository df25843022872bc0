"""The cache: what changes a key, and that an entry is there wholly or not at all."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.toolchain.conftest import Workplace
from toolchain import binaries, build, cache
from toolchain.binaries import LANGUAGE_HOST, MODULES, STANDIN
from toolchain.go import Go
from toolchain.progress import Progress

GO = Go(program=Path("go"), version="go1.26.8 linux/amd64")
FILL_AND_WAIT = """
import sys, time
from pathlib import Path
from toolchain import cache
from toolchain.progress import Progress
lock = cache.exclusive("thing", Progress("thing"))
with lock, cache.filling(cache.entry("thing", "0" * 12)) as folder:
    (folder / "half").write_text("half")
    print("filling", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def modules(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the copied Go modules, in place of the real one."""
    folder = workplace.root / "toolchain"
    monkeypatch.setattr(binaries, "MODULES", folder)
    monkeypatch.setattr(build, "MODULES", folder)
    monkeypatch.setenv("HOMELAB_CACHE", str(workplace.cache))
    return folder


@pytest.mark.parametrize("change", ["edit", "add", "rename", "remove"])
def test_a_changed_module_file_changes_the_key(modules: Path, change: str) -> None:
    """Any change of a file of the Go module gives the binary another entry."""
    before = build.entry_of(LANGUAGE_HOST, GO)
    file = modules / LANGUAGE_HOST.name / "go.sum"
    match change:
        case "edit":
            file.write_text(file.read_text() + "\n")
        case "add":
            (file.parent / "extra" / "more.go").parent.mkdir()
            (file.parent / "extra" / "more.go").write_text("package extra\n")
        case "rename":
            file.rename(file.with_name("go.sums"))
        case _:
            file.unlink()
    assert build.entry_of(LANGUAGE_HOST, GO) != before


def test_an_equal_copy_has_the_same_key(modules: Path) -> None:
    """A second checkout with equal files uses the first one's entry."""
    copied = build.entry_of(STANDIN, GO)
    (modules / STANDIN.name / ".editor-backup").write_text("hidden files are no source")
    assert build.entry_of(STANDIN, GO) == copied
    assert cache.files_digest(modules / "pulumi") == cache.files_digest(MODULES / "pulumi")


def test_go_and_flags_change_the_key(modules: Path) -> None:
    """Another Go, another flag or another setting gives another entry."""
    keys = {
        build.entry_of(STANDIN, GO),
        build.entry_of(STANDIN, Go(program=Path("go"), version="go1.27.0 linux/amd64")),
        build.entry_of(replace(STANDIN, ldflags=("-s",)), GO),
        build.entry_of(replace(STANDIN, package="./other"), GO),
    }
    assert len(keys) == 4


def test_the_engine_pin_changes_the_key_of_its_companion(modules: Path) -> None:
    """The language host's script comes from the engine's modules, so their pins count for its key."""
    before = build.entry_of(LANGUAGE_HOST, GO)
    pin = modules / "pulumi" / "go.mod"
    pin.write_text(pin.read_text() + "\n")
    assert build.entry_of(LANGUAGE_HOST, GO) != before


def test_parts_of_a_key_do_not_run_together() -> None:
    """Where one part ends and the next begins counts."""
    assert cache.key_of("ab", "c") != cache.key_of("a", "bc")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HOMELAB_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/homelab"),
        ({"HOME": "/people/me"}, "/people/me/.cache/homelab"),
    ],
)
def test_the_cache_is_where_the_environment_says(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The own variable comes first, then the one of the desktop's standard, then the home folder."""
    for name in ("HOMELAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache.cache_root() == Path(expected)


def test_an_entry_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    """While it is filled, and after it failed, there is no entry and nothing remains."""
    target = tmp_path / "thing-000000000000"
    with pytest.raises(IsADirectoryError), cache.filling(target) as folder:
        folder.write_text("a folder cannot be written to")
    assert list(tmp_path.iterdir()) == []
    with cache.filling(target) as folder:
        (folder / "whole").write_text("whole")
        assert not target.exists()
    assert [path.name for path in tmp_path.rglob("*")] == [target.name, "whole"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_no_entry_and_no_lock(
    workplace: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    """After a kill the next process gets the lock at once, finds no entry, and removes the remains."""
    command = [sys.executable, "-c", FILL_AND_WAIT]
    with subprocess.Popen(
        command, cwd=workplace.root, env=workplace.environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
    monkeypatch.setenv("HOMELAB_CACHE", str(workplace.cache))
    target = cache.entry("thing", "0" * 12)
    assert not target.exists()
    with cache.exclusive("thing", Progress("thing")), cache.filling(target):
        pass
    assert capsys.readouterr().err == ""
    assert [name for name in os.listdir(target.parent) if "tmp" in name] == []
    assert list(target.iterdir()) == []


def test_a_second_process_waits_for_the_lock(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second says that it waits, and goes on when the first is done."""
    monkeypatch.setenv("HOMELAB_CACHE", str(workplace.cache))
    with cache.exclusive("thing", Progress("first")):
        second = subprocess.Popen(
            [sys.executable, "-c", FILL_AND_WAIT],
            cwd=workplace.root,
            env=workplace.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert second.stdout is not None
        assert second.stdout.readline() == "thing: another process is at it, waiting\n"
    try:
        assert second.stdout.readline() == "filling\n"
    finally:
        second.kill()
        second.communicate()
