"""What offduty itself says of a run: the head of its log, the block on the screen, and its own mistakes, kept for whoever mends them."""

from __future__ import annotations

import os

from offduty import places
from offduty.clock import rfc3339, short_id
from offduty.runs import closing
from offduty.version import VERSION
from offduty.wiring import screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.runs.attempts import Attempt
    from offduty.wiring.account import Account


def head(attempt: Attempt) -> list[str]:
    """The first lines of the log."""
    record = attempt.record
    about = (
        f"offduty {VERSION}  job {record['job']}  run {short_id(record['id'])}  {record['trigger']} {record['started_at'][11:16]}"
        f"  host {closing.escaped(record['host'])}  {record['started_at'][:10]} (times UTC)"
    )
    return [
        about,
        f"command  {closing.escaped(' '.join(map(shell_word, record['command'])))}     cwd {closing.escaped(record['cwd'])}",
    ]


def shell_word(word: str) -> str:
    """`word` as one would type it."""
    plain = word and all(c.isalnum() or c in "@%+=:,./-_~*" for c in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"


def keep_problems(account: Account) -> None:
    """Each distinct mistake of ours into a file of its own, with its traceback."""
    attempt, world = account.attempt, account.means.world
    if not attempt.guard.problems:
        return
    from zlib import crc32

    folder = f"{world.places.state}/internal-errors"
    places.make_private(folder)
    for problem in attempt.guard.problems:
        problem = account.means.clean(attempt.job, problem)
        of_this_run = short_id(attempt.record["id"])  # in paths that the text names: without it, the same mistake is the same file
        same = problem.replace(attempt.record["id"], "").replace(of_this_run, "")
        path = f"{folder}/{crc32(same.encode('utf-8', 'replace')):08x}.txt"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"offduty {VERSION}, run {attempt.record['id']}, {rfc3339(world.clock.wall())}\n{problem}")


def show(account: Account, block: list[str], kept: bool) -> None:
    """The block on the screen; why the job never started, and that a run left no record, are said in any case."""
    attempt, world, options = account.attempt, account.means.world, account.means.options
    if not kept:
        screen.say(f"E615 this run leaves no record: {world.places.spool} cannot be written; make it writable, or set OFFDUTY_STATE_DIR")
    if not attempt.log.path and not options.get("quiet"):
        screen.say(f"E616 this run leaves no log: {attempt.log.trouble}; make the folder writable, or set OFFDUTY_LOGS_DIR")
    if attempt.refusal is not None and not os.isatty(2) and options.get("summary") != "always":
        screen.say(str(attempt.refusal))
    elif screen.is_wanted(options, attempt.record["outcome"]):
        screen.show(block, colour=screen.has_colour(world.environ, options.get("color", "auto")))
