"""Bodies of requests, as each API of the sandbox reads them: UTF-8 whatever the headers say, and strict JSON.

What a JSON library of another language would read otherwise is settled here: a number that no double holds and
the words `NaN` and `Infinity` are refused, half of a surrogate pair becomes U+FFFD (as in Go's encoding/json, which
Tailscale's control plane is written in).
"""

import json
import math
from typing import Any

from aiohttp import web


class BodyError(Exception):
    """A body that cannot be read; the text says why, as the end of a sentence."""


async def read_text(request: web.Request) -> str:
    """The body as text.

    Raises:
        BodyError: it is not UTF-8.
    """
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError as problem:
        raise BodyError(f"it is not UTF-8 at byte {problem.start}") from None


def read_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        BodyError: it is no JSON, or one that the sandbox does not take: too deep, or a number out of range.
    """
    try:
        found = json.loads(text, parse_float=_number, parse_constant=_number)
    except ValueError as problem:
        raise BodyError(f"it is not JSON: {problem}") from None
    except RecursionError:
        raise BodyError("it is nested too deeply") from None
    return _whole(found) if "\\ud" in text.lower() else found


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number that JSON can carry")
    return value


def _whole(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
