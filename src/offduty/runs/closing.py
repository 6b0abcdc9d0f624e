"""The closing block of a run, as far as every run needs it: a success with nothing to tell is written without importing anything more.

`offduty.runs.summary` shares these functions and adds what a failure, warnings or checks have to say.
"""

from __future__ import annotations

from offduty.clock import short_id
from offduty.durations import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

WIDTH = 108  # of the text; the log puts fifteen more in front
HEADER = 85
KEY = 12
ABOUT = 71  # the column in which the run's id stands, where the outcome leaves room

WORDS = {
    "succeeded": "SUCCEEDED",
    "warned": "WARNED",
    "failed": "FAILED",
    "timed_out": "TIMED OUT",
    "terminated": "TERMINATED",
    "lost": "LOST",
    "skipped": "SKIPPED",
    "running": "RUNNING",
}
STYLES = {"SUCCEEDED": "good", "WARNED": "warn", "SKIPPED": "warn", "RUNNING": "warn"}


def header(width: int = WIDTH) -> str:
    """The line by which the summary is found in a log."""
    return f"== summary {'=' * (min(width, HEADER) - 11)}"


def line(key: str, value: str) -> str:
    """`key` in its twelve columns, then `value`, safe to print."""
    return f"{key:{KEY}}{escaped(value)}".rstrip()


def escaped(text: str) -> str:
    r"""`text` on one line, with every control, bidi, separator and invisible character as `\x1b`, `\n`, `\u202e`: it can forge nothing."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def grouped(number: int) -> str:
    """`81 204`."""
    return f"{number:,}".replace(",", " ")


def outcome_line(run: Mapping[str, Any], said: str = "") -> str:
    """`outcome     FAILED after 2 min 14 s (exit 1), attempt 3 of 3           run 7f3a91c2  scheduled 06:00`.

    `said`: what follows the word, if it is not the duration.
    """
    text = line("outcome", f"{WORDS.get(run['outcome'], str(run['outcome']).upper())}{said or after(run)}{_attempt(run)}")
    return f"{text:{ABOUT - 2}}  {escaped(about(run))}"


def after(run: Mapping[str, Any]) -> str:
    """` after 2 min 14 s`."""
    return f" after {spoken(run['duration_s'])}" if run.get("duration_s") is not None else ""


def about(run: Mapping[str, Any]) -> str:
    """`run 7f3a91c2  scheduled 06:00`; the time is UTC."""
    started = str(run.get("started_at") or "")[11:16]
    return f"run {short_id(str(run['id']))}  {run.get('trigger') or ''} {started}".rstrip()


def _attempt(run: Mapping[str, Any]) -> str:
    return f", attempt {run['attempt']} of {run['attempts']}" if run.get("attempts", 1) > 1 else ""


def success(run: Mapping[str, Any], notes: Iterable[str] = (), width: int = WIDTH) -> list[str]:
    """The whole block of a run that succeeded and saw no warnings."""
    return [header(width), outcome_line(run), *(line("note", note) for note in notes), line("log", run.get("log") or "none")]


def style_of(shown: str) -> tuple[int, int, str] | None:
    """(start, end, style) of the word to colour in a line of the block; style: good, warn or bad. Colour adds nothing that is not said."""
    if not shown.startswith("outcome "):
        return None
    word = next((word for word in WORDS.values() if shown.startswith(word, KEY)), None)
    return (KEY, KEY + len(word), STYLES.get(word, "bad")) if word else None
