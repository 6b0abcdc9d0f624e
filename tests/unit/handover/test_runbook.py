"""The runbook: what it says, and that nothing it quotes can do anything."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from offduty.handover.acceptance import Ours, Stands
from offduty.handover.as_html import as_html
from offduty.handover.as_markdown import as_markdown, escaped, prose
from offduty.handover.as_pdf import as_pdf, missing_fonts
from offduty.handover.document import Document, Section, clean, code, facts, grid, notes, points, steps, text
from offduty.handover.evidence import Team
from offduty.handover.runbook import Book, DependencyFacts, IncidentFacts, RowFacts, runbook

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</pre></article><iframe src=//evil.example>",
    "{{ 7*7 }}{% raw %}", "#{evil}",
    "[x](javascript:alert(1))", "![x](https://evil.example/p.png)", "=cmd|' /C calc'!A1", "$x^2$ #import \"x\" @ref *b* `c`",
    "| a | b |\n|---|---|",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "```\n</pre>",
    "\x1b[31mred\x07\u202egnp.exe", "<a href='javascript:alert(1)'>x</a>",
]  # fmt: skip
SCRIPTS = "Ωμέγα Привет こんにちは 你好 안녕 สวัสดี שלום مرحبا नमस्ते"


def filled(said):
    """A book in which every text is `said`."""
    row = RowFacts("R-1", said, said, (said,), "lab", "high", (said,), (said,), said)
    return Book(
        job=said, made=said, description=said, owner="lab", command=said, folder=said, host=said, due=said, late=(said,), next_due=(said,),
        outputs=(said,), good_enough=(said,), conduct=(said,), logs=said, kept=said, usual=said, last_run=said, notes=said,
        teams=(Team("lab", said, (said,)),), titles={"lab": said}, contact={"lab": said}, hours={"lab": said}, team_notes={"lab": said},
        rows=(row,), dependencies=(DependencyFacts(said, said, "lab", said, said),),
        incidents=(IncidentFacts(said, said, said, 3, said, said, (said,), said),),
        accepted=((Stands(Ours("R-1", "lab", said, "d"), "open"), ""),),
    )  # fmt: skip


class Seen(HTMLParser):
    """Every element and address of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.said = set(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.said += data


OURS = set(Seen(as_html(runbook(filled("plain")))).tags)


def is_inert(page, allowed):
    """Nothing but elements of our own, no handlers, no address that runs something."""
    seen = Seen(page)
    addresses = [value for name, value in seen.attributes if name in ("href", "src")]
    return (
        seen.tags <= allowed
        and not [name for name, _ in seen.attributes if name.startswith("on")]
        and all(value.startswith(("#", "http://", "https://")) for value in addresses)
    )


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_in_the_page_can_run(said):
    """T10: every field of the book, in HTML; somebody's notes may hold Markdown, and no more."""
    assert is_inert(as_html(runbook(filled(said))), OURS | {"em", "strong", "code", "blockquote", "br"})


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_in_the_markdown_can_run(said):
    """T10, T11: rendered by somebody else, with HTML switched on."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(as_markdown(runbook(filled(said))))
    assert is_inert(page, OURS | {"em", "strong", "code", "blockquote", "br"})


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_escaped_text_stands_for_itself(said):
    """A property: what a reader of the rendered Markdown sees is what was said, blanks aside."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"x {escaped(clean(said))}")
    assert Seen(page).said.split() == ["x", *clean(said).split()] and Seen(page).tags == {"p"}


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="-+=@.)1# >*_|`~$<&[!:\\a ", max_size=12))
def test_no_beginning_of_a_line_means_anything(said):
    """T11: no list, heading, underline or formula comes of a text that begins like one."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"{escaped(said)}\n")
    assert Seen(page).tags <= {"p"} and Seen(page).said.split() == said.split()


def test_backticks_make_code_of_what_stands_between_them():
    """In each form; where Markdown could take it for something else, it stays text."""
    page = Document("t", "", "", (Section("a", "s", (text("do `offduty run <x>` & `offduty log y`"), grid(["h"], [["`a | b`"]]))),))
    assert "do <code>offduty run &lt;x&gt;</code> &amp; <code>offduty log y</code>" in as_html(page)
    assert "do \\`offduty run \\<x\\>\\` \\& `offduty log y`" in as_markdown(page) and "| \\`a \\| b\\` |" in as_markdown(page)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="`\\a b|<&*[](){}", max_size=20))
def test_code_in_markdown_is_inert(said):
    """A property: whatever stands in backticks, and around them, nothing else than text and code comes of it."""
    shown = Seen(MarkdownIt("commonmark", {"html": True}).enable("table").render(prose(f"x {said}")))
    assert shown.tags <= {"p", "code"} and shown.said.replace("`", "").split() == f"x {said}".replace("`", "").split()


def test_the_page_needs_nothing_else():
    """No script, and a policy under which nothing could be loaded."""
    page = as_html(runbook(filled("x")))
    assert "default-src 'none'" in page and "<script" not in page and "@import" not in page and "url(" not in page


def test_steps_and_contacts_stand_in_every_form():
    """What a support team needs at three in the morning."""
    book = replace(
        filled("x"), rows=(RowFacts("LAB-01", "No file", "It is late.", ("Ask the lab.",), "lab", "high", ()),), contact={"lab": "ext. 220"}
    )
    for made in (as_html(runbook(book)), as_markdown(runbook(book))):
        assert "Ask the lab." in made and "ext. 220" in made and "LAB-01 No file" in made


def pdf_text(made, tmp_path):
    """What can be read in a PDF."""
    if shutil.which("pdftotext") is None:
        pytest.skip("needs poppler-utils")
    (tmp_path / "a.pdf").write_bytes(made)
    return subprocess.run(["pdftotext", "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout


def test_texts_are_no_markup_in_the_pdf(tmp_path):
    """T10, T11: typst's own characters come out as they went in; only backticks, which make code, are gone where that is meant."""
    pytest.importorskip("typst")
    said = '#import "x": y $x^2$ *b* _i_ @ref <l> \\ = h `c` // no'
    shown = pdf_text(
        as_pdf(Document("t", "", "", (Section("a", said, (text(said), code(said), notes(said), grid(["h"], [[said]]))),))), tmp_path
    )
    assert (shown.count(said), shown.count(said.replace("`", ""))) == (3, 3)  # contents, title, code; text, notes, cell


