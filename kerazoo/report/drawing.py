"""Plots as SVG that stands in a page: it takes the page's colours, light or dark, and grows with the page."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from markupsafe import Markup

# What Matplotlib draws in these colours gets the page's.
INK, FAINT, MEASURED, PRINTED, PAPER = "#010101", "#020202", "#030303", "#040404", "#050505"
SERIES = ("#060606", "#070707", "#080808", "#090909")
_NAMES = {INK: "ink", FAINT: "faint", MEASURED: "measured", PRINTED: "printed", PAPER: "paper"}
_NAMES |= {colour: f"series-{place}" for place, colour in enumerate(SERIES, start=1)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kerazoo",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 10,
}


def picture(draw: Callable[[Any], None], alt: str, size: tuple[float, float] = (4.6, 3.2)) -> Markup:
    """Return the SVG of one pair of axes.

    Args:
        draw: draws on the Matplotlib axes that it is given, in the colours of this module.
        alt: what the picture shows, for those who do not see it.
        size: width and height in inches; a phone's width is about five.
    """
    with _style():
        from matplotlib.figure import Figure  # half a second that the other commands do without

        figure = Figure(figsize=size)
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(drawn.getvalue(), alt)


@contextlib.contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page's own font has the Chinese ones
        yield


def _inline(svg: str, alt: str) -> Markup:
    """Return Matplotlib's SVG as an element of a page: without its heading, fixed size and ids that clash."""
    found = re.search(r'<svg[^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>', svg, re.DOTALL)
    if found is None:
        raise ValueError("Matplotlib wrote no SVG with a viewBox")
    view, content = found.groups()
    content = re.sub(r"<metadata>.*?</metadata>", "", content, flags=re.DOTALL)
    own = f"p{zlib.crc32((alt + content).encode()):x}-"
    content = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}", content)
    for colour, name in _NAMES.items():
        content = content.replace(colour, f"var(--{name})")
    content = re.sub(r"\s*\n\s*", "\n", content)
    return Markup('<svg viewBox="{}" role="img" aria-label="{}">{}</svg>').format(view, alt, Markup(content))
