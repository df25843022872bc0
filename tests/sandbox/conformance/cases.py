"""A small recording of a plugin that has one type, and the command of a plugin that answers it."""

import gzip
import json
import shlex
import sys
from pathlib import Path
from typing import Any

TYPE = "tailscale:index/thing:Thing"
POST = {
    "method": "POST",
    "path": "/things",
    "query": {},
    "body": {"text": "a"},
    "status": 200,
    "response": {"id": "ID7"},
}
STEPS: list[dict[str, Any]] = [
    {"kind": "check", "olds": {}, "news": {"text": "a"}, "result": {"inputs": {"text": "a"}, "failures": []}},
    {
        "kind": "check",
        "olds": {},
        "news": {},
        "result": {"inputs": {}, "failures": [{"property": "", "reason": "text is missing"}]},
    },
    {
        "kind": "create",
        "preview": False,
        "properties": {"text": "a"},
        "http": [POST],
        "result": {"id": "ID7", "properties": {"text": "a"}},
    },
    {
        "kind": "diff",
        "id": "ID7",
        "olds": {"text": "a"},
        "news": {"text": "b"},
        "result": {
            "changes": "DIFF_SOME",
            "diffs": ["text"],
            "replaces": ["text"],
            "delete_before_replace": False,
            "detailed": {},
            "has_detailed": False,
            "stables": [],
        },
    },
    {
        "kind": "delete",
        "id": "ID7",
        "properties": {"text": "a"},
        "result": {"error": {"code": "UNKNOWN", "message": "it is protected"}},
    },
]


def case(steps: list[Any] | None = None, **changed: Any) -> dict[str, Any]:
    """A case as a recording holds it."""
    found = {"id": f"{TYPE}/1-life/min", "package": "tailscale", "type": TYPE, "plugin_version": "1"}
    return {**found, "steps": STEPS if steps is None else steps, **changed}


def recording(folder: Path, *cases: dict[str, Any]) -> Path:
    """A file with these cases, or with the one above."""
    file = folder / "things.jsonl.gz"
    text = "".join(json.dumps(one) + "\n" for one in cases or (case(),))
    file.write_bytes(gzip.compress(text.encode()))
    return file


def plugin(mistake: str = "none") -> str:
    """The command of the plugin with a mistake."""
    return shlex.join([sys.executable, str(Path(__file__).with_name("wrong_plugin.py")), mistake])
