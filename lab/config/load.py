"""From a file to a `LabConfig`, or to every problem of the file at once.

The file has two readers: this one and Pulumi, which turns `020` into 16 and a bare
date into a timestamp. What the two would read differently is refused here with both
readings, so that no lab means one thing in `lab check` and another in `pulumi up`.
Scalars are read by YAML 1.2's core rules (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lab.config.explain import explain
from lab.config.model import LabConfig
from lab.errors import ConfigError, Issue

LAB_KEY = "homelab:lab"
"""The configuration key of Pulumi under which a lab file holds its lab."""

_OCTAL = re.compile(r"^[-+]?0[0-7]+$")
_OTHER_BASE = re.compile(r"^[-+]?0([oObBxX][0-9a-fA-F_]+|[0-9]+)$")
_UNDERSCORED = re.compile(r"^[-+]?\.?[0-9][0-9._]*_[0-9._]*([eE][-+]?[0-9_]+)?$")
_LAST_PART = re.compile(r"^\.[0-9]{1,3}$")
_DATE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$")
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_INTEGER = re.compile(r"^[-+]?[0-9]+$")
_LARGEST_EXACT = 2**53
"""Above it, a 64-bit float does not hold every whole number (IEEE 754 binary64)."""
_TAG = re.compile(r"(&\S+\s+)?!")
_SPECIAL_FLOAT = re.compile(r"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$")
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


def environment_of(path: Path) -> str:
    """The environment that a lab file declares: `dev` for `Pulumi.dev.yaml`."""
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "Pulumi" else path.stem


def load(path: Path, pulumi_reads: Mapping[str, Any] | None = None) -> LabConfig:
    """Read a lab file.

    Args:
        path: the file; either a Pulumi stack file with `homelab:lab`, or a bare lab.
        pulumi_reads: what Pulumi made of the same lab, to be compared.

    Raises:
        ConfigError: with every problem found, each with its path and its repair.
    """
    document = _Document(path.name)
    raw = document.read(path)
    if raw is None:
        raise ConfigError(document.issues)
    issues = list(document.issues)
    if pulumi_reads is not None and not issues:
        issues += _differences(raw, pulumi_reads, "lab")
    try:
        config = parse(raw, document.lines)
    except ConfigError as error:
        told = {issue.path for issue in issues}
        raise ConfigError([*issues, *(issue for issue in error.issues if issue.path not in told)]) from None
    if issues:
        raise ConfigError(issues)
    return config


def parse(raw: Mapping[str, Any], lines: Mapping[str, int] | None = None) -> LabConfig:
    """Turn a mapping into a lab.

    Args:
        raw: what stands under `homelab:lab`.
        lines: the line of each path, for the problems' sake.

    Raises:
        ConfigError: with every problem found.
    """
    try:
        return LabConfig.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(explain(error, lines or {})) from None


class _Document:
    """One YAML document while it is read: its values, the line of each, and what is wrong."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        self.issues: list[Issue] = []
        self._open: list[Node] = []
        """The nodes around the one that is read."""

    def read(self, path: Path) -> dict[str, Any] | None:
        """The lab of a file, or None where there is no lab to read."""
        root = self._compose(path)
        if self.issues:
            return None
        lab = _child(_child(root, "config"), LAB_KEY) or (root if _child(root, "domain") else None)
        if not isinstance(lab, MappingNode):
            self._refuse(
                self.name,
                f"it has no lab: there is no mapping under config: {LAB_KEY}",
                f"add config: {LAB_KEY}: with at least a domain",
            )
            return None
        self.lines["lab"] = lab.start_mark.line + 1
        return self._mapping(lab, "lab")

    def _compose(self, path: Path) -> Node | None:
        try:
            root = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._refuse(self.name, "there is no such file", "name an environment that has a Pulumi.ENV.yaml")
            return None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.name} line {mark.line + 1}" if mark else self.name
            self._refuse(
                where, f"it is not YAML: {error.problem or error.context}", "mend the line named here"
            )
            return None
        except OSError as error:
            self._refuse(self.name, f"it cannot be read: {error.strerror}", "name a file that you may read")
            return None
        except (YAMLError, UnicodeDecodeError) as error:
            self._refuse(self.name, f"it is not YAML: {error}", "save it as UTF-8 text in YAML")
            return None
        return root if isinstance(root, Node) else None

    def _refuse(self, path: str, problem: str, repair: str) -> None:
        self.issues.append(Issue(path=path, problem=problem, repair=repair))

    def _value(self, node: Node, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if node in self._open:
            where = f"{path} (line {node.start_mark.line + 1})"
            self._refuse(where, f"the anchor {node.anchor} stands inside itself", "write the value out")
            return None
        if _has_tag(node):
            where = f"{path} (line {node.start_mark.line + 1})"
            self._refuse(
                where, "a tag (!) is not read alike by every reader", "remove it, or quote what is text"
            )
            return None
        self._open.append(node)
        try:
            return self._read(node, path)
        finally:
            self._open.pop()

    def _read(self, node: Node, path: str) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if _key_changes(key):
                where = f"{path}.{name} (line {key.start_mark.line + 1})"
                self._refuse(
                    where, f"Pulumi reads the key {name} as a value, and not as text", f'write "{name}"'
                )
            if name == "<<" or name in values:
                problem = (
                    "merge keys are not read alike by every reader"
                    if name == "<<"
                    else "the key stands twice"
                )
                self._refuse(
                    f"{path}.{name} (line {key.start_mark.line + 1})", problem, "write each key out, once"
                )
            values[name] = self._value(value, f"{path}.{name}")
            self.lines[f"{path}.{name}"] = key.start_mark.line + 1
        return values

    def _scalar(self, node: ScalarNode, path: str) -> Any:
        text = str(node.value)
        if node.style is not None:
            return text
        if reading := _read_differently(text):
            self._refuse(
                f"{path} (line {node.start_mark.line + 1})",
                f"{text} is read differently: {reading}",
                _repair(text),
            )
            return text
        return _core_schema(text)


def _child(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _key_changes(node: Node) -> bool:
    """Whether Pulumi makes another text of an unquoted key, such as 16 of `020`."""
    if not isinstance(node, ScalarNode) or node.style is not None:
        return False
    text = str(node.value)
    value = _core_schema(text)
    if text == "<<" or isinstance(value, str):
        return text != "<<" and _read_differently(text) is not None
    return isinstance(value, bool) or str(value) != text or _read_differently(text) is not None


def _has_tag(node: Node) -> bool:
    """Whether the kind of a value is written before it (`!!str 5`), which the composer does not tell."""
    mark = node.start_mark
    return _TAG.match(mark.buffer, mark.pointer) is not None


def _core_schema(text: str) -> Any:
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _read_differently(text: str) -> str | None:
    if _DATE.match(text):
        return "Pulumi makes a timestamp of it, YAML 1.2 leaves it text"
    if _LAST_PART.match(text):
        return f"to YAML it is the number {float(text)}, and that is what Pulumi writes back into the file"
    if _OCTAL.match(text):
        return f"Pulumi reads {int(text, 8)} (octal), YAML 1.2 reads {int(text)}"
    if _OTHER_BASE.match(text) or _UNDERSCORED.match(text):
        return "Pulumi and YAML 1.2 do not agree whether it is a number, and which"
    if _SPECIAL_FLOAT.match(text) or (_FLOAT.match(text) and math.isinf(float(text))):
        return "it has no form in JSON, in which Pulumi hands it on"
    if _INTEGER.match(text) and abs(int(text)) > _LARGEST_EXACT:
        return f"Pulumi hands numbers on as 64-bit floats and makes {int(float(text))} of it"
    return None


def _repair(text: str) -> str:
    if _LAST_PART.match(text):
        return f"write {text[1:]} for the last part of an address, or the whole address"
    return f'put it in quotes ("{text}") if it is text, or write a plain decimal number'


def _differences(ours: Any, theirs: Any, path: str) -> Iterator[Issue]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in sorted(set(ours) | set(theirs)):
            yield from _differences(ours.get(key), theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from _differences(*pair, f"{path}[{index}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield Issue(
            path=path,
            problem=f"Pulumi reads {theirs!r}, YAML 1.2 reads {ours!r}",
            repair="put the value in quotes if it is text; --config-file cannot name another file here",
        )
