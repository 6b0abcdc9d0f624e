"""What `offduty run` answers to a command line that makes no sense: one line, a code, exit status 2, and the job not run."""

from __future__ import annotations

import pytest

DURATIONS = ["0", "-1", "1h30x", "abc", "1e99", "inf", "NaN", "", "1h 5", "٣", "366d", "1 s 1 h", "0x10", "1_0"]
NAMES = [
    "",
    "n" * 300,
    "../x",
    "a/b",
    ".",
    "..",
    "a\nb",
    "\x1b[31m",
    "-x",
    "CON",
    "\u202eabc",
    "a\u200bb",
    "аbс",
    "🙂",
    "x ",
    "é",
    "_x",
    "n" * 101,
]

WRONG = [
    ([], "E101"),
    (["--"], "E101"),
    (["--", ""], "E101"),
    (["--name", "x", "--"], "E101"),
    *[(["--timeout", text, "--", "touch", "ran"], "E102") for text in DURATIONS],
    *[(["--retry-delay", text, "--", "touch", "ran"], "E102") for text in ("-1", "abc", "inf")],
    *[(["--stop-grace", text, "--", "touch", "ran"], "E102") for text in ("0", "x")],
    *[(["--retries", text, "--", "touch", "ran"], "E103") for text in ("-1", "1.5", "1000000000", "0x3", "", "101", "²", "٣")],
    *[(["--name", text, "--", "touch", "ran"], "E104") for text in NAMES],
    *[([option, "maybe", "--", "touch", "ran"], "E111") for option in ("--overlap", "--pty", "--summary", "--trigger")],
    (["--survive=yes", "--", "touch", "ran"], "E111"),
    (["--nmae", "x", "--", "touch", "ran"], "E111"),
    (["-x", "--", "touch", "ran"], "E111"),
    (["--name"], "E111"),
    (["--env", "NOVALUE", "--", "touch", "ran"], "E112"),
    (["--env", "=x", "--", "touch", "ran"], "E112"),
]


def test_every_wrong_command_line_is_refused(offduty, drive):
    """B1: exit status 2, whatever is wrong; no job runs, no file of a run appears."""
    assert drive([words for words, _ in WRONG]) == [2] * len(WRONG)
    assert not (offduty.home / "ran").exists()
    assert not offduty.state.exists()


@pytest.mark.parametrize("words, code", [WRONG[n] for n in (0, 2, 4, 21, 24, 32, 38, 50, 54, 56, 58)], ids=lambda value: str(value)[:40])
def test_a_refusal_is_one_line(offduty, words, code):
    """B1: on stderr, with its code; nothing in it can move the cursor; never a traceback."""
    done = offduty.run(*words)
    assert (done.code, done.out) == (2, b"")
    text = done.err.decode()
    assert text.startswith(f"offduty: {code} ")
    assert text.count("\n") == 1
    assert all(c.isprintable() for c in text.rstrip("\n"))


@pytest.mark.parametrize("words, code", WRONG, ids=lambda value: str(value)[:40])
def test_each_mistake_has_its_code(words, code):
    """B1: the same table, in one process."""
    from offduty.cli.commands.run import command_job, read
    from offduty.errors import UsageError

    def understand():
        options, command, _ = read(words)
        command_job(command, options)

    with pytest.raises(UsageError) as caught:
        understand()
    assert (caught.value.code, caught.value.status) == (code, 2)


def test_a_near_miss_is_named(offduty):
    """B1: the option that was meant."""
    assert b"did you mean --name?" in offduty.run("--nmae", "x", "--", "true").err


def test_options_behind_the_command_are_the_jobs(offduty):
    """B1: nothing behind `--` is ours, whatever it looks like."""
    done = offduty.run("--", "echo", "--timeout", "0", "--help", "--json", "--")
    assert (done.code, done.out) == (0, b"--timeout 0 --help --json --\n")


def test_one_name_with_two_commands(offduty):
    """B1: allowed, and both are on record."""
    offduty.run("--name", "x", "--", "true")
    offduty.run("--name", "x", "--", "false")
    assert [run["command"] for run in offduty.records()] == [["true"], ["false"]]
