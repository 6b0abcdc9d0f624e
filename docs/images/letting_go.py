"""Draws value.png, runbook.png and readiness.svg: `python docs/images/letting_go.py`, with .venv active; chromium is there.

The value is that of a made-up history; the runbook is the clinic's, after runs that really failed.
"""

import os
import random  # noqa: TID251  seeded: drawn again, it is the same picture
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from offduty.handover.as_png import as_png
from offduty.handover.badge import badge
from offduty.handover.readiness import LEVELS, Readiness
from offduty.handover.request import Requirements
from offduty.handover.store import Past, Touch
from offduty.handover.value.judge import Target
from offduty.handover.value.page import pictures_of
from offduty.handover.value.pictures import stacked
from offduty.handover.value.report import Report, Terms, report

HERE = Path(__file__).resolve().parent
CLINIC = HERE.parents[1] / "examples/clinic"
NOW, DAY = 1_795_413_600.0, 86_400.0
VERSIONS, RUNS = 14, 9
BREAKS = ("", "feed-column", "api-503", "feed-missing")


def main() -> None:
    """All three."""
    (HERE / "value.png").write_bytes(as_png(stacked(list(pictures_of(history(), NOW).values()))))
    (HERE / "readiness.svg").write_text(badges())
    with tempfile.TemporaryDirectory() as folder:
        page = clinic_runbook(Path(folder))
        runbook_picture(page, HERE / "runbook.png")


def history() -> Report:
    """A model that got better until good enough was met, and was tinkered with ever after."""
    chance = random.Random(4)
    runs, measured = [], []
    labels = [f"{chance.randrange(16**7):07x}" for _ in range(VERSIONS)]
    for number in range(VERSIONS * RUNS):
        version = number // RUNS
        outcome = "failed" if chance.random() < 0.06 else "succeeded"
        trigger = "manual" if chance.random() < 0.08 else "scheduled"
        at = NOW - (VERSIONS * RUNS - 1 - number) * DAY
        runs.append(Past(f"r{number}", f"r{number}", trigger, outcome, at, labels[version], labels[version]))
        measured.append((f"r{number}", "mape", max(0.1, 0.16 - 0.01 * version) + chance.gauss(0, 0.006), ""))
    worked = ((110, 8.0), (90, 12.0), (60, 16.0), (30, 9.0))  # days ago, hours
    touches = [Touch("forecast", NOW - ago * DAY, "ada", "features", hours) for ago, hours in worked]
    return report("forecast", runs, measured, touches, [], Terms("mape", None, {"mape": Target("<=", 0.12)}), Requirements(0, 0, 0, 0), NOW)


def badges() -> str:
    """One of each level, below one another."""
    made = [badge(Readiness("forecast", level, score, ())) for level, score in zip(LEVELS, (21, 50, 78, 100), strict=True)]
    placed = [
        svg.replace("<svg ", f'<svg y="{28 * place}" ', 1).replace('"r"', f'"r{place}"').replace("#r)", f"#r{place})")
        for place, svg in enumerate(made)
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="190" height="{28 * len(made) - 8}">\n{"".join(placed)}</svg>\n'


def clinic_runbook(folder: Path) -> Path:
    """The clinic's, after a good run and three that were broken."""
    work = folder / "clinic"
    shutil.copytree(CLINIC, work, ignore=shutil.ignore_patterns("world", "__pycache__", "forecasts.csv"))
    binaries = str(Path(sys.executable).parent)
    environ = {**os.environ, "OFFDUTY_STATE_DIR": f"{folder}/state", "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    for broken in BREAKS:
        words = ["--break", broken] if broken else []
        subprocess.run([sys.executable, "world.py", *words, "--", "offduty", "run", "forecast"], cwd=work, env=environ, capture_output=True)
    subprocess.run(["offduty", "handover", "forecast", "-o", "runbook.html"], cwd=work, env=environ, check=True)
    page = work / "runbook.html"
    page.write_text(page.read_text().replace(str(folder), "/srv").replace(f"<dd>{os.uname().nodename}</dd>", "<dd>etl-3</dd>"))
    return page


def runbook_picture(page: Path, into: Path) -> None:
    """Its beginning on a screen, and a row on a phone at night."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width, scheme, place in ((760, "light", "first"), (360, "dark", "row-1")):
            sheet = browser.new_page(viewport={"width": width, "height": 960}, color_scheme=scheme)
            sheet.goto(f"{page.as_uri()}#{place}")
            sheet.screenshot(path=str(page.with_name(f"{scheme}.png")))
        both = page.with_name("both.html")
        both.write_text('<body style="margin: 0; background: #9aa4af; display: flex; gap: 24px"><img src="light.png"><img src="dark.png">')
        sheet = browser.new_page(viewport={"width": 760 + 24 + 360, "height": 960})
        sheet.goto(both.as_uri())
        sheet.screenshot(path=str(into))
        browser.close()


if __name__ == "__main__":
    main()
