"""How Sphinx builds the pages and the man pages; run it by `python3 dev.py docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from offduty.version import VERSION

project = "offduty"
author = "offduty contributors"
copyright = "2026, offduty contributors"
version = release = VERSION
today = VERSION  # the man pages' date: they must not differ from day to day, or no test could compare them

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
suppress_warnings = ["misc.highlighting_failure"]  # ```console blocks hold what programs really print

html_theme = "furo"
html_title = f"offduty {VERSION}"

man_pages = [
    ("reference/cli", "offduty", "run data science jobs unattended: logged, summarised, recorded", author, 1),
    ("reference/config", "offduty.toml", "configuration of offduty", author, 5),
]
man_make_section_directory = True
man_show_urls = False
