"""What the picture is made of: boxes, lines of text, and curves with an arrowhead."""

from dataclasses import dataclass
from html import escape

PAD = 14
_CHARACTER = {"": 7.2, "head": 8.1, "small": 6.1}
"""How wide a character of a name is on average, by the kind of text, in DejaVu Sans, as wide as system fonts get."""
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2430}"
    ".small{font-size:11px;fill:#5b6675}.head{font-weight:600}"
    ".box{fill:#fff;stroke:#5b6675}.front{fill:#e8f2ff;stroke:#2f6fb3}"
    ".stack{fill:#f6f7f9;stroke:#c3cad3}.segment{fill:#fbf8f1;stroke:#d8cdb4}.lines{fill:none;stroke:#c3cad3}"
    ".ingress{fill:#e8f2ff;stroke:#2f6fb3;stroke-width:2}"
    ".route{stroke:#2f6fb3;fill:none;stroke-width:1.5;marker-end:url(#arrow)}"
    ".flow{stroke:#8a5a00;fill:none;stroke-width:1.2;marker-end:url(#permitted)}"
)


@dataclass(frozen=True)
class Box:
    """A rectangle, and where lines leave and meet it."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> tuple[float, float]:
        """The middle of its left side."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> tuple[float, float]:
        """The middle of its right side."""
        return self.x + self.width, self.y + self.height / 2


def rect(box: Box, kind: str, radius: int) -> str:
    """A box as an element."""
    return (
        f'<rect class="{kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="{radius}"/>'
    )


def label(box: Box, down: float, line: str, kind: str = "") -> str:
    """A line of text in a box or below it; one that would leave it is squeezed into it."""
    room = box.width - 2 * PAD
    squeezed = len(line) * _CHARACTER[kind] > room
    return text(box.x + PAD, box.y + down, line, kind, room if squeezed else None)


def text(x: float, y: float, line: str, kind: str = "", length: float | None = None) -> str:
    """A line of text; with a length it is squeezed into that."""
    style = f' class="{kind}"' if kind else ""
    fitted = f' textLength="{length:.0f}" lengthAdjust="spacingAndGlyphs"' if length is not None else ""
    return f'<text{style} x="{x:.0f}" y="{y:.0f}"{fitted}>{escape(line)}</text>'


def arrow(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    """A line that leaves and arrives level, by way of the column in the middle."""
    return curve(kind, start, (start[0] + end[0]) / 2, end)


def curve(kind: str, start: tuple[float, float], bend: float, end: tuple[float, float]) -> str:
    """A line that leaves and arrives level, by way of a column of its own."""
    (x, y), (to_x, to_y) = start, end
    way = f"M{x:.0f} {y:.0f} C{bend:.0f} {y:.0f} {bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    return f'<path class="{kind}" d="{way}"/>'


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


MARKERS = _marker("arrow", "#2f6fb3") + _marker("permitted", "#8a5a00")
