"""Which registries answer: asked once each with a short connection, and remembered for the daemon's life.

A machine without a network must not wait for each image. Until a registry has answered, all of them together
are waited for no longer than `OFFLINE_SECONDS`; the first question is put while an engine starts, which takes
longer than its answer. Once one has answered the machine is online, and each other gets `ONLINE_SECONDS`.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future

from sandbox.docker.references import HUB
from sandbox.docker.targets import HTTPS_PORT, INTERNET, Targets

_LOG = logging.getLogger(__name__)
OFFLINE_SECONDS = 0.15
ONLINE_SECONDS = 2.0
# Where the registry of Docker Hub is served; its name in references is another.
HUB_HOST = "registry-1.docker.io"

Wait = Callable[[Future[None], float], float]
"""Waits for a question until it is answered, or for so many seconds; returns how many it took."""


def wait_for(question: Future[None], seconds: float) -> float:
    """Wait by the clock."""
    begin = time.monotonic()
    futures.wait([question], seconds)
    return time.monotonic() - begin


class Registries:
    """What is known of registries, for all engines of a checkout.

    Args:
        targets: what may be reached; the same rule as for the pulls themselves.
        wait: how a question is waited for.
    """

    def __init__(self, targets: Targets = INTERNET, wait: Wait = wait_for) -> None:
        self._targets, self._wait_for = targets, wait
        self._lock = threading.Lock()
        self._questions: dict[str, Future[None]] = {}
        self._answers: dict[str, bool] = {}
        self._patience = OFFLINE_SECONDS

    def ask(self, registry: str) -> Future[None]:
        """Begin to ask a registry, without waiting for its answer; what is returned is done once it answers."""
        with self._lock:
            return self._question(registry)

    def answer(self, registry: str) -> bool:
        """Whether a registry answers; waits as the head of this module says."""
        with self._lock:
            if registry not in self._answers:
                self._answers[registry] = self._wait(registry)
            return self._answers[registry]

    def gave_nothing(self, registry: str) -> None:
        """Remember that a registry went silent in the middle of a pull."""
        with self._lock:
            self._answers[registry] = False

    def _wait(self, registry: str) -> bool:
        online = any(self._answers.values())
        question = self._question(registry)
        took = self._wait_for(question, ONLINE_SECONDS if online else self._patience)
        if not online:
            self._patience = max(0.0, self._patience - took)
        try:
            question.result(0)
        except OSError as error:
            # A TimeoutError, of a question that is still open, is one too, without a text.
            reason = str(error) or "no answer in time"
            _LOG.info("registry %s: %s; its images are made here", registry, reason)
            return False
        return True

    def _question(self, registry: str) -> Future[None]:
        if registry not in self._questions:
            question = self._questions[registry] = Future()
            # No pool: a lookup of a name that hangs must not keep the process from ending.
            threading.Thread(target=self._connect, args=(registry, question), daemon=True).start()
        return self._questions[registry]

    def _connect(self, registry: str, question: Future[None]) -> None:
        try:
            self._targets.connect(*address_of(registry), ONLINE_SECONDS).close()
        except BaseException as error:
            question.set_exception(error)
        else:
            question.set_result(None)


def address_of(registry: str) -> tuple[str, int]:
    """The host and the port of a registry, as it is written in references."""
    host, _, port = (HUB_HOST if registry == HUB else registry).partition(":")
    return host, int(port) if port.isascii() and port.isdigit() else HTTPS_PORT
