"""The one way to write YAML and JSON, so that order and quoting are decided once."""

import json
from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def yaml_text(value: Any, *, comment: str = "") -> str:
    """A value as YAML, in the order given, with a comment above it."""
    emitter = YAML()
    emitter.default_flow_style = False
    emitter.width = 120
    emitter.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    emitter.dump(value, stream)
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + stream.getvalue()


def json_text(value: Any) -> str:
    """A value as JSON, indented, in the order given."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
