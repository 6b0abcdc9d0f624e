"""`offduty value`: is more work on this worth it."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from offduty.cli import COMMANDS
from offduty.cli.choose import EMPTY, known_job
from offduty.cli.documents import ENDINGS, ending, name_ending, rendered
from offduty.cli.reach import Reach, load_settings, open_for_reading
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.cli.write import write_bytes
from offduty.clock import Clock, rfc3339
from offduty.errors import NotThere, UsageError

if TYPE_CHECKING:
    from offduty.handover.value.judge import Gains
    from offduty.handover.value.report import Money, Report

HELP = COMMANDS["value"][2]
DESCRIPTION = """\
What people spent on a job (runs by hand, incidents, code changes, `offduty touch`), what each version of its code gained beside the
noise between runs of the same code, and a verdict: stop tinkering, go on, look again, fix a row first, or too early to tell.
Targets come from `good_enough`, money from [job.NAME.value]. PDF and PNG need offduty[pdf].
"""
EXAMPLES = """\
offduty value                                  # every job, a line each
offduty value forecast
offduty value forecast -o value.html           # or .pdf, .md
offduty value forecast -o value.png            # all its pictures in one; or .svg
offduty value forecast --plots pictures/       # each in a file of its own
"""
PICTURES = (".svg", ".png")
STYLES = {"stop": "green", "enough": "green", "go on": "cyan", "look again": "bold red", "fix first": "bold red", "too early": "dim"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="only this job, with its reasons and changes")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=name_ending(*ENDINGS, *PICTURES),
        help="write the report, with pictures, as .html, .md or .pdf, or its pictures alone as .svg or .png; needs JOB",
    )  # fmt: skip
    parser.add_argument("--plots", metavar="FOLDER", help="write each picture as SVG into a folder; needs JOB")
    parser.add_argument("--png", action="store_true", help="with --plots: PNG in place of SVG")


def main(args: argparse.Namespace) -> int:
    """Print what the verdict is, and why."""
    if args.job is None and (args.output or args.plots):
        raise UsageError("E111", "a page is about one job", fix="name the job")
    if args.png and not args.plots:
        raise UsageError("E111", "there are no pictures to write as PNG", where="--png", fix="add --plots FOLDER, or write -o FILE.png")
    gc.disable()  # of 100 000 runs come a million objects, all needed to the end: looking for cycles takes a fifth of the time
    clock = Clock()
    with open_for_reading(args, clock) as reach:
        found = _reports(args, reach, clock.wall())
        if args.output is not None:
            write_bytes(args.output, _output(args, found[0], reach, clock.wall()))
    if args.plots is not None:
        _write_plots(args, found[0], clock.wall())
    if args.json:
        print_json({"schema": "offduty.value/1", "at": rfc3339(clock.wall()), "jobs": [one.as_json() for one in found]})
    elif args.job is None:
        _print_lines(screen(args), found)
    else:
        _print_report(screen(args), found[0])
    return 0


def _reports(args: argparse.Namespace, reach: Reach, now: float) -> list[Report]:
    """Raises NotThere E506 for a job that nobody knows."""
    from offduty.wiring.value import value_of

    known = sorted({*reach.store.jobs(), *reach.planned})
    if not known:
        raise NotThere("E506", "no runs yet, and no job is configured", fix=EMPTY.partition("; ")[2])
    names = known if args.job is None else [known_job(args.job, known)]
    settings = load_settings(args)
    return [value_of(settings, name, store_of(reach), now) for name in names]


def _output(args: argparse.Namespace, found: Report, reach: Reach, now: float) -> bytes:
    """The report, or its pictures below one another, as the name of the file asks for."""
    from offduty.handover.value.page import page, pictures_of
    from offduty.handover.value.pictures import stacked

    form = ending(args.output)
    if form in PICTURES:
        return _picture(stacked(list(pictures_of(found, now).values())), png=form == ".png")
    made = f"made {rfc3339(now)[:16].replace('T', ' ')} UTC from {found.runs} runs"
    return rendered(args, page(found, store_of(reach).handover.requests(found.job), now, made), form)


def _write_plots(args: argparse.Namespace, found: Report, now: float) -> None:
    from offduty.handover.value.page import pictures_of

    made = {name: _picture(svg, png=args.png) for name, svg in pictures_of(found, now).items()}
    os.makedirs(args.plots, exist_ok=True)
    for name, data in made.items():
        write_bytes(os.path.join(args.plots, f"{name}.{'png' if args.png else 'svg'}"), data)


def _picture(svg: str, *, png: bool) -> bytes:
    if not png:
        return svg.encode("utf-8", "backslashreplace")
    from offduty.handover.as_png import as_png

    return as_png(svg)


def _print_lines(on: Screen, found: Sequence[Report]) -> None:
    rows = [
        [Cell(one_line(one.job)), Cell(one.verdict.kind, STYLES[one.verdict.kind]), Cell(f"{one.effort.recent_hours:.1f}"),
         Cell(str(one.runs)), Cell(one_line(one.verdict.headline))]
        for one in found
    ]  # fmt: skip
    print_table(on, ("job", "verdict", "hours in 90 d", "runs", "because"), rows, flexible=("because",))


def _print_report(on: Screen, found: Report) -> None:
    from offduty.durations import spoken

    effort = found.effort
    print_cells(on, [Cell(f"{one_line(found.job)}: "), Cell(one_line(found.verdict.headline), STYLES[found.verdict.kind])])
    for reason in found.verdict.reasons:
        print(f"  - {one_line(reason)}")
    apart = f", {spoken(effort.apart_s)} between touches" if effort.apart_s is not None else ""
    told = f"{effort.hours:.1f} h in all ({effort.said_hours:.1f} h said, the rest estimated), {effort.recent_hours:.1f} h in 90 days"
    print(f"effort   {told + apart if effort.events else 'none that is known'}")
    for month, hours in list(effort.months.items())[-6:]:
        print(f"         {month}  {hours:6.1f} h")
    if found.money is not None:
        print(f"money    {one_line(_money(found.money))}")
    for one in found.gains:
        if one.counts:
            _print_metric(on, one)
    if shown := [one.name for one in found.gains if not one.counts]:
        print(f"\nnot judged (no target, not value.metric): {one_line(', '.join(shown))}")


def _money(money: Money) -> str:
    said = money.as_json()
    labels = {"runs": "good runs", "better": "the better metric", "spent": "work", "balance": "balance"}
    told = [f"{label} {-said[key] if key == 'spent' else said[key]:+,.0f}" for key, label in labels.items() if said[key] is not None]
    return ", ".join(told) + f" {money.currency}".rstrip()


def _print_metric(on: Screen, one: Gains) -> None:
    from offduty.handover.value.judge import figure, signed

    if not one.changes:
        return
    print(f"\n{one_line(one.name)} by version of the code, the newest first; gain over 0 is better")
    rows = [
        [Cell(one_line(it.label) or "?"), Cell(str(it.runs)), Cell(figure(it.mean)), Cell(signed(it.gain.value)),
         Cell(f"{signed(it.gain.low)} to {signed(it.gain.high)}")]
        for it in one.changes[:-11:-1]
    ]  # fmt: skip
    if len(one.changes) < 11:
        first = one.stretches[0]
        rows.append([Cell(text) for text in (one_line(first.label) or "?", str(first.moments.n), figure(first.moments.mean), "-", "-")])
    print_table(on, ("version", "runs", "mean", "gain", "95 of 100 times"), rows)
