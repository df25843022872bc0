"""Every call that the engine documents, as `calls.tsv` lists them."""

import re
from pathlib import Path

from lab.docker_api import Call

TABLE = Path(__file__).resolve().parent / "calls.tsv"


def documented() -> tuple[Call, ...]:
    """All of them, by path."""
    lines = (line for line in TABLE.read_text().splitlines() if not line.startswith("#"))
    return tuple(Call(*line.split("\t")[:2]) for line in lines)


def path_of(call: Call, names: dict[str, str]) -> str:
    """A path as a client sends it: the parameter is the name of one thing of the call's collection."""
    collection = call.path.split("/")[1]
    return re.sub(r"\{[a-z]+\}", names.get(collection, "a-name"), call.path)
