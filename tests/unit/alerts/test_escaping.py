"""What comes from a job's data is shown and nothing more: parsed back, a message has only our own links, mentions and headers."""

from __future__ import annotations

import email
import email.policy
import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts import mail
from offduty.alerts.alert import Alert
from offduty.alerts.channels import slack, slack_blocks, teams
from offduty.alerts.options import Mailbox, Mailboxes

LINK = "https://offduty.example/runs/1?a=1&b=2"
TEXTS = [field.name for field in fields(Alert) if field.type == "str" and field.name != "link"]
LISTS = ["steps", "told", "lines", "items"]
ATTACKS = [
    "<!channel>", "<!here|x>", "<@U123>", "<#C1|general>", "<https://evil.example|Approve>", "&lt;!channel&gt;", "```\n<!channel>\n```",
    "``", "`",
    "[Approve](https://evil.example)", "![x](https://evil.example/a.png)", "<at>everyone</at>", "**bold**", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", '"><a href="https://evil.example">x</a>', "{{ 7 * 7 }}", "{% raw %}", "x\r\nBcc: evil@example.com",
    "=?utf-8?q?x=0ABcc:_evil@example.com?=", "x\x85Bcc: y", "x\u2028y", "\u202e evil", "\x1b[31m", "\ud800", "a" * 500,
]  # fmt: skip
attacks = st.lists(st.sampled_from(ATTACKS) | st.text(max_size=40), max_size=4).map(" ".join)


@st.composite
def hostile(draw):
    """An alert whose every text is an attack; only the link is ours."""
    values = {name: draw(attacks) for name in TEXTS}
    lists = {name: tuple(draw(st.lists(attacks, max_size=4))) for name in LISTS}
    return Alert(**{**values, **lists, "event": draw(st.sampled_from(["failed", "test", "recovered", "digest"])), "at": 1e9, "link": LINK})


def texts_of(part, kind):
    """Every text object of a kind within a payload."""
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == kind and isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in texts_of(value, kind)]
    return [text for value in part for text in texts_of(value, kind)] if isinstance(part, list) else []


@given(hostile())
def test_slack_finds_no_link_and_no_mention_but_ours(alert):
    """T07: between `<` and `>` stands our link alone, no `&` is bare, no backtick closes a fence early, Slack looks for nothing itself."""
    body = slack.payload(alert)
    marked = [*texts_of(body["blocks"], "mrkdwn"), body["text"], slack_blocks.minimal(alert)["text"]]
    angles = [found for text in marked for found in re.findall(r"<[^>]*>?", text)]
    assert angles == [f"<{LINK.replace('&', '&amp;')}|Open in offduty>"]
    assert not any(re.search(r"&(?!amp;|lt;|gt;)", text) for text in marked)
    assert all(text.count("```") in (0, 2) for text in marked)
    assert json.dumps(body["blocks"]).count('"verbatim": true') == len(texts_of(body["blocks"], "mrkdwn"))


def kinds(part):
    """The type of every element."""
    if isinstance(part, dict):
        return ([part["type"]] if "type" in part else []) + [kind for value in part.values() for kind in kinds(value)]
    return [kind for value in part for kind in kinds(value)] if isinstance(part, list) else []


@given(hostile())
def test_teams_reads_no_markdown_in_data(alert):
    """T08: data stands in TextRuns alone, which know no Markdown; the one link is an Action.OpenUrl with our URL; nobody is mentioned."""
    for body in (teams.payload(alert), teams.minimal(alert)):
        card = body["attachments"][0]["content"]
        assert not {"TextBlock", "FactSet", "Action.Submit"} & set(kinds(card))
        assert [action["url"] for action in card["actions"]] == [LINK]
        assert "entities" not in card["msteams"]
        assert json.dumps(card).count('"url"') == 1


EXPECTED = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]


class Page(HTMLParser):
    """Collects tags and links."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.odd = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]
        self.odd += [name for name, _ in attrs if name.startswith("on")]


@given(hostile(), st.sampled_from(["", "incident", "x\r\nBcc: y"]))
def test_a_mail_has_exactly_our_headers_and_links(alert, incident):
    """T09: parsed from its bytes, headers are ours, each once; the page has our tags and our link; no line has over 998 bytes."""
    made = mail.message(replace(alert, incident=incident or None), Mailbox("Jobs <jobs@example.com>"), Mailboxes.read(["ops@example.com"]))
    raw = made.as_bytes(policy=email.policy.SMTP)
    found = email.message_from_bytes(raw, policy=email.policy.default)
    threads = ["References", "In-Reply-To"] if incident else []
    assert sorted(found.keys()) == sorted([*EXPECTED, *threads])
    assert found["To"] == "ops@example.com"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    page = Page()
    page.feed(found.get_body(("html",)).get_content())
    assert page.links == [LINK]
    assert page.odd == []
    assert not page.tags & {"script", "img", "iframe", "form", "link", "style", "object"}


@given(hostile())
def test_a_mail_s_text_moves_no_cursor(alert):
    """T06: read in a terminal, nothing in it is a control character but the end of a line."""
    text = mail.message(alert, Mailbox("jobs@example.com"), Mailboxes.read(["ops@example.com"])).get_body(("plain",)).get_content()
    assert all(c == "\n" or c.isprintable() or c in "\u200c\u200d" for c in text)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://a.b/<x>", "https://a.b/|x", "https://a b", "data:text/html,x", 'https://a.b/"x']
)
def test_a_link_that_is_odd_is_no_link(link):
    """T07 to T09: our own link comes from settings, and is held to the same."""
    alert = Alert("k", "failed", "j", "t", 0.0, link=link)
    assert link not in json.dumps(slack.payload(alert)) + mail.html(alert)
    assert "actions" not in teams.payload(alert)["attachments"][0]["content"]
