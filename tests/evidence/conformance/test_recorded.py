"""The model of Docker networks against what was recorded of real ones, and the record itself."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lab.isolation import docker
from lab.isolation.boxes import Bridge
from lab.isolation.verdict import Path as Way
from lab.isolation.verdict import no, yes
from tests.evidence.conformance.recorded import FOLDER, lines, recorded, replay


def test_the_model_is_what_was_recorded() -> None:
    """Every recorded probe ends as the model says, over one address and over all of a target's."""
    assert [str(found) for found in replay(limit=20)] == []


def test_the_record_is_of_everything() -> None:
    """At least 150 topologies with the userland proxy and 30 without, with and without a guard."""
    cases = [seen.case for seen in recorded()]
    with_proxy = {case.topology.seed for case in cases if case.setting.engine.userland_proxy}
    without = {case.topology.seed for case in cases if not case.setting.engine.userland_proxy}
    assert len(with_proxy) >= 150
    assert len(without) >= 30
    for tag in ("guard on", "guard off", "bridge netfilter off"):
        assert sum(tag in case.tags for case in cases) >= 40
    assert sum(len(seen.reached) for seen in recorded()) >= 100_000


def test_a_record_is_read_as_it_was_written() -> None:
    """Reading and writing loses nothing."""
    path = sorted(FOLDER.glob("*.jsonl"))[0]
    own = {json.loads(line)["topology"]["seed"] for line in path.read_text().splitlines()}
    kept = [seen for seen in recorded() if seen.case.topology.seed in own]
    assert "".join(f"{line}\n" for line in lines(kept)) == path.read_text()


def test_a_record_of_other_questions_is_refused(tmp_path: Path) -> None:
    """Bits without the questions that they answer would mean anything; the repair is named."""
    document = json.loads(sorted(FOLDER.glob("*.jsonl"))[0].read_text().splitlines()[0])
    (tmp_path / "changed.jsonl").write_text(json.dumps({**document, "aims": document["aims"] + 1}))
    with pytest.raises(ValueError, match=r"are not those that were asked .* record anew"):
        recorded(tmp_path)


def _no_host(self: Bridge) -> str:
    return ""


def _open(self: object, *asked: object) -> Way:
    return Way((yes("a mistake"),))


def _closed(self: object, *asked: object) -> Way:
    return Way((no("a mistake"),))


@pytest.mark.parametrize(
    ("part", "name", "broken"),
    [
        ("DockerGround", "within", _open),
        ("DockerGround", "host_at", _closed),
        ("DockerGround", "published_at", _open),
        ("DockerGround", "from_host_by", _open),
        ("DockerGround", "arrive_routed", lambda self, *asked: (no("a mistake"),)),
        ("DockerGround", "leave_for", lambda self, *asked: (yes("a mistake"),)),
        ("Bridge", "host_address", property(_no_host)),
    ],
)
def test_a_broken_model_is_noticed(part: str, name: str, broken: Callable[..., Any]) -> None:
    """A model that is wrong about one kind of way disagrees with the record."""
    model = ModuleType("broken")
    model.__dict__.update(DockerGround=docker.DockerGround, Bridge=docker.Bridge, Box=docker.Box)
    setattr(model, part, type(part, (getattr(docker, part),), {name: broken}))
    assert replay(model, limit=1)
