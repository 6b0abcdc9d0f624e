"""`offduty run`: a command behind `--`, or a job of the configuration."""

from __future__ import annotations

import os

from offduty import durations, places
from offduty.clock import Clock
from offduty.errors import OFFDUTY_FAILED, CannotStart, NotThere, OffdutyError, UsageError, quoted
from offduty.runs.job import OVERLAPS, PTY_MODES, RUNNERS, Job, is_name, name_for, slug

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import Any

HELP = "run a command or a configured job: logged, summarised, recorded"
DESCRIPTION = """\
Behind -- stands any command; it needs no configuration and is named after its script. Without --, the word is a
job of offduty.toml. The job's output goes where it always went; a copy with the secrets masked goes into the run's
log, which ends with a summary. The exit status is the job's own: 128+n if signal n ended it, 124 if its time was up,
125 if offduty could not start it, 126 or 127 if the command cannot be run or is not there, 75 if another run of the
job is going on. With several attempts it is the last one's.
"""
EXAMPLES = """\
offduty run -- python forecast.py --date 2026-11-23
offduty run --name nightly-etl --timeout 45m --retries 2 -- bash etl.sh
offduty run forecast
offduty run forecast --date 2026-11-22
"""
SUMMARY_MODES = ("auto", "always", "never")
COLOURS = ("auto", "always", "never")
TRIGGERS = ("manual", "scheduled")
MOST_RETRIES = 100


def _retries(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_RETRIES):
        raise UsageError("E103", f"{quoted(text)} is no number of retries", where="--retries", fix=f"0 to {MOST_RETRIES}")
    return int(text)


def _job_name(text: str) -> str:
    if not is_name(text):
        raise UsageError(
            "E104", f"{quoted(text)} cannot name a job", why="a-z, 0-9, '.', '_' and '-', at most 100", fix=f"try {slug(text)}"
        )
    return text


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError("E112", f"{quoted(name)} sets no variable", where="--env", fix="write --env NAME=VALUE")
    return name, value


def _one_of(option: str, words: tuple[str, ...]) -> Callable[[str], str]:
    def choose(text: str) -> str:
        if text not in words:
            raise UsageError("E111", f"{quoted(text)} is not one of {', '.join(words)}", where=option)
        return text

    return choose


def _at_once(text: str) -> float:
    return durations.parse(text, zero=True)


