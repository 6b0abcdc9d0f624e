"""What a browser makes of documents: headless Chromium over pages whose every text is hostile, endless, or in another script."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from offduty.handover.as_html import as_html
from offduty.handover.evidence import Team
from offduty.handover.request import Request, Requirements
from offduty.handover.runbook import Book, DependencyFacts, IncidentFacts, RowFacts, runbook
from offduty.handover.store import Past
from offduty.handover.value.page import page as value_page
from offduty.handover.value.report import Terms, report

NOW, DAY = 1_795_413_600.0, 86_400.0
PATIENCE = 90_000.0
"""Milliseconds: a browser beside eight busy processes is slow."""
CHROMIUM = shutil.which("chromium") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium")

EVIL = (
    """<script>alert(1)</script> "><img src=x onerror=alert(1)> </pre></article><iframe src=//evil.example> [x](javascript:alert(1)) """
    """![x](https://evil.example/p.png) `<b onclick=alert(1)>` </style><style>@import url(https://evil.example/s.css)</style> =1+1"""
)
ENDLESS = "averylongnamewithoutanyblankatall_" * 8
SCRIPTS = "المختبر يرسل الملف (LAB-01). המעבדה שולחת את הקובץ 实验室每晚五点发送文件 ห้องปฏิบัติการส่งไฟล์ทุกคืน 🧪🚑 नमस्ते"
TEXTS = {"evil": EVIL, "endless": ENDLESS, "scripts": SCRIPTS, "plain": "The lab sends it at 05:00.", "short": "a1b2c3d"}
FITS = """() => {
    const hangs_over = e => !e.closest('figure') && e.getBoundingClientRect().right > innerWidth + 1
    return [document.documentElement.scrollWidth, [...document.querySelectorAll('body *')].filter(hangs_over).map(e => e.tagName)]
}"""
CONTRASTS = """() => {
    const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number)
    const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
    const light = colour => parts(colour).slice(0, 3).reduce((sum, v, n) => sum + linear(v / 255) * [.2126, .7152, .0722][n], 0)
    const behind = e => {
        while (e && parts(getComputedStyle(e).backgroundColor)[3] === 0) e = e.parentElement
        return e ? getComputedStyle(e).backgroundColor : 'rgb(255,255,255)'
    }
    const told = e => e.tagName !== 'title' && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    const contrast = e => {
        const style = getComputedStyle(e), two = [light(e.closest('svg') ? style.fill : style.color), light(behind(e))]
        return (Math.max(...two) + .05) / (Math.min(...two) + .05)
    }
    const found = [...document.querySelectorAll('body *')].filter(told).map(e => [contrast(e), e.tagName, e.textContent.slice(0, 20)])
    return found.filter(one => one[0] < 4.5)
}"""


def runbook_page(said):
    """A runbook in which every text is `said`."""
    row = RowFacts("R-1", said, said, (said,), "lab", "high", (said,), (said,), said)
    return as_html(runbook(Book(
        job=said, made=said, description=said, owner="lab", command=said, folder=said, host=said, due=said, late=(said,), outputs=(said,),
        logs=said, usual=said, notes=f"# {said}\n\n* {said}", teams=(Team("lab", said, (said,)),), titles={"lab": said},
        contact={"lab": said}, hours={"lab": said}, rows=(row, replace(row, name="R-2")),
        dependencies=(DependencyFacts(said, said, "lab", said, said),),
        incidents=(IncidentFacts(said, said, said, 3, said, said, (said,), said),),
    )))  # fmt: skip


def value_report(said):
    """A report in which every text is `said`."""
    runs = [
        Past(f"r{n}", f"r{n}", "manual", "failed" if n == 7 else "succeeded", NOW - (40 - n) * DAY, str(n // 8), said) for n in range(40)
    ]
    found = report(
        said, runs, [(one.id, said, n % 4 + 1.0, said) for n, one in enumerate(runs)], [], [], Terms(), Requirements(0, 0, 0, 0), NOW
    )
    return as_html(value_page(found, [Request(said, said, said, NOW, served_by=said, number=1)], NOW, said))


MADE = {"runbook": runbook_page, "value": value_report}


@pytest.fixture(scope="module")
def browser():
    """One for all: starting it takes a second."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=PATIENCE)
        yield found
        found.close()


@pytest.fixture(params=MADE)
def make(request):
    """Each kind of document."""
    return MADE[request.param]


@pytest.fixture
def shown(browser, tmp_path):
    """Open a page; `happened`: dialogs, requests and errors."""
    opened = []

    def show(html, width=1200, scheme="light"):
        (tmp_path / "a.html").write_text(html, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        opened.append(page)
        happened = []
        page.on("dialog", lambda dialog: happened.append(dialog.message))
        page.on("request", lambda request: happened.append(request.url))
        page.on("pageerror", lambda error: happened.append(str(error)))
        page.goto(f"file://{tmp_path}/a.html")
        return page, happened

    yield show
    for page in opened:
        page.close()


def test_no_script_runs_and_nothing_is_asked_for(make, shown, tmp_path):
    """T10: no dialog, no request but the page itself, and no element that the page did not mean; also when everything is clicked."""
    page, happened = shown(make(EVIL))
    page.evaluate("document.querySelectorAll('main *:not(a)').forEach(e => e.dispatchEvent(new MouseEvent('click')))")
    assert happened == [f"file://{tmp_path}/a.html"]
    assert page.locator("script, iframe, img, object, embed, link, form, [onclick], [onerror]").count() == 0
    assert page.locator("style").count() == 1


@pytest.mark.parametrize("said", TEXTS)
def test_a_phone_shows_all_without_scrolling_sideways(make, shown, said):
    """At 360 pixels nothing but a picture (which scrolls by itself) is wider than the screen."""
    page, _ = shown(make(TEXTS[said]), width=360)
    assert page.evaluate(FITS) == [360, []]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_by_day_and_by_night(make, shown, scheme):
    """Each text stands out from what is behind it by 4.5 to 1, as WCAG asks."""
    page, _ = shown(make(TEXTS["plain"]), scheme=scheme)
    assert page.evaluate(CONTRASTS) == []


def test_a_line_from_right_to_left_is_set_that_way(shown):
    """A full stop after Arabic stands at its left end, although the page is English."""
    page, _ = shown(runbook_page("المختبر يرسل الملف."))
    stop = """() => {
        const words = document.querySelector('#what p.text').firstChild, range = document.createRange()
        range.setStart(words, words.length - 1); range.setEnd(words, words.length)
        const all = document.createRange(); all.selectNodeContents(words)
        return Math.abs(range.getBoundingClientRect().left - all.getBoundingClientRect().left)
    }"""
    assert page.evaluate(stop) < 1


def test_what_is_printed_has_all_words_and_numbered_pages(make, shown, tmp_path):
    """Print preview: every page says which it is and of how many, and nothing is lost at an edge."""
    if shutil.which("pdftotext") is None:
        pytest.skip("needs poppler-utils")
    page, _ = shown(make(TEXTS["plain"]))
    page.pdf(path=str(tmp_path / "a.pdf"), prefer_css_page_size=True)
    pages = subprocess.run(["pdftotext", "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout.split(
        "\f"
    )[:-1]
    assert [f"{n}/{len(pages)}" in text.replace(" ", "") for n, text in enumerate(pages, 1)] == [True] * len(pages) and len(pages) > 1
    printed = set(re.findall(r"\w+", " ".join(pages)))
    assert set(re.findall(r"\w+", page.inner_text("main"))) - printed == set()