def test_five_hundred_rows_make_a_pdf(tmp_path):
    """Each row with its card; the table's heading comes again on each page."""
    pytest.importorskip("typst")
    rows = tuple(
        RowFacts(f"ROW-{n}", f"title {n}", "cause " * 20, ("do this", "do that"), "lab", "high", ("exception is KeyError",))
        for n in range(500)
    )
    shown = pdf_text(as_pdf(runbook(replace(filled("x"), rows=rows))), tmp_path)
    assert [n for n in range(500) if shown.count(f"ROW-{n} title {n}") < 1] == [] and shown.count("\f") > 40


def test_nothing_runs_off_a_page_of_the_pdf(tmp_path):
    """A name without a blank breaks; a title as long as that leaves the number of the page in its place."""
    pytest.importorskip("typst")
    pdf_text(as_pdf(runbook(filled("averylongnamewithoutanyblankatall_" * 8))), tmp_path)
    boxes = subprocess.run(["pdftotext", "-bbox", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout
    width = float(re.search(r'<page width="([\d.]+)"', boxes)[1])
    ends = [float(end) for end in re.findall(r'xMax="([\d.]+)"', boxes)]
    assert len(ends) > 100 and max(ends) < width - 40


def test_text_from_right_to_left_is_in_the_pdf(tmp_path):
    """In paragraphs, notes, steps, facts and tables: set from the right, and not lost."""
    pytest.importorskip("typst")
    said = "\u05d4\u05de\u05e2\u05d1\u05d3\u05d4 \u05e9\u05d5\u05dc\u05d7\u05ea LAB-01."
    blocks = (text(said), notes(said), steps([said]), points([said]), facts([("a", said)]), grid(["h"], [[said]]))
    document = Document("t", "", "", (Section("a", "s", blocks),))
    if missing_fonts(document):
        pytest.skip("needs a font that has Hebrew")
    shown = pdf_text(as_pdf(document), tmp_path)
    assert shown.count("LAB-01") == len(blocks) and shown.count("\u05d4\u05de\u05e2\u05d1\u05d3\u05d4") == len(blocks)


def test_other_scripts_are_shown_or_named():
    """All of them in HTML and Markdown; for the PDF, what no font here has is said, with the package that does."""
    pytest.importorskip("typst")
    document = runbook(filled(SCRIPTS))
    assert SCRIPTS in as_html(document) and SCRIPTS in as_markdown(document)
    assert as_pdf(document).startswith(b"%PDF") and all("apt-get install fonts-" in said for said in missing_fonts(document))


def test_control_characters_and_long_texts_do_nothing():
    """No terminal sequence, nothing that reorders what is read, and an end to everything."""
    assert clean("a\x1b[31m\u202eb\r\nc") == "a\ufffd[31m\ufffdb\nc"
    assert len(clean("x" * 10**6)) == 4001
