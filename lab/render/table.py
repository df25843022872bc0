"""Aligned columns of text, the one way in which every report prints a table."""

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]], *, head: Sequence[str] = (), indent: str = "  ") -> list[str]:
    """Rows as lines whose columns are aligned, with a head and a rule where one is given."""
    cells = [list(row) for row in rows]
    if not cells:
        return []
    everything = [list(head), *cells] if head else cells
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    lines = [
        indent + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in everything
    ]
    if head:
        lines.insert(1, indent + "  ".join("-" * width for width in widths))
    return lines
