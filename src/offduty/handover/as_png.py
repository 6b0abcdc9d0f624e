"""A picture of ours as PNG, by typst: the very picture that the page shows, not another one drawn by another library."""

from __future__ import annotations

from offduty.errors import OffdutyError, quoted
from offduty.handover.as_pdf import typst_module

DOTS = 192.0
"""An inch: twice what a screen shows."""
SOURCE = b"""#set page(width: auto, height: auto, margin: 12pt, fill: white)
#image(bytes(sys.inputs.picture), format: "svg", width: 560pt)
"""


def as_png(svg: str) -> bytes:
    """The whole file. `svg`: made here, every text in it escaped. Raises MissingExtra E701 without typst, OffdutyError E122."""
    typst = typst_module("PNG")
    try:
        made: bytes = typst.compile(SOURCE, format="png", ppi=DOTS, sys_inputs={"picture": svg})
    except typst.TypstError as error:
        fix = "make it as .svg, and please report it"
        raise OffdutyError("E122", "the picture could not be made", why=quoted(error), fix=fix) from None
    return made
