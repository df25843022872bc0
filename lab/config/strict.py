"""The strictness that every part of the lab file shares.

Unknown keys are refused, values are frozen, and a key is written in kebab-case only:
a model that quietly accepted the Python spelling as well would give two ways to write
one lab.
"""

import types
import typing
from typing import Any

from pydantic import BaseModel, ConfigDict


def kebab(name: str) -> str:
    """The key of a field as a person writes it: `startup_order` is `startup-order`."""
    return name.rstrip("_").replace("_", "-")


class Part(BaseModel):
    """A part of the lab file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=kebab,
        arbitrary_types_allowed=True,
    )


def bare_type(annotation: Any) -> Any:
    """The kind itself, without `Annotated`, and without None where None is allowed too."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
            annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
        else:
            return annotation
