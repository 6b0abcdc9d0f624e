"""`offduty triage explain`: what went wrong, out of any log, and whose it is."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from offduty.cli.duty import verdict_lines
from offduty.cli.progress import progress
from offduty.cli.show import Cell, note, one_line, print_cells, print_json, screen
from offduty.errors import BAD_DATA, NotThere, OffdutyError, UsageError, quoted
from offduty.triage.inputs import Given, of_file, of_json_lines
from offduty.triage.propose import as_toml
from offduty.triage.sources import expand
from offduty.triage.verdict import UNKNOWN, Verdict
from offduty.wiring.explain import answer, explain, with_failure
from offduty.wiring.parallel import each
from offduty.wiring.triage import Duty, duty_of

HELP = "what went wrong, out of any log, and whose it is"
DESCRIPTION = """\
For logs from anywhere: cron mails, CI, a colleague's terminal. Nothing has to be configured; where there is a configuration, its
rows, teams and owners count. A log of offduty's own says by itself how the job ended.
With --jsonl, each line of FILE is an object with `log`, and perhaps `id` and `exit_code`; one line of JSON comes out for each.
"""
EXAMPLES = """\
offduty triage explain job.log
offduty triage explain job.log --exit-code 137
kubectl logs my-pod | offduty triage explain -
offduty triage explain --jsonl failures.jsonl | jq -r .category | sort | uniq -c
"""
INDENT = 12
FEW_LOGS, FEW_LINES = 8, 64  # so many are done before a second process is worth its start
KEPT_CHARS = 1 << 20
T = TypeVar("T")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "logs",
        nargs="*",
        metavar="LOGFILE",
        help="log files, folders of them, patterns like 'logs/*.gz'; gzip and zstd too; - is standard input",
    )
    parser.add_argument("--exit-code", type=_code, metavar="N", help="what the job exited with, where it is known; -9: killed by signal 9")
    parser.add_argument("--jsonl", metavar="FILE", help="logs as JSON lines, one answer a line; - is standard input")


def main(args: argparse.Namespace) -> int:
    """Explain each. Raises UsageError E111 without any, NotThere E521 for a file that cannot be read."""
    if bool(args.logs) == bool(args.jsonl):
        raise UsageError("E111", "name log files, or --jsonl FILE, and not both" if args.logs else "no log is named", fix="see --help")
    duty = _duty(args)
    if args.jsonl:
        return _each_line(args, args.jsonl, duty)
    paths = expand(args.logs)
    with progress(args, "logs", len(paths)) as done:
        explained = each(partial(_of_file, duty, args.exit_code), paths, FEW_LOGS)
        if args.json:
            print_json({"schema": "offduty.explain/1", "logs": [_document(*one) for one in _counted(explained, done)]})
            return 0
        for number, (given, verdict) in enumerate(_counted(explained, done)):
            _print(args, given, verdict, number > 0)
    return 0


def _of_file(duty: Duty, exit_code: int | None, path: str) -> tuple[Given, Verdict]:
    """A log explained; of its text what the row to add is made of."""
    given = of_file(path, exit_code, duty.table.log_patterns)
    return replace(given, text=given.text[-KEPT_CHARS:]), explain(given, duty)


def _counted(found: Iterable[T], done: Callable[[], None]) -> Iterator[T]:
    for one in found:
        done()
        yield one


def _duty(args: argparse.Namespace) -> Duty:
    """What is configured here; a configuration that cannot be used is left out, unless it was named."""
    from offduty.settings.load import load

    try:
        return duty_of(load(os.getcwd(), os.environ, config=args.config))
    except OffdutyError as error:
        if args.config is not None:
            raise
        note(args, f"the configuration is left out: {error}")
        return Duty()


def _each_line(args: argparse.Namespace, path: str, duty: Duty) -> int:
    wrong = 0
    with progress(args, "logs", None) as done:
        for answered in _counted(each(partial(_of_line, duty), _lines(path), FEW_LINES), done):
            wrong += "error" in answered
            print(json.dumps(answered), flush=True)  # whoever reads along sees it at once
    return BAD_DATA if wrong else 0


def _of_line(duty: Duty, given: Given) -> dict[str, Any]:
    return answer(given, Verdict() if given.wrong else explain(given, duty))


def _lines(path: str) -> Iterator[Given]:
    if path == "-":
        yield from of_json_lines(sys.stdin.buffer)
        return
    try:
        with open(path, "rb") as file:
            yield from of_json_lines(file)
    except OSError as error:
        raise NotThere("E521", f"{quoted(path)} cannot be read", why=(error.strerror or "").lower(), fix="name a file") from None


def _document(given: Given, verdict: Verdict) -> dict[str, object]:
    return {"id": given.id, **verdict.as_json()}


def _print(args: argparse.Namespace, given: Given, verdict: Verdict, gap: bool) -> None:
    on, before = screen(args), ""
    print_cells(on, [Cell(("\n" if gap else "") + f"{'log':<{INDENT}}", "dim"), Cell(one_line(given.id), "bold")])
    for label, text in verdict_lines(verdict):
        print_cells(on, [Cell(f"{'' if label == before else label:<{INDENT}}", "dim"), Cell(text)])
        before = label
    if verdict.source == UNKNOWN:
        print_cells(on, [Cell("\nno row explains it; add one:\n", "bold")])
        print(as_toml(with_failure(given), verdict), end="")


def _code(text: str) -> int:
    """An exit status, or the negative of a signal. Raises UsageError E112."""
    number = text.removeprefix("-")
    if number.isascii() and number.isdigit() and int(number[:5]) <= 255:
        return int(text)
    raise UsageError("E112", f"{quoted(text)} is no exit status", fix="write 0 to 255, or -9 for signal 9")
