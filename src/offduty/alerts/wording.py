"""What a message says, in the same words and the same order for every channel. Pure; escaping is each channel's own."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from offduty.alerts.alert import Alert
from offduty.clock import short_id
from offduty.durations import spoken

T = TypeVar("T")

ROOMS = (3000, 1000, 400, 150, 60)
"""How many characters a field may have, the first that fits the service's limit."""

MOST_STEPS, MOST_LINES, MOST_TOLD = 12, 25, 12
COLOURS = {"good": "#2e7d32", "bad": "#c62828", "warning": "#b26a00", "calm": "#455a64"}
_SIGNS = {"good": "🟢", "bad": "🔴", "warning": "🟠", "calm": "🔵"}
_BAD = ("failed", "missed", "overdue", "lost", "stuck", "stale", "reminder", "escalated", "channel_broken", "undelivered", "drill_failed")


@dataclass(frozen=True)
class Fact:
    """One line of a message: a `label` of ours, and a `text` that may come from anywhere."""

    label: str
    text: str


def mood(alert: Alert) -> str:
    """`bad`, `warning`, `good` or `calm`: what decides colour and sign. Words say it too."""
    if alert.event in ("recovered", "succeeded") or alert.status == "resolved":
        return "good"
    if alert.event == "warned" or (alert.event in _BAD and alert.severity in ("warning", "notice")):
        return "warning"
    return "bad" if alert.event in _BAD else "calm"


def sign(alert: Alert) -> str:
    """One character that is seen before the words are read."""
    return _SIGNS[mood(alert)]


def headline(alert: Alert) -> str:
    """The title, marked if it is only a drill or a test."""
    mark = "DRILL: " if alert.drill else "TEST: " if alert.event == "test" else ""
    return mark + (line(alert.title) or f"{line(alert.job)}: {alert.event}")


def notice(alert: Alert) -> str:
    """What has to be known before anything else is read; mostly nothing."""
    if alert.drill:
        asked = f" It arrived; please confirm it: offduty alerts confirm {line(alert.code)}" if alert.code else ""
        return f"This is a drill: nothing is wrong, and nothing has to be done.{asked}"
    if alert.event == "test":
        return f"This is a test. It arrived; please confirm it: offduty alerts confirm {line(alert.code)}"
    if alert.event == "drill_failed":
        return "This comes from a rehearsal: nothing is broken." + (" What it found would go wrong in earnest." if alert.items else "")
    return ""


def facts(alert: Alert) -> list[Fact]:
    """What is known beside headline, steps, lists and log lines, what helps most first."""
    team = " · ".join(line(part) for part in (alert.team, alert.contact) if part)
    found = [
        ("What", alert.what if line(alert.what) not in line(alert.title) else ""),
        ("Because", alert.because),
        ("Where", alert.where),
        ("Triage", alert.triage),
        ("Team", team),
        ("Told", ", ".join(line(entry) for entry in alert.told)),
        ("Before", alert.history),
        ("Took", spoken(alert.duration_s) if alert.duration_s is not None else ""),
    ]
    return [Fact(label, line(text)) for label, text in found if line(text)]


def steps(alert: Alert) -> list[str]:
    """What to do, numbered: `1. Ask …`."""
    return [f"{number}. {line(step)}" for number, step in enumerate(alert.steps, 1)]


def origin(alert: Alert) -> str:
    """`run 7f3a91c2 · etl-3 · 23 Nov 2026 06:02 UTC`: where it comes from."""
    run = f"run {line(short_id(alert.run))}" if alert.run else ""
    return " · ".join(part for part in (run, line(alert.host), moment(alert.at)) if part)


def moment(at: float) -> str:
    """`23 Nov 2026 06:02 UTC`."""
    day, month, *rest = time.strftime("%d %m %Y %H:%M", time.gmtime(at)).split(" ")
    return f"{int(day)} {'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()[int(month) - 1]} {' '.join(rest)} UTC"


def own_link(alert: Alert) -> str:
    """The link of the message, if it is one that may be clicked: http or https, nothing odd in it."""
    link = alert.link
    is_plain = link.isascii() and link.isprintable() and not any(c in " \"'<>|\\^`{}" for c in link)
    return link if is_plain and link.startswith(("https://", "http://")) else ""


