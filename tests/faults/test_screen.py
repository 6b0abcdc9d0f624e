"""What is on the screen besides the job's own output: the closing block, on stderr, when and how it is wanted."""

from __future__ import annotations

import os

import pytest

BLOCK, COLOUR = b"== summary ==", b"\x1b["


@pytest.mark.parametrize(
    "options, code, wanted",
    [
        ([], 0, False),
        ([], 3, True),
        (["--summary", "always"], 0, True),
        (["--summary", "never"], 3, False),
        (["--quiet"], 3, False),
        (["--quiet", "--summary", "always"], 3, False),
    ],
)
def test_when_the_block_is_shown(offduty, options, code, wanted):
    """In cron's mail only what did not succeed, unless asked; the job's own output always, and the log has the block in any case."""
    done = offduty.run("--name", "x", *options, "--", "sh", "-c", f"echo out; echo err >&2; exit {code}")
    assert (done.code, done.out) == (code, b"out\n") and done.err.startswith(b"err\n")
    assert (BLOCK in done.err) == wanted and BLOCK in offduty.log()


def test_a_terminal_gets_it_always(offduty):
    """With colour, unless it is a dumb one; the words say the same without."""
    assert on_terminal(offduty, TERM="xterm").count(COLOUR) == 2
    for variables in ({"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}):
        seen = on_terminal(offduty, **variables)
        assert BLOCK in seen and b"SUCCEEDED" in seen and COLOUR not in seen


def on_terminal(offduty, **env):
    """What `offduty run true` writes to a stderr that is a terminal."""
    main, user = os.openpty()
    process = offduty.start("--name", "x", "--", "true", env=env, stderr=user)
    os.close(user)
    process.wait(timeout=10)
    seen = os.read(main, 1 << 16)
    os.close(main)
    return seen


@pytest.mark.parametrize(
    "options, env, wanted",
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_who_decides_on_colour(offduty, options, env, wanted):
    """The option, then NO_COLOR, then FORCE_COLOR, then what stderr is; an empty NO_COLOR is none. The log has none ever."""
    offduty.env = {name: value for name, value in offduty.env.items() if "COLOR" not in name}
    done = offduty.run("--name", "x", *options, "--", "false", env=env)
    assert (COLOUR in done.err) == wanted and BLOCK in done.err and COLOUR not in offduty.log()


def test_a_closed_stderr_is_no_reason_to_fail(offduty):
    """There is nobody to show it to; the exit status and the log are what they are."""
    done = offduty.run("--name", "x", "--", "sh", "-c", "exit 3", prefix=["sh", "-c", 'exec "$@" 2>&-', "sh"])
    assert done.code == 3 and BLOCK in offduty.log()
