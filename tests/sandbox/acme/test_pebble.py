"""The authority as a process: started, asked, ended, and gone when its daemon is killed."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from cryptography import x509

from sandbox.acme.package import fetch_pebble, pebble
from sandbox.acme.pebble import PORTS, Authority
from sandbox.certificates import ensure_certificates
from sandbox.checkout import Checkout, cache_dir
from tests.support.needs import need

ROOT = Path(__file__).resolve().parents[3]
DAEMON = """
import asyncio, sys
from pathlib import Path
from sandbox.acme.pebble import Authority
from sandbox.checkout import Checkout

async def main():
    authority = Authority(Checkout(Path(sys.argv[1])))
    await authority.start()
    print(authority.listing()["problem"], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Whose authority it is."""
    own = Checkout(tmp_path)
    own.make_dirs()
    ensure_certificates(own)
    return own


@pytest.fixture
def program() -> Path:
    """The real Pebble."""
    fetch_pebble(cache_dir())
    found = pebble(cache_dir())
    need(found is not None, "Debian's package pebble cannot be had")
    assert found is not None
    return found


def _script(folder: Path, text: str) -> Path:
    path = folder / "pebble"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _processes(checkout: Checkout) -> list[int]:
    """Those that have this checkout's Pebble configuration on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and str(checkout.dir / "pebble.json").encode() in (entry / "cmdline").read_bytes()
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_program_that_ends_is_told(checkout: Checkout, tmp_path: Path) -> None:
    """Everything else goes on, and status names the log in which it said why."""
    need(shutil.which("setpriv") is not None, "setpriv of util-linux is not here")

    async def work() -> None:
        authority = Authority(checkout, _script(tmp_path, "echo broken; exit 1"))
        assert authority.listing() == {"problem": "it is starting", "roots": None}
        await authority.start()
        problem = authority.listing()["problem"]
        assert problem == f"Pebble does not answer; see {checkout.logs_dir / 'pebble.log'}"
        assert (checkout.logs_dir / "pebble.log").read_text() == "broken\n"
        await authority.close()

    asyncio.run(work())
    assert not checkout.roots_file.exists()


def test_without_the_package_status_says_how_to_get_it(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is started."""
    monkeypatch.setenv("HOMELAB_CACHE", str(tmp_path / "empty"))

    async def work() -> None:
        authority = Authority(checkout)
        await authority.start()
        assert "package pebble is not in the cache" in (authority.listing()["problem"] or "")
        await authority.close()

    asyncio.run(work())


@pytest.mark.engine
def test_it_answers_and_its_root_is_kept(checkout: Checkout, program: Path) -> None:
    """Each start is another authority, whose root is trusted beside the earlier one; an end is seen."""

    async def once() -> None:
        authority = Authority(checkout, program)
        await authority.start()
        assert authority.listing() == {"problem": None, "roots": str(checkout.roots_file)}
        url = f"https://127.0.0.1:{checkout.ports(PORTS)[PORTS[0]]}/dir"
        async with aiohttp.ClientSession() as session, session.get(url, ssl=authority.trusted) as answer:
            assert "newOrder" in await answer.json()
        [pid] = _processes(checkout)
        os.kill(pid, signal.SIGKILL)
        while _processes(checkout):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert (authority.listing()["problem"] or "").startswith("it has ended")
        await authority.close()

    asyncio.run(once())
    asyncio.run(once())
    assert len(x509.load_pem_x509_certificates(checkout.roots_file.read_bytes())) == 2


@pytest.mark.engine
def test_it_is_ended(checkout: Checkout, program: Path) -> None:
    """With the daemon that stops as it should."""

    async def work() -> None:
        authority = Authority(checkout, program)
        await authority.start()
        assert _processes(checkout)
        await authority.close()

    asyncio.run(work())
    assert _processes(checkout) == []


@pytest.mark.engine
def test_a_killed_daemon_leaves_none(program: Path) -> None:
    """The kernel ends it, because nobody else can."""
    with TemporaryDirectory(prefix="hl-") as folder:
        checkout = Checkout(Path(folder))
        checkout.make_dirs()
        ensure_certificates(checkout)
        with subprocess.Popen(
            [sys.executable, "-c", DAEMON, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as daemon:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == "None\n"
            assert len(_processes(checkout)) == 1
            daemon.kill()
        deadline = time.monotonic() + 5
        while _processes(checkout) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _processes(checkout) == []
