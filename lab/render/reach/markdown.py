"""An answer of the proof as Markdown, for a pull request or a page."""

import re
from collections.abc import Iterator

from lab.render.reach.page import Block, Lines, Page, Points, Rows, Title

_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")


def markdown(page: Page) -> str:
    """A page as Markdown (GitHub's, with tables)."""
    blocks = ["\n".join(_lines(block)) for block in page]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Title):
        yield f"{'#' * block.level} {_plain(block.text)}"
    elif isinstance(block, Lines):
        # Two spaces at the end of a line keep the next sentence on a line of its own.
        yield "  \n".join(map(_plain, block.lines))
    elif isinstance(block, Rows):
        yield from _table(block)
    else:
        yield from _points(block)


def _table(block: Rows) -> Iterator[str]:
    if block.rows:
        yield f"| {' | '.join(block.head)} |"
        yield f"|{' --- |' * len(block.head)}"
        yield from (f"| {' | '.join(map(_plain, row))} |" for row in block.rows)


def _points(block: Points) -> Iterator[str]:
    for point in block.points:
        yield f"- {_plain(point.text)}"
        yield from (f"  - {_plain(part)}" for part in point.parts)
        if point.snippet:
            yield from ("", "  ```yaml", *(f"  {line}" for line in point.snippet.splitlines()), "  ```")


def _plain(text: str) -> str:
    """Text that no reader of Markdown takes for an instruction."""
    return _SPECIAL.sub(r"\\\1", text)
