"""Break the model in many places and see whether the evidence notices: `python -m tests.evidence.mutation`."""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator

from tests.evidence.mutation.equivalent import EQUIVALENT, reviewed
from tests.evidence.mutation.evidence import Check, checks
from tests.evidence.mutation.mutants import Mutant, chosen, mutants_of
from tests.evidence.mutation.subjects import SUBJECTS
from tests.evidence.mutation.trial import Outcome, judge

SEED = 20261125
COUNT = 150
WANTED = 0.95
"""The share of mutants that has to be killed, those that change nothing left out."""
PROGRESS = 25
"""After how many mutants a line says that it goes on."""

_checks: tuple[Check, ...] = ()
"""Filled before the processes fork, so that each has them for nothing."""


def main() -> int:
    """Run and report; 0 where enough mutants are killed and every survivor was looked at."""
    arguments = _arguments()
    started = time.monotonic()
    every = [mutant for module in SUBJECTS for mutant in mutants_of(module)]
    picked = [m for m in every if arguments.only in m.name] if arguments.only else every
    picked = chosen(picked, arguments.count or len(picked), arguments.seed)
    global _checks
    _checks = checks()
    print(f"{len(every)} mutants of {len(SUBJECTS)} modules, {len(picked)} chosen with seed {arguments.seed}")
    print(f"evidence: {len(_checks)} checks, prepared in {time.monotonic() - started:.0f} s", flush=True)
    if noticed := _as_it_is():
        print(f"the model is wrong before it is broken: {noticed}", file=sys.stderr)
        return 1
    outcomes = []
    for outcome in _outcomes(picked):
        outcomes.append(outcome)
        if len(outcomes) % PROGRESS == 0:
            print(f"{len(outcomes)} tried, {time.monotonic() - started:.0f} s", flush=True)
    return _report(outcomes, time.monotonic() - started, whole=not arguments.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evidence.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="how many mutants; 0 for all of them")
    parser.add_argument("--seed", type=int, default=SEED, help="which ones")
    parser.add_argument("--only", default="", help="only those whose name holds this text")
    return parser.parse_args()


def _outcomes(mutants: list[Mutant]) -> Iterator[Outcome]:
    gc.collect()
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        yield from pool.imap(_tried, mutants, chunksize=1)


def _as_it_is() -> str:
    """What the evidence says of the model before it is broken."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(_unbroken)


def _unbroken() -> str:
    return judge(None, _checks)


def _tried(mutant: Mutant) -> Outcome:
    return Outcome(mutant, judge(mutant, _checks))


def _report(outcomes: list[Outcome], seconds: float, *, whole: bool) -> int:
    known = reviewed()
    survivors = [outcome.mutant for outcome in outcomes if not outcome.killed_by]
    counted = [outcome for outcome in outcomes if outcome.killed_by or outcome.mutant.name not in known]
    killed = [outcome for outcome in counted if outcome.killed_by]
    by_kind: dict[str, int] = {}
    for outcome in killed:
        kind = outcome.killed_by.partition(":")[0]
        by_kind[kind] = by_kind.get(kind, 0) + 1
    for mutant in survivors:
        state = f"changes nothing: {known[mutant.name]}" if mutant.name in known else "NOBODY NOTICED"
        print(f"\n{mutant.name}\n  {state}\n{mutant.difference()}")
    wrong = [
        outcome.mutant.name for outcome in outcomes if outcome.killed_by and outcome.mutant.name in known
    ]
    for name in wrong:
        print(f"\n{name}\n  is listed in {EQUIVALENT.name} as changing nothing, and was noticed")
    share = len(killed) / len(counted) if counted else 1.0
    print(f"\n{len(killed)} of {len(counted)} killed ({share:.1%}) in {seconds:.0f} s: {by_kind}")
    print(f"{len(outcomes) - len(counted)} more change nothing (reviewed)")
    enough = share >= WANTED and not wrong
    return 0 if enough or not whole else 1


if __name__ == "__main__":
    sys.exit(main())
