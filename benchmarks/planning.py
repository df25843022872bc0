"""How fast a lab is read and planned, without Pulumi."""

import gc
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Figure, run, timed
from lab.config.load import parse
from lab.ledger import Ledger
from lab.plan import plan_with_ledger

STACKS = 10_000
_IMAGE = "registry.example/app:1@sha256:" + "0" * 64


def planning_figures() -> Iterator[Figure]:
    """`lab check` as a whole process, and the plan of a very large lab in this one."""
    check = [sys.executable, "-m", "cli", "check", "--lab", "dev"]
    yield Figure("`lab check` of dev, whole process", timed(lambda: run(check), 9), "under 0.4 s")
    config = parse(large_lab(STACKS))
    gc.disable()
    _, ledger = plan_with_ledger(config, Ledger(), environment="bench")
    fresh = timed(lambda: plan_with_ledger(config, Ledger(), environment="bench"), 5)
    recorded = timed(lambda: plan_with_ledger(config, ledger, environment="bench"), 5)
    gc.enable()
    yield Figure(f"plan of {STACKS:,} stacks with a network each, nothing recorded", fresh, "under 0.5 s")
    yield Figure(
        f"the same, everything recorded in the ledger ({len(ledger.names()):,} records)",
        recorded,
        "under 0.5 s",
    )


def large_lab(stacks: int) -> dict[str, Any]:
    """A lab with this many stacks of one service on one Docker host."""
    service = {"image": _IMAGE, "listens": [80]}
    return {
        "domain": "bench.example",
        "pools": {"docker": "10.128.0.0/9"},
        "vlans": {"services": {"id": 20, "subnet": "10.10.0.0/16"}},
        "nodes": {"pve": {"address": "10.10.0.2"}},
        "guests": {"docker-1": {"kind": "vm", "node": "pve", "vlan": "services", "runs": "docker"}},
        "stacks": {f"s{n:05d}": {"host": "docker-1", "services": {"app": service}} for n in range(stacks)},
    }