def plain(alert: Alert) -> str:
    """The whole message as text for a terminal or a mail: no control characters, no lines that a field's own newline made."""
    rows = [(fact.label.lower(), [fact.text]) for fact in facts(alert)]
    rows.insert(sum(label in ("what", "because", "where", "triage") for label, _ in rows), ("do", steps(alert)))
    rows += [("log", [line(alert.log)]), ("link", [own_link(alert)]), ("from", [origin(alert)])]
    parts = [headline(alert), notice(alert), "\n".join(_row(label, texts) for label, texts in rows if any(texts))]
    parts.insert(2, "\n".join(f"- {line(item)}" for item in alert.items))
    if alert.lines:
        parts.append("The log's last lines:\n" + "\n".join(f"  | {clean(entry)}" for entry in alert.lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def brief(alert: Alert) -> str:
    """The shortest form that still says what, whose and where: for a service that refused more. At most about 900 characters."""
    short = trimmed(alert, ROOMS[-1] * 2)
    texts = [headline(short), notice(short), *(fact.text for fact in facts(short) if fact.label in ("Because", "Team"))]
    texts += [own_link(alert) or shorten(line(alert.log), 300)]
    return "\n".join(text for text in texts if text)


def _row(label: str, texts: list[str]) -> str:
    first, *more = texts
    return "\n".join([f"{label:<9} {first}", *(f"{'':<9} {text}" for text in more)])


def fitting(alert: Alert, make: Callable[[Alert], T], size: Callable[[T], int], most: int) -> T:
    """What `make` makes of the alert, with as much of it left out as the service's limit asks for."""
    for room in ROOMS:
        made = make(trimmed(alert, room))
        if size(made) <= most:
            return made
    return make(bare(alert))


def trimmed(alert: Alert, room: int) -> Alert:
    """The alert with no field longer than `room` characters and no list longer than that allows; what is left out is counted."""
    texts: dict[str, Any] = {
        name: shorten(getattr(alert, name), room) for name in ("what", "because", "where", "triage", "history", "team", "contact")
    }
    short: dict[str, Any] = {name: shorten(getattr(alert, name), min(room, 300)) for name in ("title", "host", "log", "code", "run", "job")}
    lists: dict[str, Any] = {
        "steps": _first([shorten(line(step), room) for step in alert.steps], min(MOST_STEPS, room // 20)),
        "told": _first([shorten(line(entry), min(room, 200)) for entry in alert.told], MOST_TOLD),
        "items": _first([shorten(line(item), min(room, 300)) for item in alert.items], max(room // 20, 3)),
        "lines": tuple(shorten(clean(entry), min(room, 300)) for entry in alert.lines[-min(MOST_LINES, room // 20) :]),
    }
    return replace(alert, **texts, **short, **lists)


def bare(alert: Alert) -> Alert:
    """The alert with nothing left but what, whose and where."""
    return replace(trimmed(alert, ROOMS[-1]), steps=(), told=(), items=(), lines=(), history="", triage="", where="")


def shorten(text: str, most: int) -> str:
    """`text` in at most `most` characters, cut in its middle: beginnings say what, ends say where."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def within(text: str, most: int, form: Callable[[str], str]) -> str:
    """`form(text)`, with `text` shortened until that is at most `most` characters long: escaping makes longer."""
    room = min(len(text), most)
    while len(form(shorten(text, room))) > most and room > 0:
        room = room * 3 // 4
    return form(shorten(text, room))


def line(text: str) -> str:
    """`text` on one line: blanks of all kinds as one space."""
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """`text` without what is not there to be read: controls, the reversal of the writing direction, halves of characters."""
    return "".join(map(_harmless, text.replace("\t", "    ")))


def _harmless(c: str) -> str:
    if c.isprintable():
        return c
    if c in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
        return " "
    category = unicodedata.category(c)
    if category == "Zs":
        return " "
    return "\ufffd" if category in ("Cc", "Cs", "Cn", "Co") else "" if category == "Cf" and c not in "\u200d\u200c" else c


def _first(texts: list[str], most: int) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    return tuple(texts) if len(texts) <= most else (*texts[: most - 1], f"… and {len(texts) - most + 1} more")
