"""The record of a run in words: one line of it for tables, all of it for `runs show`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from offduty.cli.show import one_line, parse_time, took
from offduty.runs.store import Record

QUIET = ("running", "succeeded")


def started(run: Record) -> float:
    """When the run started, in seconds since 1970."""
    return parse_time(run["started_at"])


def lasted(run: Record, now: float) -> str:
    """How long the run took, or has been going on."""
    return took(max(now - started(run), 0.0) if run["outcome"] == "running" else run["duration_s"])


def in_short(run: Record) -> str:
    """Why the run ended as it did, in a line; nothing for a run that went as it should."""
    summary: dict[str, Any] = run["summary"] or {}
    if run["outcome"] in QUIET:
        return ""
    if run["outcome"] == "warned":
        return one_line(summary.get("checks") or _first_warning(summary) or summary.get("what") or "")
    return one_line(summary.get("what") or exit_text(run))


def exit_text(run: Record) -> str:
    """`exit 1`, `signal 9 (exit 137)`, or nothing."""
    if run["exit_code"] is None:
        return ""
    return f"signal {run['signal']} (exit {run['exit_code']})" if run["signal"] is not None else f"exit {run['exit_code']}"


def attempt_text(run: Record) -> str:
    """`2 of 3`, or `-` if there is only one."""
    return f"{run['attempt']} of {run['attempts']}" if run["attempts"] > 1 else "-"


def whole(run: Record) -> Iterator[tuple[str, str]]:
    """(label, text) for everything in a record and its summary; absent things are left out."""
    whose = {"child": ", the job's own", "offduty": ", offduty's"}
    facts = {
        "run": run["id"],
        "job": run["job"],
        "outcome": run["outcome"].replace("_", " "),
        "exit": exit_text(run) and exit_text(run) + whose.get(run["exit_source"], ""),
        "trigger": run["trigger"],
        "attempt": f"{run['attempt']} of {run['attempts']}",
        "first": "" if run["root_id"] == run["id"] else f"attempt 1 was {run['root_id']}",
        "started": run["started_at"],
        "ended": run["ended_at"] or "",
        "took": "" if run["duration_s"] is None else took(run["duration_s"]),
        "command": shlex.join(run["command"]),
        "in": run["cwd"],
        "on": f"{run['host']} as {run['user']}, process {run['pid']}" if run["pid"] else "",
        "pinged from": "" if run["pid"] else run["host"],
        "log": run["log"],
    }
    yield from ((label, one_line(text)) for label, text in facts.items() if text)
    yield from _summary(run["summary"] or {})


def _summary(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for label in ("what", "where", "because", "triage", "changed", "checks", "metrics", "told"):
        if summary.get(label):
            yield label, one_line(summary[label])
    for label, texts in (
        ("do", summary.get("do")),
        ("evidence", (summary.get("verdict") or {}).get("evidence")),
        ("warning", _warnings(summary)),
        ("note", summary.get("notes")),
    ):
        yield from ((label, one_line(text)) for text in texts or ())
    failure = summary.get("failure") or {}
    for link in failure.get("chain") or ():
        yield "chain", one_line(f"{link.get('type')}: {link.get('message')}")
    for line in failure.get("tail") or ():
        indent = len(line) - len(line.lstrip(" "))
        yield "tail", " " * indent + one_line(line)


def _warnings(summary: dict[str, Any]) -> list[str]:
    return [_warning(one) for one in summary.get("warnings") or ()]


def _warning(one: dict[str, Any]) -> str:
    times = f", {one['count']} times" if one.get("count", 1) > 1 else ""
    return f"{one.get('category')}: {one.get('message')} ({one.get('where')}{times})"


def _first_warning(summary: dict[str, Any]) -> str:
    texts = _warnings(summary)
    more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
    return f"{texts[0]}{more}" if texts else ""
