"""A run remembers its configuration for the next one, which starts sooner and never runs an old command."""

from __future__ import annotations

CONFIG = '[job.a]\ncommand = ["echo", "{}"]\n'


def imported(done):
    """The modules that a run imported before it started the job."""
    names = [line.rpartition(b"|")[2].strip() for line in done.err.splitlines() if line.startswith(b"import time:")]
    return names[: names.index(b"offduty.wiring.attach")]


def run(offduty, text):
    """Run the job as `text` has it; itself not told to show imports."""
    (offduty.home / "offduty.toml").write_text(text)
    return offduty.run("a", env={"PYTHONPROFILEIMPORTTIME": "1"})


def test_a_configuration_is_parsed_once(offduty):
    """The second run needs no parser; the third, of another text, does, and obeys it."""
    first, second, third = (run(offduty, CONFIG.format(word)) for word in ("one", "one", "two"))
    assert [done.out for done in (first, second, third)] == [b"one\n", b"one\n", b"two\n"]
    assert [b"tomllib" in imported(done) for done in (first, second, third)] == [True, False, True]


def test_a_memory_that_cannot_be_written_costs_nothing(offduty):
    """F31: the job runs, and nothing is said."""
    offduty.state.mkdir(mode=0o700)
    (offduty.state / "remembered").write_text("")
    done = offduty.run("--quiet", "a", cwd=_project(offduty))
    assert (done.code, done.out, done.err) == (0, b"one\n", b"")
    assert not list(offduty.state.glob("internal-errors/*"))


def _project(offduty):
    folder = offduty.home / "project"
    folder.mkdir()
    (folder / "offduty.toml").write_text(CONFIG.format("one"))
    return folder
