"""How an engine is found, and what is said when there is none."""

from pathlib import Path

import pytest

from sandbox.docker import packages
from sandbox.errors import SandboxError


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{text}'\n")
    (folder / name).chmod(0o755)


def _only_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(packages, "SYSTEM_PATH", "/bin-of-nobody")


def test_the_users_engine_is_used_when_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A dockerd of 20.10 or newer on PATH, with what it needs, is taken; nothing is fetched."""
    monkeypatch.setattr(packages, "SYSTEM_PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    _program(tmp_path / "bin", "dockerd", "Docker version 28.5.2, build abc")
    for name in ("containerd", "runc", "iptables"):
        _program(tmp_path / "bin", name, "")
    programs = packages.engine_programs(tmp_path / "cache")
    assert (programs.dockerd, programs.version) == (tmp_path / "bin" / "dockerd", (28, 5))
    assert not (tmp_path / "cache").exists()


def test_no_engine_and_no_way_to_get_one_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without dockerd and apt the sentence says what is missing and the two repairs."""
    _only_path(monkeypatch, tmp_path / "bin")
    with pytest.raises(SandboxError) as caught:
        packages.engine_programs(tmp_path / "cache")
    assert str(caught.value) == (
        "there is no Docker Engine: dockerd 20.10 or newer is not on PATH, and without apt-get and dpkg-deb "
        "Debian's packages cannot be unpacked; install Docker Engine, or run "
        "`python -m sandbox start --simulated`"
    )


def test_an_old_engine_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A dockerd older than 20.10 counts as none."""
    _only_path(monkeypatch, tmp_path / "bin")
    _program(tmp_path / "bin", "dockerd", "Docker version 19.03.1, build abc")
    with pytest.raises(SandboxError, match="there is no Docker Engine"):
        packages.engine_programs(tmp_path / "cache")
