"""What two runs were made of, compared: code, packages, Python, host, command, names of variables.

A fingerprint is the object of docs/explanation/how-the-parts-meet.md; each of its keys may be missing. Pure functions: how one is
made is the business of `offduty.transactions.origin`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from offduty.transactions.baseline import template
from offduty.transactions.change import Change
from offduty.transactions.origin import version
from offduty.transactions.wording import listed

OF_A_SESSION = (
    "_", "OLDPWD", "PWD", "SHLVL", "TERM", "COLORTERM", "LS_COLORS", "DISPLAY", "WINDOWID", "INVOCATION_ID", "JOURNAL_STREAM", "MAIL",
    "SSH_*", "XDG_*", "DBUS_*", "GPG_*", "SUDO_*", "SYSTEMD_*", "LC_*", "TMUX*", "STY", "COLUMNS", "LINES", "PS1", "VSCODE_*", "OFFDUTY_*",
)  # fmt: skip


def differences(good: Sequence[Mapping[str, Any] | None], now: Mapping[str, Any] | None, came_to_end: bool) -> Iterator[Change]:
    """What is another in `now` than in the newest of the good runs' fingerprints that is known (`good`, newest first)."""
    known = [one for one in good if one is not None]
    if now is None or not known:
        return
    yield from _code(known, now.get("code") or {}, came_to_end)
    yield from _packages(known, now)
    for kind in ("python", "host"):
        before = known[0].get(kind)
        if before and now.get(kind) and before != now[kind]:
            seen = {one.get(kind) for one in known}
            yield Change(kind, "", f"{before} -> {now[kind]}", unusual=now[kind] not in seen and len(seen) == 1)
    yield from _command(known, now)
    yield from _environment(known, now)


def _code(known: Sequence[Mapping[str, Any]], now: Mapping[str, Any], came_to_end: bool) -> Iterator[Change]:
    """The files that ran decide; where they are not known, the commit. Code that is another on most runs is nothing unusual."""
    before = known[0].get("code") or {}
    names = _other_files(before.get("files") or {}, now.get("files") or {}, came_to_end)
    commits = (before.get("commit"), now.get("commit"))
    moved = all(commits) and commits[0] != commits[1]
    both_known = bool(before.get("files")) and bool(now.get("files"))
    dirtied = not both_known and now.get("dirty") is True and before.get("dirty") is False
    if not names and not moved and not dirtied:
        return
    where = f"{version(before)} -> {version(now)}" if moved else "changed since its commit" if dirtied else "changed"
    text = ": ".join(part for part in (where, listed([name.removeprefix("~") for name in names])) if part)
    if moved and both_known and not names:
        text += ", in no file that ran"
    yield Change("code", "", text, tuple(names), unusual=(bool(names) or not both_known) and _is_steady(known, lambda one: one.get("code")))


def _other_files(before: Mapping[str, str], now: Mapping[str, str], came_to_end: bool) -> list[str]:
    """Files that ran then and now and are others, or run for the first time; one that did not run is gone if the run came to its end."""
    if not before or not now:
        return []
    changed = [f"~{name}" for name in sorted(now) if name in before and before[name] != now[name]]
    new = [f"+{name}" for name in sorted(now) if name not in before]
    return changed + new + [f"-{name}" for name in sorted(before) if came_to_end and name not in now]


def _packages(known: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> Iterator[Change]:
    before, after = known[0].get("packages"), now.get("packages")
    if not before or not after or before == after:
        return
    other = [name for name in sorted(after) if name in before and before[name] != after[name]]
    gone, new = (sorted(set(one) - set(two)) for one, two in ((before, after), (after, before)))
    names = (*(f"-{name}" for name in gone), *(f"~{name}" for name in other), *(f"+{name}" for name in new))
    texts = [f"-{name}" for name in gone] + [f"{name} {before[name]} -> {after[name]}" for name in other] + [f"+{name}" for name in new]
    yield Change("packages", "", listed(texts), names, unusual=bool(gone or other))


def _command(known: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> Iterator[Change]:
    """Another command line, but for dates and numbers in it."""
    before, after = ([template(word) for word in one.get("command") or ()] for one in (known[0], now))
    if before and after and before != after:
        seen = [[template(word) for word in one.get("command") or ()] for one in known]
        names = tuple(f"+{word}" for word in after if word not in before) + tuple(f"-{word}" for word in before if word not in after)
        yield Change("command", "", listed(names) or "its words in another order", names, unusual=after not in seen)


def _environment(known: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> Iterator[Change]:
    """Variables gone that every good run had, and new ones; those of a session (a terminal, ssh) come and go, and do not count."""
    if "environment" not in now or "environment" not in known[0]:
        return
    after, before = set(now["environment"]), set(known[0]["environment"])
    always = before.intersection(*(one["environment"] for one in known if "environment" in one))
    gone, new = (sorted(name for name in names if not _is_of_a_session(name)) for names in (before - after, after - before))
    names = (*(f"-{name}" for name in gone), *(f"+{name}" for name in new))
    if names:
        yield Change("environment", "", listed(names), names, unusual=any(name in always for name in gone))


def _is_of_a_session(name: str) -> bool:
    return any(name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in OF_A_SESSION)


def _is_steady(known: Sequence[Mapping[str, Any]], what: Callable[[Mapping[str, Any]], object]) -> bool:
    """Whether it was another on at most every fourth of the good runs."""
    values = [what(one) for one in known]
    return sum(one != other for one, other in zip(values, values[1:], strict=False)) * 4 <= len(values)
