"""What was seen of real networks, kept as JSON lines, and the model held against it.

A line is one topology with what each setting showed of it: a bit for each aim, in their
order, set where the aim's own target was reached. Nobody else was ever reached, else it
would have been a disagreement and there would be no line.
"""

import base64
import gc
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType

from pydantic import TypeAdapter

from lab.isolation import docker
from tests.evidence.conformance.aims import Aim, aims
from tests.evidence.conformance.comparison import Case, Disagreement, disagreements
from tests.evidence.conformance.expectation import Expectation
from tests.evidence.conformance.topology import Setting, Topology

FOLDER = Path(__file__).with_name("recorded")
_TOPOLOGY, _SETTING = TypeAdapter(Topology), TypeAdapter(Setting)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A case and whom each of its aims reached."""

    case: Case
    reached: tuple[str, ...]


@cache
def recorded(folder: Path = FOLDER) -> tuple[Seen, ...]:
    """Everything that is kept.

    Raises:
        ValueError: the questions about a topology are not those that were asked.
    """
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    found = tuple(seen for line in lines for seen in _read(line))
    # They are kept for as long as the process runs; looking through them again and again took a quarter of a replay.
    gc.freeze()
    return found


def replay(model: ModuleType = docker, limit: int | None = None) -> list[Disagreement]:
    """Where a model is wrong about what was recorded.

    Args:
        model: a module with `DockerGround`, `Bridge` and `Box`, such as a changed copy of the real one.
        limit: after how many to stop; None for all.
    """
    return list(islice(_replayed(model), limit))


def _replayed(model: ModuleType) -> Iterator[Disagreement]:
    for seen in recorded():
        expectation = Expectation(seen.case.topology, seen.case.setting, model)
        yield from disagreements(seen.case, seen.reached, expectation)


def lines(found: Iterable[Seen]) -> Iterator[str]:
    """One line for each topology."""
    by_topology: dict[str, list[Seen]] = {}
    for seen in found:
        by_topology.setdefault(seen.case.topology.seed, []).append(seen)
    for group in by_topology.values():
        topology = group[0].case.topology
        yield json.dumps(
            {
                "topology": _TOPOLOGY.dump_python(topology, mode="json", exclude_defaults=True),
                "aims": _digest(group[0].case.aims),
                "seen": [
                    {
                        "under": _SETTING.dump_python(seen.case.setting, mode="json", exclude_defaults=True),
                        "reached": _packed(seen),
                    }
                    for seen in group
                ],
            },
            separators=(",", ":"),
        )


def _read(line: str) -> Iterator[Seen]:
    document = json.loads(line)
    topology = _TOPOLOGY.validate_python(document["topology"])
    asked = aims(topology)
    if document["aims"] != _digest(asked):
        raise ValueError(
            f"the questions about topology {topology.seed} are not those that were asked when it was recorded, "
            "because aims.py has changed; record anew (see tests/evidence/conformance/__init__.py)"
        )
    for entry in document["seen"]:
        case = Case(topology=topology, aims=asked, setting=_SETTING.validate_python(entry["under"]))
        yield Seen(case=case, reached=_unpacked(case, entry["reached"]))


def _digest(asked: tuple[Aim, ...]) -> int:
    text = "\n".join(
        f"{a.kind} {a.source} {a.target} {a.address} {a.port} {a.declared} {a.network}" for a in asked
    )
    return zlib.crc32(text.encode())


def _packed(seen: Seen) -> str:
    bits = "".join("1" if name else "0" for name in seen.reached)
    return base64.b64encode(int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")).decode()


def _unpacked(case: Case, text: str) -> tuple[str, ...]:
    bits = bin(int.from_bytes(base64.b64decode(text), "big"))[3:]
    return tuple(
        case.names[aim.target] if bit == "1" else "" for aim, bit in zip(case.aims, bits, strict=True)
    )
