"""The sandbox is killed while clients write to all of its APIs, and started again, many times."""

import json
import os
import signal
import threading
import time

import pytest
import requests

from sandbox.checkout import Checkout
from sandbox.settings import is_running
from tests.evidence.requests.writers import CloudflareWriter, ProxmoxWriter, TailscaleWriter, Writer
from tests.sandbox.engine_ground import sandbox_command, simulated_checkout

KILLS = 32
LONGEST_SECONDS = 0.3


def _start(checkout: Checkout) -> None:
    started = sandbox_command(checkout, "start", "--simulated", "--zone", "example.org")
    assert started.returncode == 0, started.stderr


def _write_until_killed(writer: Writer, failures: list[BaseException]) -> None:
    try:
        while True:
            writer.write()
    except requests.RequestException:
        return
    except AssertionError as failure:
        failures.append(failure)


def _kill_while_writing(checkout: Checkout, writers: list[Writer], seconds: float) -> None:
    failures: list[BaseException] = []
    threads = [threading.Thread(target=_write_until_killed, args=(writer, failures)) for writer in writers]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    os.kill(json.loads(checkout.daemon_file.read_text())["pid"], signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert failures == []
    while is_running(checkout):
        time.sleep(0.01)


@pytest.mark.engine
def test_a_kill_leaves_the_state_before_or_after_a_request() -> None:
    """After each kill all that was acknowledged is there, and of what was under way all or nothing."""
    with simulated_checkout() as checkout:
        _start(checkout)
        writers: list[Writer] = [
            CloudflareWriter(checkout), TailscaleWriter(checkout), ProxmoxWriter(checkout),
        ]  # fmt: skip
        for number in range(KILLS):
            # Multiples of the golden ratio fall evenly between 0 and 1.
            _kill_while_writing(checkout, writers, 0.02 + LONGEST_SECONDS * (number * 0.618 % 1))
            _start(checkout)
            for writer in writers:
                writer.check()
        for writer in writers:
            writer.close()
