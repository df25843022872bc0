"""The parts of the model, and the sentence beside each of their keys, for whoever describes the lab file.

The sentences are read from the source when somebody asks for them:
pydantic can attach them by itself, but reads and parses the source of every class at import to do so, and
that would cost each `lab check` a fifth of its time.
"""

import ast
import inspect
import itertools
import typing
from functools import cache
from typing import Any

from lab.config.strict import Part, bare_type, kebab


def key_sentences(part: type[Part]) -> dict[str, str]:
    """The docstring of each field of a part, by the field's name, in one line each."""
    sentences: dict[str, str] = {}
    for owner in (kind for kind in reversed(part.__mro__) if issubclass(kind, Part)):
        body = _classes(inspect.getsourcefile(owner) or "").get(owner.__name__, [])
        for field, after in itertools.pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(after):
                sentences[field.target.id] = " ".join(_text(after).split())
    return sentences


def parts(root: type[Part]) -> dict[type[Part], str]:
    """The root and every part below it, each with the path where it stands: `guests.NAME`, `flows[]`."""
    found: dict[type[Part], str] = {}
    _collect(root, "", found)
    return found


def _collect(part: type[Part], where: str, found: dict[type[Part], str]) -> None:
    if part in found:
        return
    found[part] = where
    for name, field in part.model_fields.items():
        inner, suffix = _part_inside(field.annotation)
        if inner is not None:
            path = f"{where}.{kebab(name)}" if where else kebab(name)
            _collect(inner, f"{path}{suffix}", found)


def _part_inside(annotation: Any) -> tuple[type[Part] | None, str]:
    """The part that a field holds, and how it is repeated: `.NAME` in a mapping, `[]` in a list."""
    annotation = bare_type(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation, ""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return _part_inside(arguments[1])[0], ".NAME"
    if origin is tuple and arguments:
        return _part_inside(arguments[0])[0], "[]"
    return None, ""


@cache
def _classes(file: str) -> dict[str, list[ast.stmt]]:
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _text(node: ast.stmt) -> str:
    assert isinstance(node, ast.Expr)
    assert isinstance(node.value, ast.Constant)
    return str(node.value.value)
