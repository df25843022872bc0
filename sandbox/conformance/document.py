"""The generated parts of a document, each between two comments that mark it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sandbox.conformance.errors import ConformanceError

BEGIN: Final = "<!-- begin: written by python -m sandbox.conformance stand-ins -->"
HTTP_BEGIN: Final = "<!-- begin: written by python -m sandbox.conformance http -->"
END: Final = "<!-- end -->"


def part_of(text: str, place: str, begin: str = BEGIN) -> str:
    """What stands between a mark and the end after it.

    Raises:
        ConformanceError: the marks are not there, once each and in order.
    """
    _, begun, rest = text.partition(begin)
    part, ended, _ = rest.partition(END)
    if not begun or not ended or begin in rest or "<!-- begin" in part:
        raise ConformanceError(f"{place}: must hold the line {begin!r} once, and the line {END!r} after it.")
    return part.strip("\n")


def write_part(file: Path, part: str, begin: str = BEGIN) -> None:
    """Replace what stands between a mark and the end after it.

    Raises:
        ConformanceError: the file or its marks are not there.
    """
    try:
        text = file.read_text()
    except OSError as error:
        raise ConformanceError(f"{file}: cannot be read: {error}.") from None
    part_of(text, str(file), begin)
    head, _, rest = text.partition(begin)
    file.write_text(f"{head}{begin}\n\n{part}\n\n{END}{rest.partition(END)[2]}")
