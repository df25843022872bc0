"""The lab as an SVG picture: audiences on the left, the ingress, then each stack and each segment in a frame.

Arrows are permissions: from the ingress to what it serves, and from a service or machine to another one. A permission
of many, such as a whole segment or the tailnet, is a line at the bottom. What follows from the rest (names, updates,
probes: flows of the origin `derived`) is left out; `lab reach` has it. Sizes are in pixels.
"""

from html import escape

from lab.plan.records import LabPlan
from lab.render.diagram.frames import COLUMN, WIDTH, draw_frames, draw_lines
from lab.render.diagram.shapes import MARKERS, STYLE, text
from lab.render.diagram.ways import GATE, edge, flows, gate, lines


def diagram_svg(plan: LabPlan) -> str:
    """The picture as the text of an SVG file."""
    drawn = draw_frames(plan)
    if plan.ingress is not None:
        drawn.boxes[str(GATE)] = gate(drawn.height)
    draw_lines(drawn, "Also permitted", lines(plan, drawn.boxes))
    width, height = COLUMN + WIDTH + 20, drawn.height + 10
    title = f"{plan.environment}: {plan.domain}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" role="img" aria-label="{escape(title)}">',
            f"<style>{STYLE}</style>",
            f"<defs>{MARKERS}</defs>",
            f'<rect width="{width}" height="{height:.0f}" fill="#fff"/>',
            text(20, 28, title, "head"),
            *drawn.frames,
            *edge(plan, drawn.boxes),
            *flows(plan, drawn.boxes),
            *drawn.members,
            "</svg>",
            "",
        ]
    )
