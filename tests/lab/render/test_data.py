"""The plan as JSON: everything that the records hold, in plain values, with a version."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from lab.plan.records import LabPlan
from lab.render.data import PLAN_VERSION, plan_data
from lab.render.emit import json_text, yaml_text
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
FULL = ROOT / "tests" / "support" / "full_lab.yaml"


def test_it_has_a_version_and_every_field() -> None:
    """Every field of the plan is there under its own name, after the version of the shape."""
    found = plan_data(plan_of(FULL))
    assert list(found) == ["version", *(field.name for field in dataclasses.fields(LabPlan))]
    assert found["version"] == PLAN_VERSION


def test_it_is_json_as_it_is() -> None:
    """Written and read again it is the same, so that nothing in it was more than plain values."""
    found = plan_data(plan_of(FULL))
    assert json.loads(json_text(found)) == found


def test_words_are_written_as_a_person_would() -> None:
    """Endpoints, ports, flows and secrets are the words of the lab file."""
    found = plan_data(plan_of(FULL))
    (app,) = [s for stack in found["stacks"] for s in stack["services"] if s["name"] == "app"]
    assert app["endpoint"] == "service:web/app"
    assert app["listens"] == ["80/tcp", "9090/tcp"]
    assert app["secret_files"][0]["secret"] == "admin-token"
    assert {
        "from": "guests",
        "to": "vlan:services:123/udp",
        "because": "time",
        "origin": "declared",
    } in found["flows"]


def test_guards_are_in_it() -> None:
    """Each host's guard is there with its rules, in the words of the lab file, and why each is there."""
    (first, *_) = plan_data(plan_of(FULL))["guards"]
    assert first["host"] == "docker-1"
    (way_in,) = [
        rule for rule in first["rules"] if rule["because"] == "the terminator passes on audience internet"
    ]
    assert (way_in["way"], way_in["destination"], way_in["port"]) == ("in", "10.10.20.11", "443/tcp")
    assert set(first["bridges"]) >= {rule["interface"] for rule in first["rules"]} - {""}


def test_no_field_of_a_record_is_lost() -> None:
    """Every record of the plan has all of its fields in the data, all the way down."""

    def compare(record: Any, data: Any) -> None:
        if dataclasses.is_dataclass(record) and isinstance(data, dict) and "from" not in data:
            assert set(data) == {field.name for field in dataclasses.fields(record)}
            for field in dataclasses.fields(record):
                compare(getattr(record, field.name), data[field.name])
        elif isinstance(record, tuple) and isinstance(data, list):
            assert len(record) == len(data)
            for one, other in zip(record, data, strict=True):
                compare(one, other)

    decided = plan_of(FULL)
    compare(decided, {key: value for key, value in plan_data(decided).items() if key != "version"})


def test_yaml_keeps_its_order_and_says_who_wrote_it() -> None:
    """Keys stay in the order given, below a comment, and text that looks like something else is quoted."""
    assert yaml_text({"b": 1, "a": ["x", "020"]}, comment="two\nlines") == (
        "# two\n# lines\nb: 1\na:\n  - x\n  - '020'\n"
    )


def test_json_is_read_by_people() -> None:
    """JSON is indented, ends with a line end, and keeps letters as they are."""
    assert json_text({"a": ["ü"]}) == '{\n  "a": [\n    "ü"\n  ]\n}\n'
