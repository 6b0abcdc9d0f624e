"""What the pages say and the code does, compared."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def raised():
    """Every error code in the source, comments for ruff left out."""
    texts = (re.sub(r"#.*noqa.*", "", file.read_text()) for file in (ROOT / "src").rglob("*.py"))
    return {code for text in texts for code in re.findall(r"\bE\d{3}\b", text)}


def test_every_error_has_a_section():
    """Whoever meets a code finds what it means and what to do; a code that is gone has no section left."""
    described = re.findall(r"^### (E\d{3})$", (DOCS / "reference/errors.md").read_text(), re.MULTILINE)
    assert sorted(described) == described
    assert set(described) == raised()


def test_every_section_says_something():
    """A heading alone helps nobody."""
    sections = re.split(r"^##+ .*$", (DOCS / "reference/errors.md").read_text(), flags=re.MULTILINE)
    assert [section for section in sections if section.strip() and len(section.split()) < 5] == []


def tables():
    """Every table of a configuration, with its settings."""
    from offduty.settings import schema

    for name in ("Job", "Top", "Log", "Team", "Channel", "Dependency", "Row"):
        yield from ((name, setting) for setting in getattr(schema, name).__struct_fields__)


def test_every_setting_is_described():
    """offduty.toml(5) knows each setting that the loader takes."""
    page = (DOCS / "reference/config.md").read_text()
    assert [pair for pair in tables() if not re.search(rf"\b{pair[1]}\b", page)] == []


def test_every_kind_of_channel_is_described():
    """Its row names each option of its class, those that must be given in bold, and no other."""
    from offduty.alerts.channels import CHANNELS
    from offduty.settings.channels import option_types, required

    page = (DOCS / "reference/config.md").read_text()
    rows = {
        kind: set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", row)))
        for kind, row in re.findall(r"^\| `([\w-]+)` \| (\*\*.*) \|$", page, re.MULTILINE)
    }
    bold = {kind: set(re.findall(r"\*\*`(\w+)`", row)) for kind, row in re.findall(r"^\| `([\w-]+)` \| (\*\*.*) \|$", page, re.MULTILINE)}
    assert rows == {kind: set(option_types(kind)) for kind in CHANNELS}
    assert bold == {kind: set(required(kind)) for kind in CHANNELS}


def man(name):
    """The text of a man page, without roff's escapes."""
    return re.sub(r"\\(f[BIPR]|&)", "", (ROOT / "share/man" / name).read_text()).replace("\\-", "-")


def test_the_man_pages_know_every_command_and_setting():
    """They ship with the wheel, so they are committed; `dev.py docs` writes them anew when this fails."""
    from offduty.cli import COMMANDS

    commands, settings = man("man1/offduty.1"), man("man5/offduty.toml.5")
    assert [name for name in COMMANDS if f"OFFDUTY {name.upper()}" not in commands.upper()] == []
    assert [pair for pair in tables() if not re.search(rf"\b{pair[1]}\b", settings)] == []


def test_links_between_files_lead_somewhere():
    """What README and its like point to is there; Sphinx looks after the pages in docs."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("examples/*/*.md")]
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []
    assert len(links) > 10
