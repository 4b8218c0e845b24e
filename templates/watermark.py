"""Large pale words across a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from templates.typesetting import POINTS_PER_MM, colour_operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from templates.boxes import Page, WatermarkBox
    from templates.typesetting import Chain
    from templates.wrapping import Measured

_EXTRA = 1.6
_ROWS_APART = 4.0


def watermark_operators(
    box: WatermarkBox, chain: Chain, page: Page, state: str, setting: tuple[Measured, Mapping[int, str]]
) -> str:
    """Return the operators of a watermark.

    Args:
        box: Where and how.
        chain: Its fonts.
        page: For a tiled one.
        state: The operator that sets its opacity.
        setting: The words, measured, and the table of their codes.
    """
    text, table = setting
    size = box.style.size
    angle = math.radians(box.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    length = text.widths[-1] / 1000 * size
    words = text.text.translate(table)
    out = f"/Artifact BMC\nq {state}\n{colour_operator(box.style.colour)}\nBT/{chain.primary.base_name} 1 Tf\n"
    for x, y in _centres(box, page, length, size) if box.repeat else [(box.x, box.y)]:
        # From the centre back by half the length, down by half the height of a capital.
        left = x * POINTS_PER_MM - cos * length / 2 + sin * size * 0.36
        base = (page.height - y) * POINTS_PER_MM - sin * length / 2 - cos * size * 0.36
        out += (
            f"{size * cos:.3f} {size * sin:.3f} {-size * sin:.3f} {size * cos:.3f} {left:.2f} {base:.2f} Tm "
            f"<{words}>Tj\n"
        )
    return out + "ET Q\nEMC\n"


def _centres(box: WatermarkBox, page: Page, length: float, size: float) -> Iterator[tuple[float, float]]:
    """Yield centres of a slanted grid over the page, mm from the top left."""
    across = max(10.0, (length + _EXTRA * size) / POINTS_PER_MM)
    down = max(10.0, _ROWS_APART * size / POINTS_PER_MM)
    rows = int(page.height / down) + 1
    for row in range(rows):
        y = (row + 0.5) * page.height / rows
        x = box.x % across - across * (0.5 if row % 2 else 1.0)
        while x < page.width + across / 2:
            if x > -across / 2:
                yield x, y
            x += across
