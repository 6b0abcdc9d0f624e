"""`offduty triage explain` on much, and on large things."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time

import pytest

TRACE = 'Traceback (most recent call last):\n  File "/srv/job.py", line 3, in <module>\n    open("/data/lab.csv")\n'
LOG = f"loading\n{TRACE}FileNotFoundError: [Errno 2] No such file or directory: '/data/lab.csv'\n"
ROW = '[[triage]]\nid = "MINE-01"\nwhen = { log = "the moon is in the way" }\ncause = "It is."\nsteps = ["Wait."]\n'
START = "import sys; from offduty.__main__ import main; sys.exit(main())"


@pytest.fixture
def explain(tmp_path):
    """Run `offduty triage explain …` in an empty folder."""

    def run(*words, start="", **more):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
        command = [sys.executable, *(["-c", start] if start else ["-m", "offduty"]), "triage", "explain", *words]
        return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, timeout=100, **more)

    run.folder = tmp_path
    return run


def verdicts(done):
    """(id, row) of each answer."""
    return [(log["id"], log["row"]) for log in json.loads(done.stdout)["logs"]]


def test_folders_and_patterns_are_taken_apart(explain):
    """Everything below a folder but hidden files, sorted; a pattern that the shell left alone; nothing twice."""
    for name in ("logs/b.log", "logs/deep/a.log", "logs/.hidden"):
        (explain.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (explain.folder / name).write_text(LOG)
    done = explain("logs", "logs/*.log", "--json")
    assert [name for name, _ in verdicts(done)] == ["logs/b.log", "logs/deep/a.log"]
    (explain.folder / "empty").mkdir()
    assert b'E521 "empty" has no files' in explain("empty").stderr


@pytest.mark.parametrize("broken", [False, True])
def test_compressed_logs_are_read_as_they_are(explain, broken):
    """gzip and zstd, by what is in them and not by their names; of one that breaks off, what there is."""
    zstandard = pytest.importorskip("zstandard")
    text = LOG.encode() + b"".join(random.Random(1).choices([b"g", b"h", b"j", b"k ", b"\n"], k=80_000)) + b"\n"
    for name, packed in (("a", gzip.compress(text)), ("b", zstandard.ZstdCompressor().compress(text)), ("c", text)):
        (explain.folder / name).write_bytes(packed[: len(packed) - 9000 * broken])
    found = verdicts(explain("a", "b", "c", "--json"))
    assert len({row for _, row in found[:: 2 if broken else 1]}) == 1
    assert found[0][1] == "file.data-missing"
    assert verdicts(explain("-", "--json", input=gzip.compress(LOG.encode()))) == [("-", found[0][1])]


def test_zstd_without_its_library_is_one_line(explain):
    """E701, exit status 69, and the command that helps."""
    (explain.folder / "a.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    done = explain("a.zst", start=f"import sys; sys.modules['zstandard'] = None; {START}")
    assert (done.returncode, done.stderr.count(b"\n")) == (69, 1)
    assert b"pip install 'offduty[scan]'" in done.stderr


def test_what_stands_in_the_middle_of_a_large_log_is_found(explain):
    """A line that a row of one's own looks for, 20 MB before the end."""
    (explain.folder / "offduty.toml").write_text(ROW)
    noise = b"all is well and nothing has happened here\n" * 500_000
    (explain.folder / "row.log").write_bytes(noise + b"the moon is in the way\n" + noise)
    assert verdicts(explain("row.log", "--json")) == [("row.log", "MINE-01")]


def test_a_log_of_10_gb_takes_little_time_and_memory(explain):
    """B5: a sparse log of 10 GB, a line of 1 GB in a pipe: the end counts, memory stays below 200 MB."""
    with open(explain.folder / "big.log", "wb") as file:
        file.seek(10 << 30)
        file.write(b"\n" + LOG.encode())
    limited = ["-c", f"import resource; resource.setrlimit(resource.RLIMIT_AS, (900 << 20,) * 2); {START}"]
    began = time.monotonic()
    done = subprocess.run([sys.executable, *limited, "triage", "explain", "big.log", "--json"], cwd=explain.folder, capture_output=True)
    assert verdicts(done) == [("big.log", "file.data-missing")], done.stderr
    assert time.monotonic() - began < 30
    pipe = f"( head -c 1G /dev/zero | tr '\\0' x; echo; cat tail.log ) | {sys.executable} -m offduty triage explain - --json"
    (explain.folder / "tail.log").write_text(LOG)
    done = subprocess.run(["sh", "-c", f"ulimit -v 900000; {pipe}"], cwd=explain.folder, capture_output=True)
    assert verdicts(done) == [("-", "file.data-missing")], done.stderr


def test_many_lines_are_answered_in_order(explain):
    """One answer a line, by several processes, in the order of the lines; a line that is none is answered too."""
    lines = [json.dumps({"id": n, "log": LOG if n % 3 else "x"}) for n in range(200)]
    lines[150] = "no json"
    done = explain("--jsonl", "-", input="\n".join(lines).encode())
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in found] == [n if n != 150 else "line 151" for n in range(200)]
    assert {one["category"] for one in found if one["id"] not in ("line 151",) and one["id"] % 3} == {"input_missing"}
    assert done.returncode == 65


def test_ctrl_c_ends_it_without_a_trace(explain):
    """The processes that help are gone, too, and nobody prints a traceback."""
    line = json.dumps({"log": LOG}) + "\n"
    command = [sys.executable, "-m", "offduty", "triage", "explain", "--jsonl", "-"]
    with subprocess.Popen(command, cwd=explain.folder, stdin=-1, stdout=-1, stderr=-1, start_new_session=True) as child:
        child.stdin.write((line * 76).encode())
        child.stdin.flush()
        child.stdout.readline()
        os.killpg(child.pid, signal.SIGINT)
        said = child.communicate(timeout=20)[1]
    assert b"Traceback" not in said
    assert child.returncode in (130, -signal.SIGINT)


def test_a_bar_for_people_only(explain):
    """Long work shows how far it is on a terminal, and nothing in a pipe."""
    for number in range(12):
        (explain.folder / f"{number}.log").write_text(LOG)
    assert explain(".", "--json").stderr == b""
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "HOME": str(explain.folder), "TERM": "xterm"}
    subprocess.run(
        [sys.executable, "-m", "offduty", "triage", "explain", ".", "--json"], cwd=explain.folder, env=env, stdout=-3, stderr=theirs
    )
    os.close(theirs)
    assert b"logs" in os.read(ours, 100_000)
    os.close(ours)


def test_a_trace_inside_of_data_does_not_hide_what_happened(explain):
    """B5: a row of data that holds a whole forged trace, long before the real end."""
    forged = LOG.replace("\n", "\\n")
    text = f'{{"comment": "{forged}"}}\n' * 50 + "loading the model\nslurmstepd: error: Detected 1 oom_kill event\nKilled\n"
    (explain.folder / "job.log").write_text(text)
    found = json.loads(explain("job.log", "--json", "--exit-code", "137").stdout)["logs"][0]
    assert found["category"] == "out_of_memory"
