"""`offduty log`: what a run printed and its summary, safe to look at; or the job's own bytes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator

from offduty.cli import COMMANDS
from offduty.cli.choose import line_count, run_of
from offduty.cli.reach import Reach, open_for_reading
from offduty.cli.show import screen
from offduty.clock import Clock
from offduty.errors import NotThere, UsageError
from offduty.runs.logread import MARKS, Line, blocks, is_harmless, job_bytes, parse, readable, split
from offduty.runs.logtail import LogFiles, Reader, tail_start
from offduty.runs.store import Record

HELP = COMMANDS["log"][2]
DESCRIPTION = """\
Each line begins with its time (UTC) and whose it is: | the job's stdout, ! its stderr, * offduty. A ~ behind that says that the
line goes on in the next one. Control characters are shown, not obeyed; a progress bar is shown in its last state.
"""
EXAMPLES = """\
offduty log                         # the latest run
offduty log forecast --tail 30      # the end of the latest run of a job
offduty log forecast --follow       # watch it work, until it ends
offduty log 7f3a91c2 --stream err   # what one run wrote to stderr
offduty log 7f3a91c2 --raw > out    # the job's own bytes, exactly (after redaction of secrets)
less "$(offduty log --path)"        # the file itself
"""
STREAMS = {"out": b"|", "err": b"!"}
NAMES = {b"|": "out", b"!": "err", b"*": "offduty"}
POLL, LOOK = 0.2, 1.0  # seconds between looks at the file, and at whether the run has ended
DIM, PLAIN, TINTS = "\x1b[2m", "\x1b[0m", {b"|": "", b"!": "\x1b[33m", b"*": "\x1b[36m"}

Emit = Callable[[Iterator[bytes]], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", nargs="?", metavar="JOB|ID", help="a job, for its latest run, or a run (default: the latest run of all)")
    parser.add_argument("--follow", action="store_true", help="go on printing until the run ends")
    parser.add_argument("--tail", metavar="N", type=line_count, help="only the last N lines (with --follow: and what comes)")
    parser.add_argument("--stream", choices=sorted(STREAMS), help="only what the job wrote to stdout (out) or stderr (err)")
    parser.add_argument("--raw", action="store_true", help="the job's own bytes, without columns and offduty's lines; not to a terminal")
    parser.add_argument("--force", action="store_true", help="with --raw: to a terminal too, whatever the bytes may do to it")
    parser.add_argument("--path", action="store_true", help="print only where the log file is")


def main(args: argparse.Namespace) -> int:
    """Print the log that was asked for."""
    _check(args)
    clock = Clock()
    with open_for_reading(args, clock) as reach:
        run = run_of(reach.store, reach.planned, args.run)
        if args.path:
            print(run["log"])
            return 0
        copy_log(args, reach, run)
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.raw and args.json:
        raise UsageError("E111", "--raw and --json exclude each other", fix="--json tells the text of each line")
    if args.raw and not args.force and sys.stdout is not None and sys.stdout.isatty():
        fix = "redirect it to a file or a pipe, or add --force"
        raise UsageError("E113", "--raw to a terminal", why="the bytes of a job can do anything to it", fix=fix)


def copy_log(args: argparse.Namespace, reach: Reach, run: Record) -> None:
    """Print the log, and what is added to it with --follow until the run has ended."""
    if not run["log"]:
        raise NotThere("E504", "this run has no log", where=run["id"], why=f"it was {run['outcome']}")
    marks, files = STREAMS.get(args.stream, MARKS), LogFiles(run["log"], run["id"])
    reader = Reader(files, (0, 0) if args.tail is None else tail_start(files, args.tail, _counted(args, marks)))
    try:
        ended = (lambda: True) if not args.follow else watch(reach, run["id"])
        emitter(args, run, marks)(blocks(chunks(reader, reach.clock, ended)))
    finally:
        reader.close()
        files.close()


def _counted(args: argparse.Namespace, marks: bytes) -> bytes:
    return marks.replace(b"*", b"") if args.raw else marks


def chunks(reader: Reader, clock: Clock, ended: Callable[[], bool]) -> Iterator[bytes]:
    """What there is to read, and what comes until `ended` and a last look has shown nothing more; whole lines stay in order."""
    over = False
    while True:
        data = reader.read()
        if data:
            yield data
        elif over:
            return
        elif not (over := ended()):
            sys.stdout.flush()
            clock.sleep(POLL)


def watch(reach: Reach, run_id: str) -> Callable[[], bool]:
    """A question that asks the store, but not more often than every second: has this run ended?"""
    clock = reach.clock
    asked = clock.monotonic() - LOOK

    def ended() -> bool:
        nonlocal asked
        if clock.monotonic() - asked < LOOK:
            return False
        asked = clock.monotonic()
        return bool(reach.refresh(run_id)["outcome"] != "running")

    return ended


def emitter(args: argparse.Namespace, run: Record, marks: bytes) -> Emit:
    """What prints the lines: as bytes, as JSON Lines, or for people."""
    if args.raw:
        return lambda whole: _write_all(job_bytes(whole, marks.replace(b"*", b"")))
    if args.json:
        print(json.dumps({"schema": "offduty.log/1", "run": run}))
        return lambda whole: _print_lines(whole, marks, lambda line: _as_json(parse(line), line))
    colour = screen(args).colour
    if marks == MARKS and not colour:
        return lambda whole: _print_all(_block_for_people(block) for block in whole)
    return lambda whole: _print_lines(whole, marks, lambda line: for_people(parse(line), line, colour))


def _block_for_people(block: bytes) -> str:
    """Most of a log is harmless as it is, and shown without looking at its lines."""
    if is_harmless(block) and block.endswith(b"\n"):
        return block.decode("ascii")
    return "".join(f"{for_people(parse(line), line, colour=False)}\n" for line in split(block))


def _print_lines(whole: Iterator[bytes], marks: bytes, form: Callable[[bytes], str]) -> None:
    _print_all(f"{form(line)}\n" for block in whole for line in split(block) if _is_wanted(line, marks))


def _is_wanted(line: bytes, marks: bytes) -> bool:
    """A line without a column belongs to nobody: it is shown when everything is."""
    return line[13:14] in marks if marks != MARKS else True


def _write_all(pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def _print_all(texts: Iterator[str]) -> None:
    for text in texts:
        sys.stdout.write(text)


def for_people(line: Line | None, raw: bytes, colour: bool) -> str:
    """The line as in the file, but harmless; the column stands out by its mark, and by colour where there is any."""
    if line is None:
        return readable(raw.removesuffix(b"\n"))
    head = f"{readable(raw[:13])}{line.mark.decode()}{'~' if line.cut else ' '}"
    text = readable(line.text, colour=colour)
    return f"{DIM}{head[:13]}{PLAIN}{TINTS[line.mark]}{head[13:]}{PLAIN}{text}" if colour else head + text


def _as_json(line: Line | None, raw: bytes) -> str:
    if line is None:
        return json.dumps({"time": None, "stream": None, "text": raw.decode("utf-8", "backslashreplace"), "newline": True})
    text = line.text.decode("utf-8", "backslashreplace")
    return json.dumps({"time": line.time, "stream": NAMES[line.mark], "text": text, "newline": not line.cut})
