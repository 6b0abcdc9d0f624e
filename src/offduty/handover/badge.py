"""The readiness of a job as a small SVG picture, for a README."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from offduty.handover.readiness import Readiness

COLOURS = {"on duty": "#b42318", "watched": "#9a6700", "rehearsed": "#0969a8", "off duty": "#1a7f37"}
WIDTH_OF_A_LETTER, PADDING, LONGEST = 6.6, 9, 60


def badge(readiness: Readiness) -> str:
    """An SVG document: the job on the left, its level on the right; words, so that the colour is not needed."""
    left, right = readiness.job[:LONGEST], f"{readiness.level} {readiness.score} %"
    first, second = (round(len(text) * WIDTH_OF_A_LETTER) + 2 * PADDING for text in (left, right))
    whole, label = first + second, quoteattr(f"{left}: {right}")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label={label}>
<title>{escape(left)}: {escape(right)}</title>
<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{first}" height="20" fill="#444c56"/>
<rect x="{first}" width="{second}" height="20" fill="{COLOURS[readiness.level]}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{first / 2:g}" y="14">{escape(left)}</text><text x="{first + second / 2:g}" y="14">{escape(right)}</text></g>
</svg>
"""
