"""The JSON Schema of a lab file, generated from the model so that an editor can complete it."""

from typing import Any

from lab.config.documentation import key_sentences, parts
from lab.config.load import LAB_KEY
from lab.config.model import LabConfig
from lab.config.strict import kebab


def stack_file_schema() -> dict[str, Any]:
    """The schema of a whole `Pulumi.<env>.yaml` (JSON Schema 2020-12)."""
    lab = LabConfig.model_json_schema()
    definitions = lab.pop("$defs", {})
    for part in parts(LabConfig):
        described = lab if part is LabConfig else definitions[part.__name__]
        for name, sentence in key_sentences(part).items():
            described["properties"][kebab(name)]["description"] = sentence
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Pulumi stack file that declares a home lab",
        "type": "object",
        "properties": {"config": {"type": "object", "properties": {LAB_KEY: lab}, "required": [LAB_KEY]}},
        "required": ["config"],
        "$defs": definitions,
    }
