"""Figures as text, Markdown or JSON."""

from __future__ import annotations

import json
from typing import Any

from sandbox.conformance.figures import Example, Figures, total
from sandbox.conformance.replay import Verdict

WIDTH = 160  # characters of a value in a text; JSON holds it whole
HEADINGS = ("steps", "agree", "differ", "refused", "not replayable", "agreement")
HTTP_HEADINGS = ("package", "requests", "answered alike", "differ", "refused", "not replayable", "agreement")


def rendered(figures: dict[str, Figures], form: str) -> str:
    """The report in `form`: text, markdown or json."""
    return {"text": _text, "markdown": _markdown, "json": _json}[form](figures)


def row(one: Figures) -> list[str]:
    """The cells of a type below `HEADINGS`."""
    counts = [one.verdicts[verdict] for verdict in (Verdict.AGREES, Verdict.DIFFERS)]
    apart = [one.verdicts[verdict] for verdict in (Verdict.REFUSED, Verdict.UNPLAYABLE)]
    return [str(one.steps), *map(str, counts), *map(str, apart), one.share]


def table(figures: dict[str, Figures], headings: tuple[str, ...] = ("type", *HEADINGS)) -> str:
    """The figures as a Markdown table."""
    lines = [f"| {' | '.join(headings)} |", f"| --- |{' ---: |' * len(HEADINGS)}"]
    lines += [f"| `{token}` | {' | '.join(row(one))} |" for token, one in figures.items()]
    lines.append(f"| all | {' | '.join(row(total(figures.values())))} |")
    return "\n".join(lines)


def _text(figures: dict[str, Figures]) -> str:
    rows = [("type", *HEADINGS), *((token, *row(one)) for token, one in figures.items())]
    rows.append(("all", *row(total(figures.values()))))
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
        )
        for cells in rows
    ]
    for token, one in figures.items():
        if one.kinds:
            lines += ["", token]
        for kind, count in one.kinds.most_common():
            lines += [f"  {count} x {kind}", *(f"      {line}" for line in _example(one.examples[kind]))]
    return "\n".join(lines)


def _example(example: Example) -> list[str]:
    difference = example.difference
    return [
        f"{example.file}, {example.case}, step {example.step}: {difference.field}",
        f"theirs: {_short(difference.theirs)}",
        f"ours:   {_short(difference.ours)}",
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def _markdown(figures: dict[str, Figures]) -> str:
    lines = [table(figures)]
    for token, one in figures.items():
        for kind, count in one.kinds.most_common():
            where, theirs, ours = (line.strip() for line in _example(one.examples[kind]))
            lines += ["", f"`{token}`: {count} x {kind}", "", f"    {where}", f"    {theirs}", f"    {ours}"]
    return "\n".join(lines)


def _json(figures: dict[str, Figures]) -> str:
    types = {
        token: {
            "steps": one.steps,
            **{verdict.value: one.verdicts[verdict] for verdict in Verdict},
            "differences": [
                {"kind": kind, "steps": count, "example": _document(one.examples[kind])}
                for kind, count in one.kinds.most_common()
            ],
        }
        for token, one in figures.items()
    }
    return json.dumps({"version": 1, "types": types}, indent=2, ensure_ascii=False)


def _document(example: Example) -> dict[str, Any]:
    difference = example.difference
    return {
        "file": example.file,
        "case": example.case,
        "step": example.step,
        "field": difference.field,
        "theirs": difference.theirs,
        "ours": difference.ours,
    }