# option: (attribute, metavar or None for a switch, how to read its value, help). One table, read by the fast path and by argparse.
OPTIONS: dict[str, tuple[str, str | None, Callable[[str], Any], str]] = {
    "--name": ("name", "NAME", _job_name, "the job's name (default: after the command's script)"),
    "--timeout": ("timeout", "DURATION", durations.parse, "stop the job after this long (TERM, then KILL); exit status 124"),
    "--retries": ("retries", "N", _retries, "after a failure try N more times"),
    "--retry-delay": ("retry_delay", "DURATION", _at_once, "wait before the first retry (default 30 s); doubles"),
    "--overlap": (
        "overlap",
        "|".join(OVERLAPS),
        _one_of("--overlap", OVERLAPS),
        "if the job is running already (default: skip if configured, else allow)",
    ),
    "--cwd": ("cwd", "FOLDER", str, "start the job in this folder"),
    "--env": ("env", "NAME=VALUE", _variable, "set a variable for the job; may be repeated"),
    "--stop-grace": ("stop_grace", "DURATION", durations.parse, "from TERM to KILL when offduty is told to stop (default 25 s)"),
    "--pty": ("pty", "|".join(PTY_MODES), _one_of("--pty", PTY_MODES), "give the job a terminal (default: if stdout is one)"),
    "--summary": (
        "summary",
        "|".join(SUMMARY_MODES),
        _one_of("--summary", SUMMARY_MODES),
        "print the summary on stderr (default: on a terminal, and after a failure)",
    ),
    "--trigger": ("trigger", "|".join(TRIGGERS), _one_of("--trigger", TRIGGERS), "who started it, for the record (default manual)"),
    "--kill-leftovers": ("kill_leftovers", None, bool, "end processes that the job leaves behind"),
    "--survive": ("survive", None, bool, "if offduty is killed, let the job go on"),
    "--no-redact": ("no_redact", None, bool, "do not mask secrets in the log"),
    "--strict": ("strict", None, bool, "refuse to start (125) if any part of the configuration is broken"),
    "--color": (
        "color",
        "|".join(COLOURS),
        _one_of("--color", COLOURS),
        "colour in the summary (default: on a terminal, unless NO_COLOR is set)",
    ),
    "--quiet": ("quiet", None, bool, "nothing of offduty's on the screen"),
    "--config": ("config", "FILE", str, "read this configuration instead of searching for one"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """For `--help`, completion and the reference; `main` and `fast` read the words themselves."""
    parser.usage = "offduty run [options] -- COMMAND [ARGUMENT…]\n       offduty run [options] JOB [ARGUMENT…]"
    for option, (attribute, metavar, _, text) in OPTIONS.items():
        if metavar is None:
            parser.add_argument(option, dest=attribute, action="store_true", help=text)
        else:
            parser.add_argument(option, dest=attribute, metavar=metavar, help=text)
    parser.add_argument("words", nargs="...", metavar="JOB | -- COMMAND", help="a configured job, or any command behind --")


def main(args: argparse.Namespace) -> int:
    """Reached through the frame only with an option that every other command has: help and mistakes have been shown by then."""
    raise UsageError(
        "E111",
        "`offduty run` answers with the job's own output and exit status only",
        fix="look at the run with `offduty runs show --json`",
    )


def fast(argv: list[str]) -> int | None:
    """Run; None hands over to the frame (help, and options it knows better). The exit status is the job's own."""
    if any(word in ("-h", "--help", "--version", "--json", "--debug", "--verbose") for word in _options_of_ours(argv)):
        return None
    closed = open_standard_descriptors()
    try:
        options, words, is_command = read(argv)
        job, found = command_job(words, options) if is_command else configured_job(words, options)
        return start(job, found, options, closed)
    except OffdutyError as error:
        from offduty.wiring import screen

        for mistake in getattr(error, "errors", ()) or (error,):
            screen.say(str(mistake))
        return error.status


def _options_of_ours(argv: list[str]) -> list[str]:
    """The options before the job's name or `--`: what stands behind is the job's own, whatever it looks like."""
    options: list[str] = []
    words = iter(argv)
    for word in words:
        if not word.startswith("-") or word == "--":
            break
        options.append(word)
        if word in OPTIONS and OPTIONS[word][1] is not None:
            next(words, None)
    return options


def read(argv: list[str]) -> tuple[dict[str, Any], list[str], bool]:
    """Our options, the words behind them, and whether those are a command (`--`). Raises UsageError."""
    options: dict[str, Any] = {}
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        option, equals, value = argv[at].partition("=")
        if option not in OPTIONS:
            raise UsageError("E111", f"`offduty run` has no option {quoted(option)}", fix=_nearest(option))
        attribute, metavar, convert, _ = OPTIONS[option]
        at += 1
        if metavar is not None and not equals:
            if at == len(argv):
                raise UsageError("E111", f"{option} needs a value", fix=f"write {option} {metavar}")
            value = argv[at]
            at += 1
        elif metavar is None and equals:
            raise UsageError("E111", f"{option} takes no value", fix=f"write {option}")
        try:
            _set(options, option, attribute, convert(value) if metavar is not None else True)
        except UsageError as error:
            error.where = error.where or option
            raise
    is_command = argv[at : at + 1] == ["--"]
    return options, argv[at + 1 :] if is_command else argv[at:], is_command


def _set(options: dict[str, Any], option: str, attribute: str, value: object) -> None:
    if option == "--env":
        options.setdefault(attribute, {}).update([value])
    else:
        options[attribute] = value


def _nearest(option: str) -> str:
    import difflib

    near = difflib.get_close_matches(option, OPTIONS, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else "see `offduty run --help`; the job's own options go behind its name, or behind --"


def command_job(words: list[str], options: Mapping[str, Any]) -> tuple[Job, places.Places]:
    """The job of `offduty run -- COMMAND`, and where it is recorded."""
    if not words or not words[0]:
        raise UsageError("E101", "no command", fix="write offduty run -- COMMAND, or offduty run JOB")
    from offduty.wiring.folders import find_places, here

    job = Job(options.get("name") or name_for(words), words)
    _override(job, options)
    return job, find_places(here(), os.environ, options.get("config"))


def configured_job(words: list[str], options: Mapping[str, Any]) -> tuple[Job, places.Places]:
    """The job of `offduty run JOB [ARGUMENT…]`: what the configuration says, then what the options say."""
    if not words:
        raise UsageError("E101", "no command", fix="write offduty run -- COMMAND, or offduty run JOB")
    from offduty.wiring.folders import here
    from offduty.wiring.jobs import find_job

    try:
        job, found = find_job(words[0], here(), os.environ, options.get("config"), strict=bool(options.get("strict")))
    except NotThere as error:
        if meant := _meant(words):
            error.fix = f"did you mean offduty run -- {meant}?"
        raise
    job.command.extend(words[1:])
    _override(job, options)
    return job, found


def _meant(words: list[str]) -> str:
    """The command that somebody who left out the `--` will have meant, or nothing."""
    runner = {"py": "python ", "sh": "bash ", "R": "Rscript ", "ipynb": "jupyter execute "}.get(words[0].rpartition(".")[2], "")
    if words[0] in RUNNERS or (runner and os.path.exists(words[0])):
        return runner + " ".join(words)
    return ""


def _override(job: Job, options: Mapping[str, Any]) -> None:
    """What was given on the command line wins."""
    for attribute in ("retries", "retry_delay", "overlap", "stop_grace", "pty", "trigger", "kill_leftovers", "survive", "strict"):
        if attribute in options:
            setattr(job, attribute, options[attribute])
    if "cwd" in options:
        job.cwd = os.path.abspath(options["cwd"])
    if "timeout" in options:
        job.max_duration, job.kill_after = options["timeout"], 0.0
    if "no_redact" in options:
        job.redact = False
    job.env.update(options.get("env", {}))


def open_standard_descriptors() -> frozenset[int]:
    """Which of 0, 1 and 2 are closed. They are opened on /dev/null, so that no file of ours takes their place."""
    closed = []
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            closed.append(fd)
            opened = os.open(os.devnull, os.O_RDWR)
            assert opened == fd
    return frozenset(closed)


def original_environ() -> Mapping[str, str]:
    """The environment as we got it. In the C locale Python puts an LC_CTYPE into its own, which is none of the job's."""
    if os.environ.get("LC_CTYPE") != "C.UTF-8":
        return os.environ
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = [os.fsdecode(pair).partition("=") for pair in file.read().split(b"\0") if pair]
    except OSError:
        return os.environ
    return {name: value for name, _, value in pairs}


def start(job: Job, found: places.Places, options: Mapping[str, Any], closed: frozenset[int]) -> int:
    """Start the job and stay with it."""
    from offduty.runs.attempts import World, perform
    from offduty.wiring.attach import attach

    world = World(Clock(), found, original_environ(), closed)
    attach(world, options)
    try:
        return perform(job, world)
    except OSError as error:  # no pipe, no process, no signalfd: the machine refuses
        raise CannotStart("E801", "cannot start the job", status=OFFDUTY_FAILED, why=str(error.strerror or error).lower()) from None
