"""Expected against observed, for every pair of a running lab.

A disagreement is probed again with more patience before it counts, because a busy
machine is slow and not closed. An answer counts only when it comes from the service
that was meant: where a stand-in answers, it names itself.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.flows import Endpoint
from probe.containers import Running
from probe.expected import Pair

FIRST_DEADLINE, SECOND_DEADLINE = 1.0, 3.0
"""Seconds that an answer may take, at first and when in doubt."""

Observation = Literal["yes", "no", "wrong service", "not probed"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One pair with what was seen."""

    pair: Pair
    observed: Observation
    answer: str = ""
    """What the other side said about itself, shortened."""
    milliseconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what was expected."""
        if self.observed == "not probed":
            return True
        if self.pair.expected == "none":
            return self.observed == "no"
        return self.observed == "yes"


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """All pairs of one run."""

    results: tuple[Result, ...]
    host_rows: tuple[Result, ...]
    """From the Docker hosts themselves: printed, never asserted. A host reaches its containers."""
    seconds: float

    @property
    def disagreements(self) -> tuple[Result, ...]:
        """The pairs that are not as expected."""
        return tuple(result for result in self.results if not result.agrees)


def observe(pairs: Sequence[Pair], running: Iterable[Running], namespaces: Mapping[str, str]) -> Matrix:
    """Probe every pair.

    Args:
        pairs: what to ask.
        running: the containers that are there.
        namespaces: for Docker hosts, a path to the host's own network namespace where it is known.
    """
    started = time.monotonic()
    by_endpoint = {container.endpoint: container for container in running}
    sources: dict[Endpoint, list[Pair]] = {}
    for pair in pairs:
        sources.setdefault(pair.source, []).append(pair)
    with ThreadPoolExecutor(max_workers=8) as pool:
        jobs = [
            pool.submit(_from_source, _namespace(by_endpoint.get(str(source))), asked, by_endpoint)
            for source, asked in sources.items()
        ]
        hosts = [
            pool.submit(_from_source, namespaces.get(host), asked, by_endpoint)
            for host, asked in _host_pairs(pairs).items()
        ]
        results = [result for job in jobs for result in job.result()]
        host_rows = [result for job in hosts for result in job.result()]
    return Matrix(results=tuple(results), host_rows=tuple(host_rows), seconds=time.monotonic() - started)


def _namespace(container: Running | None) -> str | None:
    return f"/proc/{container.pid}/ns/net" if container is not None and container.pid else None


def _host_pairs(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    hosts: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        hosts.setdefault(pair.host, {}).setdefault(
            str(pair.target),
            Pair(
                source=Endpoint("guest", pair.host),
                target=pair.target,
                host=pair.host,
                addresses=pair.addresses,
                expected="same network",
                because="a Docker host reaches its containers",
            ),
        )
    return {host: list(found.values()) for host, found in hosts.items()}


def _from_source(namespace: str | None, asked: list[Pair], running: Mapping[str, Running]) -> list[Result]:
    if namespace is None or not Path(namespace).exists():
        return [
            Result(pair=pair, observed="not probed", answer="the source does not run here") for pair in asked
        ]
    results = _probed(namespace, asked, running, FIRST_DEADLINE)
    doubtful = [result.pair for result in results if not result.agrees]
    if not doubtful:
        return results
    again = {result.pair: result for result in _probed(namespace, doubtful, running, SECOND_DEADLINE)}
    return [again.get(result.pair, result) for result in results]


def _probed(
    namespace: str, asked: list[Pair], running: Mapping[str, Running], deadline: float
) -> list[Result]:
    aims = [(address, _port(pair), pair) for pair in asked for address in pair.addresses]
    answers = _ask(namespace, [(address, port) for address, port, _ in aims], deadline)
    seen: dict[Pair, Result] = {}
    for (_, _, pair), (connected, answer, milliseconds) in zip(aims, answers, strict=True):
        container = running.get(str(pair.target.endpoint))
        observed = _observed(connected, answer, container, str(pair.target.endpoint))
        result = Result(pair=pair, observed=observed, answer=answer[:60], milliseconds=milliseconds)
        if pair not in seen or seen[pair].observed == "no":
            seen[pair] = result
    return [seen[pair] for pair in asked if pair in seen]


def _port(pair: Pair) -> int:
    assert pair.target.port is not None
    return pair.target.port.number


def _observed(connected: bool, answer: str, container: Running | None, name: str) -> Observation:
    if not connected:
        return "no"
    if container is not None and container.stand_in and name not in answer:
        return "wrong service"
    return "yes"


def _ask(namespace: str, aims: Sequence[tuple[str, int]], deadline: float) -> list[tuple[bool, str, float]]:
    """Run `inside` in a network namespace.

    Raises:
        RuntimeError: the namespace cannot be entered; that takes root.
    """
    program = str(Path(__file__).with_name("inside.py"))
    done = subprocess.run(
        ["nsenter", f"--net={namespace}", sys.executable, "-I", "-S", program],
        input=json.dumps({"deadline": deadline, "aims": list(aims)}),
        capture_output=True,
        text=True,
        timeout=deadline + 30,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"cannot probe from {namespace}: {done.stderr.strip().splitlines()[-1:]}; it takes root"
        )
    return [(bool(c), str(a), float(m)) for c, a, m in json.loads(done.stdout)]
