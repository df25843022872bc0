"""Files of `.sandbox` that are broken or of another version: one sentence with the way out, and nothing is changed."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.errors import SandboxError
from sandbox.grounds import SimulatedGround
from sandbox.machine import Machine
from sandbox.settings import is_running, read_settings
from tests.sandbox.engine_ground import sandbox_command, simulated_checkout

BROKEN = (
    "",
    "{",
    "[]",
    '{"simulated": null}',
    '{"201": {}}',
    '{"x": {"spec": {"nics": []}, "running": true}}',
)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that nothing runs on."""
    found = asyncio.new_event_loop()
    yield found
    found.close()


@pytest.mark.parametrize("text", BROKEN)
def test_settings(tmp_path: Path, text: str) -> None:
    """They say only how it was started, so the next start writes them anew."""
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox" / "settings.json").write_text(text)
    with pytest.raises(
        SandboxError, match=r"settings.json does not say how .*; delete it and start the sandbox again"
    ):
        read_settings(Checkout(tmp_path))


@pytest.mark.parametrize("text", BROKEN)
def test_guests(tmp_path: Path, text: str, loop: asyncio.AbstractEventLoop) -> None:
    """They cannot be made up, so the way out is another version or an empty sandbox."""
    checkout = Checkout(tmp_path)
    checkout.make_dirs()
    checkout.guests_file.write_text(text)
    with pytest.raises(
        SandboxError, match=r"guests.json is broken, or was written by another version .*`make clean`"
    ):
        Machine(checkout, SimulatedGround(checkout, loop), loop)
    assert checkout.guests_file.read_text() == text


@pytest.mark.engine
def test_start_says_it_in_one_sentence() -> None:
    """`start` gives the sentence of its daemon, no trace, and the file is as it was."""
    with simulated_checkout() as checkout:
        checkout.make_dirs()
        with closing(sqlite3.connect(checkout.store_file)) as connection:
            connection.execute("PRAGMA user_version = 99")
        started = sandbox_command(checkout, "start", "--simulated")
        assert started.returncode == 1
        assert started.stderr.startswith(
            f"the sandbox did not start: the sandbox's state {checkout.store_file} has format 99, and this version "
        )
        assert not is_running(checkout)
        checkout.store_file.unlink()
