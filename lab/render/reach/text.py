"""An answer of the proof as text for a terminal."""

from collections.abc import Iterator

from lab.render.reach.page import Block, Lines, Page, Points, Rows, Title
from lab.render.table import table


def text(page: Page) -> str:
    """A page as lines, its parts apart from each other by an empty one."""
    lines: list[str] = []
    for block in page:
        if isinstance(block, Title) and block.level < 3 and lines:
            lines.append("")
        lines += _lines(block)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Title):
        yield f"  {block.text}" if block.level > 2 else block.text
    elif isinstance(block, Lines):
        yield from (f"  {line}" for line in block.lines)
    elif isinstance(block, Rows):
        yield from table(
            block.rows, head=() if block.quiet else block.head, indent="    " if block.quiet else "  "
        )
    else:
        yield from _points(block)


def _points(block: Points) -> Iterator[str]:
    for point in block.points:
        yield f"  - {point.text}"
        yield from (f"      {part}" for part in point.parts)
        yield from (f"        {line}" for line in point.snippet.splitlines())
