"""Where a probe can stand: the network namespace of an endpoint on this machine."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from lab.flows import Endpoint
from probe.inside import Aim, Seen

CANARY = "canary"
_PROGRAM = str(Path(__file__).with_name("inside.py"))
_NAMES = str(Path(__file__).with_name("inside_names.py"))
ENGINES_SERVER = "127.0.0.11"
"""The engine's own name server in every network that somebody made (Docker's manual, "Networking overview")."""
_FIRST_CANARY, _LAST_CANARY = 47001, 47101
_TRIES, _PAUSE = 10, 0.2
"""How often a canary is asked for before it counts as dumb, and the seconds between."""


class CannotEnter(Exception):
    """A namespace could not be entered, or nothing could be started there; the text has the repair."""


class Space(Protocol):
    """A place from which connections are opened, and in which a canary can listen."""

    udp: bool
    """Whether UDP can be asked and answered from here."""

    def ask(self, aims: Sequence[Aim], deadline: float) -> list[Seen]:
        """Connect to every aim; an answer may take `deadline` seconds."""

    def name(self, name: str, deadline: float) -> str:
        """Ask the engine's name server for a name; the code of its answer, empty where none came in time."""

    def canary(self, port: int, name: str) -> contextlib.AbstractContextManager[None]:
        """Answer with a name at a port of every address, for as long as the block runs."""


class LocalSpace:
    """A network namespace of this machine.

    Args:
        namespace: its file, such as `/proc/1234/ns/net`.
    """

    udp = True

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def ask(self, aims: Sequence[Aim], deadline: float) -> list[Seen]:
        """Connect to every aim.

        Raises:
            CannotEnter: that takes root.
        """
        task = json.dumps({"deadline": deadline, "aims": list(aims)})
        said = self._run(self._entering(), deadline, task)
        return [(bool(c), str(a), float(m)) for c, a, m in json.loads(said)]

    def name(self, name: str, deadline: float) -> str:
        """Ask the engine's name server for a name.

        Raises:
            CannotEnter: that takes root.
        """
        command = [*self._entering(_NAMES), ENGINES_SERVER, "53", name, str(deadline)]
        return self._run(command, deadline).strip()

    def _run(self, command: list[str], deadline: float, text: str = "") -> str:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=deadline + 30, check=False
        )
        if done.returncode != 0:
            raise CannotEnter(f"cannot probe from {self._namespace}: {_last(done.stderr)}; it takes root")
        return done.stdout

    @contextlib.contextmanager
    def canary(self, port: int, name: str) -> Iterator[None]:
        """Listen at a port.

        Raises:
            CannotEnter: it takes root, or the port is in use there.
        """
        pipe = subprocess.PIPE
        command = [*self._entering(), "listen", str(port), name]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                said = _last(process.communicate(timeout=10)[1])
                raise CannotEnter(f"no canary could listen on port {port} in {self._namespace}: {said}")
            yield
        finally:
            process.kill()
            process.communicate()

    def _entering(self, program: str = _PROGRAM) -> list[str]:
        return ["nsenter", f"--net={self._namespace}", sys.executable, "-I", "-S", program]


def canary_port(taken: set[int]) -> int:
    """A port that no service of the lab uses."""
    return next(number for number in range(_FIRST_CANARY, _LAST_CANARY) if number not in taken)


def canary_name(endpoint: Endpoint) -> str:
    """What the canary of an endpoint answers."""
    return f"{CANARY} {endpoint}"


@contextlib.contextmanager
def canaries(spaces: Mapping[Endpoint, Space], port: int) -> Iterator[None]:
    """A canary in every space, for as long as the block runs.

    Each is asked once from its own space before anything else: a canary that does not answer
    its neighbour would make every closed path look proven.

    Raises:
        CannotEnter: one could not be started, or does not answer.
    """
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(max_workers=8) as pool:
        contexts = [space.canary(port, canary_name(endpoint)) for endpoint, space in spaces.items()]
        list(pool.map(stack.enter_context, contexts))
        list(pool.map(lambda endpoint: _control(endpoint, spaces[endpoint], port), spaces))
        yield


def _control(endpoint: Endpoint, space: Space, port: int) -> None:
    for _ in range(_TRIES):
        [(answered, text, _)] = space.ask([("127.0.0.1", port, "tcp")], 1.0)
        if answered and canary_name(endpoint) in text:
            return
        time.sleep(_PAUSE)
    raise CannotEnter(
        f"the canary of {endpoint} does not answer on port {port}, so silence would prove nothing"
    )


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
