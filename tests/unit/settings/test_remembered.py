"""What is remembered of a configuration answers as its text does, is believed only from a file of our own, and holds no secret."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from offduty.settings.quick import quick_job
from offduty.settings.remembered import PLACES, Memory

CONFIG = """
[offduty.defaults]
retries = 2
[job.a]
command = ["date", "+%s"]
schedule = "0 6 * * *"
max_duration = "5 min"
log = { keep_runs = 3 }
[job.b]
shell = "make x"
[channel.s]
kind = "slack"
url = { env = "SLACK" }
[[triage]]
id = "X-1"
when = { exception = "KeyError" }
"""
SECRET = "correct-horse-battery"


@pytest.fixture
def memory(tmp_path):
    """A memory in a folder of its own; a new one each time, as in each run."""
    return lambda: Memory(str(tmp_path / "state/remembered"))


def learned(folder, world, memory, job="a"):
    """Parse the configuration in `folder` and remember it; what the job's launch values are."""
    first = memory()
    answer = quick_job(job, folder, world, None, first)
    first.keep(world)
    return answer


def files(memory):
    """The files that there are."""
    folder = memory().folder
    return [f"{folder}/{name}" for name in os.listdir(folder)] if os.path.isdir(folder) else []


@pytest.mark.parametrize("job", ["a", "b"])
def test_what_is_remembered_is_what_the_text_says(project, world, memory, job):
    """All jobs of a file are known after a run of one, with what they inherit."""
    folder = project(CONFIG)
    learned(folder, world, memory)
    again = memory()
    assert quick_job(job, folder, world, None, again) == quick_job(job, folder, world)
    assert again.parsed == []


def test_a_text_that_was_edited_is_parsed(project, world, memory):
    """Another text, another command: also with the size and time of the old one."""
    learned(project(CONFIG), world, memory)
    folder = project(CONFIG.replace('"+%s"', '"+%d"'))
    assert quick_job("a", folder, world, None, memory())["command"] == ["date", "+%d"]


def test_memory_that_is_damaged_is_not_believed(project, world, memory):
    """Any bit, or the file cut short: the text is parsed."""
    folder = project(CONFIG)
    answer = learned(folder, world, memory)
    (path,) = files(memory)
    with open(path, "rb") as file:
        content = file.read()
    for at in range(0, len(content), 7):
        with open(path, "wb") as file:
            file.write(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :] if at % 2 else content[:at])
        again = memory()
        assert quick_job("a", folder, world, None, again) == answer
        assert len(again.parsed) == 1


@pytest.mark.parametrize("harm", ["writable", "link", "second name", "fifo"])
def test_only_a_file_of_our_own_is_believed(project, world, memory, harm):
    """Who can write what is remembered can choose what is run."""
    folder = project(CONFIG)
    learned(folder, world, memory)
    (path,) = files(memory)
    if harm == "writable":
        os.chmod(path, 0o620)
    elif harm == "second name":
        os.link(path, f"{path}.other")
    else:
        os.rename(path, f"{path}.other")
        os.symlink(f"{path}.other", path) if harm == "link" else os.mkfifo(path)
    again = memory()
    assert quick_job("a", folder, world, None, again) is not None
    assert len(again.parsed) == 1


@pytest.mark.parametrize(
    "job",
    [
        f'command = ["x"]\nenv = {{ MODE = "{SECRET}" }}\n',
        f'notebook = "x.ipynb"\nparameters = {{ a = "{SECRET}" }}\n',
        f'command = ["x", "--password", "{SECRET}"]\n',
        f'shell = "PGPASSWORD={SECRET} psql"\n',
        f'command = ["x", "postgresql://me:{SECRET}@db/sales"]\n',
        f'command = ["x"]\nnotes = "ask {SECRET}"\n',
        f'command = ["x"]\nsecrets = ["OURS"]\ndescription = "{SECRET}"\n',
    ],
)
def test_nothing_that_would_be_masked_is_remembered(project, world, memory, job):
    """INV-12, T02: such a job is parsed each time; its neighbour is not."""
    folder = project(f'[job.a]\n{job}[job.b]\nshell = "make x"\n')
    world = {**world, "API_TOKEN" if "notes" in job else "OURS": SECRET}
    answer = learned(folder, world, memory)
    assert answer is not None
    for path in files(memory):
        with open(path, "rb") as file:
            assert SECRET.encode() not in file.read()
    again, beside = memory(), memory()
    assert quick_job("a", folder, world, None, again) == answer
    assert quick_job("b", folder, world, None, beside) is not None
    assert (len(again.parsed), beside.parsed) == (1, [])


def test_a_secret_in_the_defaults_is_not_remembered(project, world, memory):
    """INV-12: then nothing of the file is."""
    learned(project(f'[offduty.defaults]\nowner = "{SECRET}"\n[job.a]\nshell = "x"\n'), {**world, "API_TOKEN": SECRET}, memory)
    assert files(memory) == []


def test_memory_is_bounded_and_private(tmp_path, world, memory):
    """INV-11, T22: a configuration that moves about leaves no file for each of its places; only the owner can read them."""
    for number in range(3 * PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "offduty.toml").write_text(CONFIG)
        learned(str(folder), world, memory)
    assert 1 < len(files(memory)) <= PLACES
    assert {os.stat(path).st_mode & 0o777 for path in files(memory)} == {0o600}
    assert os.stat(memory().folder).st_mode & 0o777 == 0o700


def test_what_is_remembered_needs_no_parser(project, world, memory):
    """The fast path rule: that is what it is for."""
    folder = project(CONFIG)
    learned(folder, world, memory)
    code = (
        f"import os, sys; sys.path[:0] = {sys.path!r}; before = set(sys.modules)\n"
        "from offduty.settings.quick import quick_job\n"
        "from offduty.settings.remembered import Memory\n"
        f"assert quick_job('a', {folder!r}, os.environ, None, Memory({memory().folder!r}))\n"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={**os.environ, **world})
    assert done.stderr == ""
    assert {name for name in done.stdout.split() if not name.startswith(("offduty", "_"))} <= {"errno", "binascii"}
