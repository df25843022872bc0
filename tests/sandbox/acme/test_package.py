"""Pebble's package in the cache."""

from pathlib import Path

import pytest

from sandbox import debian
from sandbox.acme.package import fetch_pebble, pebble
from sandbox.errors import SandboxError


def test_a_package_that_cannot_be_had_is_told_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox starts without an authority: one line says why."""
    told: list[str] = []

    def offline(*_: object) -> Path:
        raise SandboxError("no network")

    monkeypatch.setattr(debian, "can_fetch", lambda: True)
    monkeypatch.setattr(debian, "fetch", offline)
    fetch_pebble(tmp_path, told.append)
    monkeypatch.setattr(debian, "can_fetch", lambda: False)
    fetch_pebble(tmp_path, told.append)
    assert told == [
        "no certificate authority: no network",
        "no certificate authority: there is no apt-get here to fetch Debian's package pebble with",
    ]
    assert pebble(tmp_path) is None


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is found in the tree that was unpacked last."""
    monkeypatch.setattr(debian, "fetch", lambda *_: pytest.fail("it is there"))
    program = tmp_path / "pebble/1/usr/bin/pebble"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "pebble/current").symlink_to("1")
    fetch_pebble(tmp_path, lambda _: None)
    assert pebble(tmp_path) == program
