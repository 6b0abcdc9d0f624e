"""What the commands about pings stand on: the store with its checks, one check by its name, and a check in words."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from offduty.clock import Clock, rfc3339
from offduty.errors import NotThere, quoted
from offduty.settings.load import load
from offduty.watch.pings.check import Check, Key
from offduty.watch.pings.store import OpenPings
from offduty.watch.promise import read_promise
from offduty.wiring.pings import Desk


@contextmanager
def at_desk(args: argparse.Namespace) -> Iterator[Desk]:
    """What takes pings in, over the store of this configuration. Raises ConfigErrors, StoreError."""
    from offduty.stores.sqlite import open_store

    settings, clock = load(os.getcwd(), os.environ, config=args.config), Clock()
    store = open_store(settings.places().store, clock=clock)
    try:
        yield Desk(settings, clock, store.pings)
    finally:
        store.close()


def add_check_argument(parser: argparse.ArgumentParser) -> None:
    """`NAME`: a check by the name of its job."""
    parser.add_argument("check", metavar="NAME", help="the check: the name of its job")


def the_check(desk: Desk, name: str) -> Check:
    """The check called so. Raises NotThere E517, with the nearest one."""
    known = {check.job: check for check in desk.sync()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]}?" if near else "`offduty pings` lists them"
    raise NotThere("E517", f"no check is called {quoted(name)}", fix=fix)


def change(desk: Desk, name: str, what: Callable[[Check], Check]) -> Check:
    """The check as `what` makes it, watched or not as it is now. Raises NotThere E517."""
    the_check(desk, name)

    def work(pings: OpenPings) -> Check:
        found = pings.check(name)
        if found is None:
            raise NotThere("E517", f"no check is called {quoted(name)}", fix="`offduty pings` lists them")
        changed = what(found)
        pings.put(changed)
        desk.watch(pings, changed)
        return changed

    return desk.store.change(work)


def paused(check: Check) -> Check:
    """Nothing is expected of it until it is resumed, or pings."""
    return replace(check, status="paused", last_start=None, last_start_rid="")


def resumed(check: Check) -> Check:
    """As good as new: expected again from now on."""
    return replace(check, status="new") if check.status == "paused" else check


def check_json(check: Check, url: str, keys: Mapping[str, Key]) -> dict[str, Any]:
    """A check for programs."""
    promise = read_promise({**check.promise, "job": check.job})
    key = keys.get(check.key)
    return {
        "check": check.job, "state": check.status, "running": len(check.open), "team": check.team or None, "configured": check.configured,
        "address": f"{url}/{check.code}", "slug_address": f"{url}/{key.secret}/{check.slug}" if key else None,
        "pings": check.pings, "last_ping": _moment(check.last_ping), "last_start": _moment(check.last_start),
        "last_duration_s": check.last_duration, "manual_resume": check.manual_resume, "created_at": rfc3339(check.created_at),
        "every_s": promise.every, "schedule": promise.cron or promise.on_calendar or None, "grace_s": promise.start_grace,
    }  # fmt: skip


def _moment(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
