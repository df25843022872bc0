"""`python -m benchmarks [--write]`: measure, print, and with --write renew docs/performance.md.

The figures of a running lab are those of a clone that is brought up for them, and take root;
without that they are left out, and the output says so.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.edge import edge_figures
from benchmarks.machine import machine
from benchmarks.measure import Figure
from benchmarks.planning import planning_figures
from benchmarks.proving import proving_figures
from benchmarks.running import running_figures
from benchmarks.sandbox import sandbox_figures

PAGE = Path("docs/performance.md")
_BY_HAND = "\nBeside these, measured once"
"""Where the page goes on with what no benchmark measures; that part is kept."""
_INTRODUCTION = """\
# Figures

Measured by `make bench`, which prints this page; `python -m benchmarks --write` renews it.
Each figure is the median of its runs, with the lowest and the highest: a wide range says that it was busy.
"""


def main() -> int:
    """Measure everything that can be measured here."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the figures of docs/performance.md."
    )
    parser.add_argument("--write", action="store_true", help=f"renew {PAGE}")
    write = parser.parse_args().write
    figures, notes = [], []
    for source in (planning_figures, proving_figures, sandbox_figures, edge_figures, running_figures):
        for item in source():
            if isinstance(item, Figure):
                print(item.line(), file=sys.stderr, flush=True)
                figures.append(item)
            else:
                notes.append(item)
    text = "\n".join(_page(figures, notes)) + "\n"
    print(text, end="")
    if write:
        _, begins, by_hand = PAGE.read_text(encoding="utf-8").partition(_BY_HAND)
        PAGE.write_text(text + begins + by_hand, encoding="utf-8")
    return 0


def _page(figures: list[Figure], notes: list[str]) -> Iterator[str]:
    yield _INTRODUCTION
    yield f"Machine: {machine()}.\n"
    yield "| what | median | lowest | highest | runs | goal |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for figure in figures:
        yield figure.row()
    if notes:
        yield ""
    yield from notes


if __name__ == "__main__":
    sys.exit(main())
