"""The strictness that every part of the lab file shares.

Unknown keys are refused, values are frozen, and a key is written in kebab-case only:
a model that quietly accepted the Python spelling as well would give two ways to write
one lab.
"""

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
