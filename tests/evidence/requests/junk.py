"""What no client means to send: values of the wrong type, damaged objects, bodies that are no JSON, odd paths.

The strategies are made once and drawn from often: making one takes hypothesis longer than a request takes.
"""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

ODD_TEXTS = (
    "", " ", "\x00", "\ud800", "é", "a" * 300, "../..", "%", "null", "[]", "0x10", "1e999", "-1", "²", "\n", "0",
)  # fmt: skip
_ODD_VALUES: tuple[Any, ...] = (
    *ODD_TEXTS, None, True, False, -1, 0, 1, 7, 2**63, 10**40, 0.5, float("nan"), float("inf"), [], {}, [[]], [7],
    {"": {"": 0}}, [None], ["a"],
)  # fmt: skip
_ODD_BODIES = (
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"a":' * 5_000, b"1" * 5_000,
    b'{"name": "\\ud800"}', b'{"type": "A", "type": "B"}', b"\x00", b"//", b"{,}", b'{"ttl": 1e999}',
)  # fmt: skip
# Segments as they stand in the request line: not every one of them is text once it is unquoted.
_ODD_SEGMENTS = (
    "%00",
    "%ff",
    "%2F",
    "..",
    ".",
    "%",
    "%zz",
    "*",
    "-",
    "x",
    "0" * 32,
    "a" * 400,
    "%F0%9F%92%A9",
    "'",
)
_CONTENT_TYPES = (
    "application/json; charset=nope", "application/json; charset=utf-16", "text/plain", ";", "nonsense",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
)  # fmt: skip
_JSON = {"Content-Type": "application/json"}

_CHANCE = st.integers(0, 59)
_VALUE = st.one_of(st.sampled_from(_ODD_VALUES), st.text(max_size=5))
_BODY = st.sampled_from(_ODD_BODIES)
_SEGMENT = st.sampled_from(_ODD_SEGMENTS)
_KIND = st.sampled_from(_CONTENT_TYPES)
_PLACE = st.integers(0, 2**16)


def odd_credentials(scheme: str) -> list[str]:
    """Headers `Authorization` that open nothing, in the bytes of Latin-1; the scheme is the API's own."""
    secrets = (
        "",
        " ",
        "\xff",
        "x@y!z=\xff",
        "root@pam",
        "root@pam!",
        "=",
        ":",
        "\xc3",
        "a" * 5000,
        "Basic eA==",
    )
    return [
        "",
        scheme,
        "Basic",
        "Basic \xff",
        "Basic /w==",
        *(f"{scheme}{mark}{text}" for mark in " =" for text in secrets),
    ]


def one_in(draw: st.DrawFn, number: int) -> bool:
    """True as often as one in so many draws; at most 60."""
    return draw(_CHANCE) < 60 // number


def damage(draw: st.DrawFn, good: Mapping[str, Any]) -> dict[str, Any]:
    """A good object, or one with a field or two left out or replaced, or with one that nobody knows."""
    found = dict(good)
    while one_in(draw, 3):
        names = [*found, "unknown"]
        name, gone = names[draw(_PLACE) % len(names)], draw(_PLACE) % 3 == 0
        if gone:
            found.pop(name, None)
        else:
            found[name] = draw(_VALUE)
    return found


def body(draw: st.DrawFn, good: Mapping[str, Any]) -> bytes:
    """A JSON body: mostly nearly right, now and then bytes of another kind."""
    if one_in(draw, 15):
        return draw(_BODY)
    return json.dumps(damage(draw, good)).encode()


def headers(draw: st.DrawFn) -> dict[str, str]:
    """The content type, rarely another one than JSON."""
    return {"Content-Type": draw(_KIND)} if one_in(draw, 20) else _JSON


def segment(draw: st.DrawFn, good: str) -> str:
    """A segment of a path, escaped: mostly the good one."""
    return draw(_SEGMENT) if one_in(draw, 12) else good
