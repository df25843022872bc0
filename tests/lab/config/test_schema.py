"""The JSON Schema for editors agrees with the reader about the labs of this repository."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.config.load import LAB_KEY
from lab.config.model import LabConfig
from lab.config.schema import stack_file_schema

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema as an editor gets it."""
    found: dict[str, Any] = json.loads(json.dumps(stack_file_schema()))
    return found


def lab_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The part that describes a lab."""
    part: dict[str, Any] = schema["properties"]["config"]["properties"][LAB_KEY]
    return part


def test_keys_are_those_of_the_reader(schema: dict[str, Any]) -> None:
    """An editor offers exactly the keys that the reader accepts."""
    keys = {field.alias or name for name, field in LabConfig.model_fields.items()}
    assert set(lab_of(schema)["properties"]) == keys


def test_unknown_keys_are_marked(schema: dict[str, Any]) -> None:
    """Every part of a lab refuses keys that it does not know, in the editor as in the reader."""
    parts = [*schema["$defs"].values(), lab_of(schema)]
    assert [
        part for part in parts if part["type"] == "object" and part.get("additionalProperties") is not False
    ] == []


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    """Every key has a sentence that an editor can show."""
    bare = [
        f"{part.get('title')}.{name}"
        for part in [*schema["$defs"].values(), lab_of(schema)]
        for name, key in part["properties"].items()
        # A reference without a sentence of its own shows the one of its definition.
        if not key.get("description") and "$ref" not in key
    ]
    assert bare == []


def test_references_resolve(schema: dict[str, Any]) -> None:
    """Every reference points to a definition of the same document."""
    text = json.dumps(schema)
    named = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert named
    assert named <= set(schema["$defs"])


def test_addresses_may_be_written_short(schema: dict[str, Any]) -> None:
    """An editor does not mark `address: 11` as wrong, which the reader accepts."""
    address = schema["$defs"]["DeviceConfig"]["properties"]["address"]
    assert {"string", "integer"} <= set(address["anyOf"][0]["type"])


def test_sizes_are_text(schema: dict[str, Any]) -> None:
    """An editor asks for a size with its unit, though the plan counts bytes."""
    assert schema["$defs"]["DiskConfig"]["properties"]["size"]["type"] == "string"
