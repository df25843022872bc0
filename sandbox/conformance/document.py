"""A generated part of a document, between two comments that mark it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sandbox.conformance.errors import ConformanceError

BEGIN: Final = "<!-- begin: written by python -m sandbox.conformance stand-ins -->"
END: Final = "<!-- end -->"


def part_of(text: str, place: str) -> str:
    """What stands between the marks.

    Raises:
        ConformanceError: the marks are not there, once each and in order.
    """
    before, begun, rest = text.partition(BEGIN)
    part, ended, after = rest.partition(END)
    if not begun or not ended or BEGIN in rest or BEGIN in before or END in after:
        raise ConformanceError(f"{place}: must hold the line {BEGIN!r} once, and the line {END!r} after it.")
    return part.strip("\n")


def write_part(file: Path, part: str) -> None:
    """Replace what stands between the marks.

    Raises:
        ConformanceError: the file or its marks are not there.
    """
    try:
        text = file.read_text()
    except OSError as error:
        raise ConformanceError(f"{file}: cannot be read: {error}.") from None
    part_of(text, str(file))
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    file.write_text(f"{head}{BEGIN}\n\n{part}\n\n{END}{tail}")
