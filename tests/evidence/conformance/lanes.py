"""Several lanes at once: engines with and without the userland proxy, each with its share of the topologies."""

import os
import resource
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.evidence.conformance.comparison import Disagreement, Figures
from tests.evidence.conformance.generator import site
from tests.evidence.conformance.lane import Lane, plugged
from tests.evidence.conformance.recorded import Seen, lines
from tests.evidence.conformance.waves import Result, run
from tests.sandbox.engine_ground import real_checkout

_FILES = 20000


@dataclass(frozen=True)
class Share:
    """What one lane does; four topologies to a block."""

    name: str
    userland_proxy: bool
    blocks: int


SHARES = (
    Share("proxy-on-a", True, 19),
    Share("proxy-on-b", True, 19),
    Share("proxy-off", False, 8),
)


@dataclass
class Run:
    """What a run found."""

    seed: int
    engine: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    figures: Figures = field(default_factory=Figures)
    wrong: list[Disagreement] = field(default_factory=list)
    repeated: int = 0
    broken: bool = False
    """Whether a lane has failed; the others stop then."""
    by_share: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: Result) -> None:
        """Count a case; lanes do it at the same time."""
        with self._lock:
            self.figures.add(result.seen.case, result.seen.reached, result.wrong)
            self.wrong += result.wrong
            self.repeated += result.rounds > 1

    def report(self) -> str:
        """Figures, the table by feature, and every disagreement."""
        figures = self.figures
        shares = ", ".join(f"{count} {name}" for name, count in sorted(self.by_share.items()))
        head = (
            f"engine {'.'.join(map(str, self.engine))}, seed {self.seed}: {len(figures.topologies)} topologies "
            f"({shares}), {figures.cases} cases, {figures.total.asked:,} probes, {len(self.wrong)} disagreements, "
            f"{self.repeated} cases asked again, {self.seconds:.0f} s"
        )
        return "\n".join([head, *figures.lines(), *map(str, self.wrong[:40])])


def chosen_seed() -> int:
    """The seed that was asked for, else one that nobody has tried."""
    given = os.environ.get("HOMELAB_CONFORMANCE_SEED")
    return int(given) if given else secrets.randbelow(1_000_000)


def chosen_shares() -> tuple[Share, ...]:
    """What is to be done: everything, or as many blocks on each lane as was asked for."""
    given = os.environ.get("HOMELAB_CONFORMANCE_BLOCKS")
    if given is None:
        return SHARES
    return tuple(Share(share.name, share.userland_proxy, min(int(given), share.blocks)) for share in SHARES)


def run_all(seed: int, shares: tuple[Share, ...]) -> Run:
    """Probe everything.

    Args:
        seed: of all topologies.
        shares: of the lanes, which run at the same time.
    """
    found = Run(seed=seed)
    started = time.monotonic()
    with real_checkout() as checkout, _many_files(), ExitStack() as stack:
        # Plugged one after the other: they share the namespace of the wires.
        lanes = [stack.enter_context(plugged(checkout, site(number))) for number in range(len(shares))]
        found.engine = lanes[0].programs.version
        with ThreadPoolExecutor(len(shares)) as pool:
            jobs = [
                pool.submit(_share, lane, seed, share, found)
                for lane, share in zip(lanes, shares, strict=True)
            ]
        for job in jobs:
            job.result()
    found.seconds = time.monotonic() - started
    return found


def _share(lane: Lane, seed: int, share: Share, found: Run) -> None:
    seen: list[Seen] = []
    try:
        lane.start({"userland-proxy": share.userland_proxy})
        for result in run(lane, seed, share.blocks, userland_proxy=share.userland_proxy):
            found.add(result)
            seen.append(result.seen)
            if found.broken:
                return
    except BaseException:
        found.broken = True
        raise
    found.by_share[share.name] = len({one.case.topology.seed for one in seen})
    if folder := os.environ.get("HOMELAB_CONFORMANCE_RECORD"):
        major = found.engine[0]
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"engine-{major}-{share.name}.jsonl").write_text("".join(f"{x}\n" for x in lines(seen)))


@contextmanager
def _many_files() -> Iterator[None]:
    """Room for the sockets of all questions of a round, on all lanes."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = before[1] if before[1] != resource.RLIM_INFINITY else _FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
