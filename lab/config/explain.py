"""pydantic's findings in the words of a lab's owner: path, value, rule, repair.

The text of a `ValueError` raised in `values` is "what is wrong; what to do", which
becomes the two halves of an issue.
"""

import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lab.config.documentation import key_sentences
from lab.config.model import LabConfig
from lab.config.strict import Part, bare_type
from lab.config.values import Form
from lab.errors import Issue
from lab.names import did_you_mean, nearest

_BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "is below the lowest allowed value,"),
    "less_than_equal": ("le", "is above the highest allowed value,"),
}
_KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "bool_type": "yes or no",
    "tuple_type": "a list",
    "list_type": "a list",
}


def explain(error: ValidationError, lines: Mapping[str, int]) -> list[Issue]:
    """Every finding as an issue, with the line of the file where one is known."""
    found = error.errors(include_url=False)
    misspelt = {
        (*part["loc"][:-1], nearest(str(part["loc"][-1]), _keys_at(part["loc"][:-1])))
        for part in found
        if part["type"] == "extra_forbidden"
    }
    return [_issue(part, lines) for part in found if part["type"] != "missing" or part["loc"] not in misspelt]


def _issue(found: ErrorDetails, lines: Mapping[str, int]) -> Issue:
    # pydantic marks a mapping's key that is wrong; to a reader it is just the key.
    location = tuple(part for part in found["loc"] if part != "[key]")
    path = "lab" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    line = _line(path, lines)
    problem, repair = _words(found, found["loc"])
    return Issue(path=f"{path} (line {line})" if line else path, problem=problem, repair=repair)


def _line(path: str, lines: Mapping[str, int]) -> int | None:
    """The line of a place, or of what is around it where it is not written itself."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


def _words(found: ErrorDetails, location: tuple[int | str, ...]) -> tuple[str, str]:
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return f'unknown key "{location[-1]}"', did_you_mean(str(location[-1]), _keys_at(location[:-1]))
    if kind == "missing":
        return f'"{location[-1]}" is required and missing', f"add {location[-1]}"
    if kind == "value_error":
        problem, _, repair = str(context["error"]).partition("; ")
        return problem, repair or "correct the value"
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "")
        return f"{_shown(given)} is not one of the allowed values", f"write {choices}"
    if kind == "string_pattern_mismatch":
        if form := _description_at(location):
            return f"{_shown(given)} is not {form}", "write it in that form"
        problem = f"{_shown(given)} is not text that matches {context['pattern']}"
        return problem, _sentence_at(location) or "write it in that form"
    if kind in ("too_short", "string_too_short"):
        return f'"{location[-1]}" is empty', "write at least one" if kind == "too_short" else "write it"
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{_shown(given)} {words} {context[bound]}", "write a value inside the allowed range"
    if kind in _KINDS:
        return f"{_shown(given)} is not {_KINDS[kind]}", f"write {_KINDS[kind]}"
    return f"{found['msg']} (given: {_shown(given)})", "correct the value"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "this mapping" if isinstance(value, dict) else "this list"
    return "nothing" if value is None else f'"{value}"'


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    model = _type_at(location)
    if isinstance(model, type) and issubclass(model, Part):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _description_at(location: tuple[int | str, ...]) -> str:
    """The words of a constrained kind of value, such as those of `Name`."""
    if location[-1:] == ("[key]",):
        holder = _type_at(location[:-2])
        annotation = typing.get_args(holder)[0] if typing.get_origin(holder) is dict else None
    else:
        annotation = _annotation_at(location)
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Form):
            return extra.words
    return ""


def _sentence_at(location: tuple[int | str, ...]) -> str:
    """What the model says of a key, as a repair."""
    # It reads the source of the model, which only a problem is worth.
    keys = [part for part in location if isinstance(part, str)]
    owner = _type_at(location[: location.index(keys[-1])]) if keys else None
    if not (isinstance(owner, type) and issubclass(owner, Part)):
        return ""
    name = next((name for name, field in owner.model_fields.items() if keys[-1] in (name, field.alias)), "")
    return (
        f"write {sentence[0].lower()}{sentence[1:].removesuffix('.')}"
        if (sentence := key_sentences(owner).get(name))
        else ""
    )


def _annotation_at(location: tuple[int | str, ...]) -> Any:
    """The annotation of a place, without None where None is allowed too."""
    owner, last = _type_at(location[:-1]), location[-1]
    if isinstance(owner, type) and issubclass(owner, Part):
        annotation = owner.__annotations__.get(str(last).replace("-", "_"))
    else:
        annotation = _inside(owner, last)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation


def _type_at(location: tuple[int | str, ...]) -> Any:
    current: Any = LabConfig
    for part in location:
        current = _inside(bare_type(current), part)
    return bare_type(current)


def _inside(annotation: Any, part: int | str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        by_alias = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
        return by_alias.get(str(part))
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if arguments else None
