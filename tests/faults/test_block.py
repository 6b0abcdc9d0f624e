"""`with offduty.run(…)` and `@offduty.job(…)`: the same books as a command's, and nothing about the job is different for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# What a block's log lacks is the traceback that Python prints when the block, and the program, have ended.
SAME = ("trigger", "attempt", "attempts", "outcome", "exit_code", "exit_source", "signal", "host", "user", "cwd")


@pytest.fixture
def script(offduty):
    """Run Python code as a script of its own, in offduty's private folders: how it ended."""
    return lambda code, *words, **more: _script(offduty, code, *words, **more)


def _script(offduty, code, *words, prefix=(), name="job.py", **more):
    path = offduty.home / name
    path.write_text(textwrap.dedent(code))
    return offduty.started_with([*prefix, sys.executable, str(path), *words], **more)


def test_a_block_and_a_command_leave_the_same(offduty, script):
    """One way or the other: output, outcome, failure and warnings are the same, field by field."""
    body = """
        import warnings, logging, sys
        print("out"); print("err", file=sys.stderr)
        warnings.warn("old", FutureWarning)
        logging.getLogger("lib").error("went wrong")
        raise ValueError("bad day")
    """
    (offduty.home / "plain.py").write_text(textwrap.dedent(body))
    command = offduty.run("--name", "it", "--", sys.executable, offduty.home / "plain.py")
    block = script("import offduty\nwith offduty.run('it'):\n" + textwrap.indent(textwrap.dedent(body), "    "), name="block.py")
    one, other = offduty.records()
    assert {name: one[name] for name in SAME} == {name: other[name] for name in SAME}
    assert shape(one["summary"]) == shape(other["summary"])
    assert (command.out, command.code) == (block.out, block.code) == (b"out\n", 1)
    printed = set(job_lines(offduty.log(one))) - set(job_lines(offduty.log(other)))
    traceback = {b"Traceback (most recent call last):", b'    raise ValueError("bad day")', b"ValueError: bad day"}
    assert {line for line in printed if b"plain.py" not in line} == traceback
    assert one.keys() == other.keys()


def shape(summary):
    """A summary without what differs by the script's name and line."""
    text = json.dumps({**summary, "failure": {**summary["failure"], "tail": []}})
    return re.sub(r"(block|plain)\.py(\W+line\W+|:)\d+", "x.py", text)


def job_lines(log):
    """The job's lines in the order of the alphabet: its two streams have none between them."""
    return sorted(line[15:] for line in log.splitlines() if line[13:14] in b"|!")


def test_an_exception_passes_as_if_nothing_were_there(script):
    """The same object, with the same frames and no context added; so do StopIteration and exceptions that compare oddly."""
    done = script("""
        import offduty, traceback
        class Odd(Exception):
            def __eq__(self, other): raise AssertionError
            __hash__ = None
        for error in (KeyError("x"), StopIteration(3), Odd(), GeneratorExit()):
            try:
                with offduty.run("it", quiet=True):
                    raise error
            except BaseException as caught:
                assert caught is error and caught.__context__ is None and caught.__cause__ is None
                print([frame.name for frame in traceback.extract_tb(caught.__traceback__)])
    """)
    assert (done.out, done.err) == (b"['<module>']\n" * 4, b"")


@pytest.mark.parametrize(
    "statement, outcome, code, what",
    [
        ("sys.exit(0)", "succeeded", 0, None),
        ("sys.exit()", "succeeded", 0, None),
        ("sys.exit(3)", "failed", 3, "said nothing"),
        ("sys.exit('no data')", "failed", 1, "no data"),
        ("raise SystemExit('no data')", "failed", 1, "no data"),
        ("sys.exit(-1)", "failed", 255, "said nothing"),
        ("raise KeyboardInterrupt", "terminated", 130, "KeyboardInterrupt"),
        ("raise asyncio.CancelledError", "terminated", 130, "CancelledError"),
    ],
)
def test_leaving_the_block_has_the_exit_code_the_process_would_have(offduty, script, statement, outcome, code, what):
    """What `sys.exit` and Ctrl-C mean for a process they mean for the block; the process itself ends as it would have."""
    done = script(f"import offduty, sys, asyncio\nwith offduty.run('it'):\n    {statement}\n")
    record = offduty.record
    assert (record["outcome"], record["exit_code"], record["exit_source"]) == (outcome, code, "child")
    assert what is None or what in record["summary"]["what"]
    assert done.code in (code, -signal.SIGINT, 1)


def test_ctrl_c_reaches_the_job_and_not_the_books(offduty):
    """The whole group of a terminal gets the key; the summary is written all the same."""
    (offduty.home / "job.py").write_text(
        "import offduty, time\nwith offduty.run('it'):\n    open('up', 'w').write('x')\n    time.sleep(60)\n"
    )
    process = offduty.popen([sys.executable, "job.py"], start_new_session=True)
    offduty.wait_for_file(offduty.home / "up")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT and b"TERMINATED" in err
    assert offduty.record["outcome"] == "terminated"


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(3)", "ctypes.string_at(0)", "os.kill(os.getpid(), 15)", "os.execv('/bin/true', ['true'])"]
)
def test_a_process_that_ends_inside_the_block_is_recorded(offduty, script, end):
    """Killed, gone or crashed in the middle: `failed`, with the note that nobody knows how, and all that it had printed."""
    script(f"import offduty, os, ctypes\nwith offduty.run('it', quiet=True):\n    print('so far', flush=True)\n    {end}\n")
    offduty.wait_for(lambda: offduty.record["outcome"] != "running", "the end")
    record = offduty.record
    assert (record["outcome"], record["exit_source"]) == ("failed", "offduty")
    assert "inside the block" in str(record["summary"]["notes"])
    assert offduty.logged() == b"so far\n" or b"so far\n" in offduty.logged()
    offduty.wait_for(lambda: not offduty.processes(), "its end")


def test_everything_is_given_back(offduty, script):
    """After the block, failed or not: the same descriptors, the same `sys.stdout`, the same environment, no child, no thread."""
    done = script("""
        import offduty, os, sys, threading
        def state():
            there = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
            fds = {path: os.readlink(path) for path in there if os.path.lexists(path)}
            flags = [os.get_inheritable(fd) for fd in (0, 1, 2)]
            return fds, flags, id(sys.stdout), id(sys.stderr), dict(os.environ), threading.active_count()
        before = state()
        for number in range(3):
            try:
                with offduty.run("it", quiet=True):
                    print(number)
                    1 / number
            except ZeroDivisionError:
                pass
            assert state() == before, (state(), before)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no child")
    """)
    assert (done.out, done.err, done.code) == (b"0\n1\n2\nno child\n", b"", 0)
    assert [run["outcome"] for run in offduty.records()] == ["failed", "succeeded", "succeeded"]


def test_what_the_block_sets_stays(script):
    """A variable or a `sys.stdout` that the job itself puts there is its own."""
    done = script("""
        import offduty, io, os, sys
        real = sys.stdout
        sys.stdout = io.StringIO()
        with offduty.run("it"):
            print("captured")
            captured, sys.stdout = sys.stdout, real
            os.environ["PYTHONPATH"] = "/mine"
        assert sys.stdout is real and os.environ["PYTHONPATH"] == "/mine" and "OFFDUTY_RUN_ID" not in os.environ
        captured.write("later")
        print(captured.getvalue())
    """)
    assert (done.out, done.err) == (b"captured\nlater\n", b"")


def test_a_captured_stdout_is_copied_once(offduty, script):
    """Where `sys.stdout` is not descriptor 1, the text arrives where it did before, only there, and in the log."""
    done = script("""
        import contextlib, io, logging, offduty, os, sys
        with contextlib.redirect_stdout(io.StringIO()) as taken:
            with offduty.run("it"):
                print("text"); sys.stdout.writelines(["a\\n", "b\\n"]); os.write(1, b"direct\\n")
        print(repr(taken.getvalue()))
    """)
    assert done.out == b"direct\n'text\\na\\nb\\n'\n"
    assert sorted(offduty.logged().splitlines()) == [b"a", b"b", b"direct", b"text"]


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_stay_closed(offduty, closing):
    """A daemon's process may have none of the three; the log has the output all the same."""
    (offduty.home / "job.py").write_text(
        textwrap.dedent("""
        import offduty, os
        def there(): return [fd for fd in range(3) if os.path.exists(f"/proc/self/fd/{fd}")]
        before = there()
        with offduty.run("it"):
            os.write(1, b"out\\n"); os.write(2, b"err\\n")
        same = before == there()
        open("same", "w").write(str(same))
    """)
    )
    subprocess.run(["sh", "-c", f"{sys.executable} job.py {closing}"], cwd=offduty.home, env=offduty.env, timeout=20, capture_output=True)
    assert (offduty.home / "same").read_text() == "True"
    assert sorted(offduty.logged().splitlines()) == [b"err", b"out"]


def test_a_block_inside_offduty_run_adds_nothing(offduty):
    """It is supervised already: one record, one log; the block knows which."""
    (offduty.home / "job.py").write_text("import offduty\nwith offduty.run('inner') as run:\n    print(run.id, run.log)\n")
    done = offduty.run("--name", "outer", "--", sys.executable, "job.py")
    (record,) = offduty.records()
    assert record["job"] == "outer" and done.out.decode().split() == [record["id"], record["log"]]


def test_a_block_inside_a_block_adds_nothing(offduty, script):
    """Also in a worker process of it, forked or spawned, and in a program that it starts."""
    done = script("""
        import multiprocessing, offduty, subprocess, sys
        def work():
            with offduty.run("inner"):
                print("inner", flush=True)
        if __name__ == "__main__":
            with offduty.run("outer"):
                work()
                for method in ("fork", "spawn"):
                    worker = multiprocessing.get_context(method).Process(target=work)
                    worker.start(); worker.join()
                subprocess.run([sys.executable, "-c", "import offduty\\nwith offduty.run('i'): print('inner')"])
    """)
    assert done.out == b"inner\n" * 4
    assert [run["job"] for run in offduty.records()] == ["outer"]
    assert offduty.logged() == b"inner\n" * 4
    offduty.wait_for(lambda: not offduty.processes(), "the end of Python's own resource tracker")


def test_a_fork_that_leaves_the_block_does_not_end_the_run(offduty, script):
    """Only the process that began the block ends it."""
    script("""
        import offduty, os, sys, time
        with offduty.run("it", quiet=True):
            if os.fork() == 0:
                sys.exit(7)
            os.wait()
            time.sleep(0.3)
            print("still here")
    """)
    (record,) = offduty.records()
    assert (record["outcome"], record["exit_code"]) == ("succeeded", 0)
    assert b"still here" in offduty.logged()


def test_workers_that_outlive_the_block_go_on_printing(offduty, script):
    """A pool that is kept: what it prints after the block is on the screen, not in the log; afterwards nothing is left of us."""
    done = script("""
        import multiprocessing, offduty, sys
        def say(word):
            print(word, flush=True)
        if __name__ == "__main__":
            with offduty.run("it", quiet=True):
                pool = multiprocessing.get_context("fork").Pool(1)
                pool.apply(say, ["inside"])
            pool.apply(say, ["after"])
            with offduty.run("it", quiet=True):
                pool.apply(say, ["later"])
            pool.close(); pool.join()
    """)
    assert (done.out, done.err) == (b"inside\nafter\nlater\n", b"")
    assert [job_lines(offduty.log(run)) for run in offduty.records()] == [[b"inside"], []]
    offduty.wait_for(lambda: not offduty.processes(), "its end")


def test_blocks_in_threads_each_have_a_record(offduty, script):
    """The first has stdout and stderr, which are the process's; the other one says in a note where its output is, and what it raised."""
    done = script("""
        import offduty, os, threading
        both = threading.Barrier(2)
        def work(name):
            with offduty.run(name, quiet=True):
                both.wait()
                os.write(1, name.encode() + b"\\n")
                both.wait()
                if name == "second": raise KeyError("mine")
        threading.excepthook = lambda args: None
        first = threading.Thread(target=work, args=["first"]); first.start()
        while both.n_waiting == 0: pass
        second = threading.Thread(target=work, args=["second"]); second.start()
        first.join(); second.join()
        with offduty.run("third", quiet=True): print("third")
    """)
    first, second, third = sorted(offduty.records(), key=lambda run: run["job"])
    assert sorted(done.out.split()) == [b"first", b"second", b"third"]
    assert [run["outcome"] for run in (first, second, third)] == ["succeeded", "failed", "succeeded"]
    assert second["summary"]["what"].startswith("KeyError: 'mine'") and first["id"][-8:] in second["summary"]["notes"][0]
    assert sorted(job_lines(offduty.log(first))) == [b"first", b"second"] and job_lines(offduty.log(second)) == []
    assert job_lines(offduty.log(third)) == [b"third"]


@pytest.mark.parametrize("trouble", ["no executable", "no room"])
def test_where_offduty_cannot_start_the_job_runs_on(offduty, script, trouble):
    """One line on stderr with its code, even where warnings are errors; the block does not notice."""
    how = {"no executable": "sys.executable = '/nowhere/python'", "no room": "resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))"}[trouble]
    done = script(
        f"""
        import offduty, resource, sys
        import offduty.runs.inprocess, offduty_probe.start, offduty_probe.recorder
        {how}
        with offduty.run("it") as run:
            print("ran", repr(run.id))
        """,
        env={"PYTHONWARNINGS": "error"},
    )
    assert (done.out, done.code) == (b"ran ''\n", 0)
    assert re.fullmatch(rb"offduty: E806 job it: [^\n]+\n", done.err), done.err


def test_a_state_folder_that_cannot_be_written_costs_the_record_alone(offduty, script):
    """F31: the log goes where it would be without the setting."""
    (offduty.home / "state").write_text("a file")
    done = script("import offduty\nwith offduty.run('it') as run:\n    print(run.log)\n")
    assert done.code == 0 and b"E615" in done.err and b"Traceback" not in done.err
    assert os.path.exists(done.out.decode().strip())


def test_a_job_that_is_running_is_skipped(offduty, script):
    """F15: Busy E901 and a record `skipped`; the block's body does not run, and nothing is changed."""
    done = script("""
        import multiprocessing, offduty, os
        from offduty.errors import Busy
        if os.fork() == 0:
            with offduty.run("it", overlap="skip", quiet=True):
                open("up", "w").close()
                while not os.path.exists("go"): pass
            os._exit(0)
        while not os.path.exists("up"): pass
        try:
            with offduty.run("it", overlap="skip"):
                print("never")
        except Busy as error:
            print(error.code)
        open("go", "w").close(); os.wait()
        with offduty.run("it", overlap="skip", quiet=True):
            print("after")
    """)
    assert (done.out, done.err) == (b"E901\nafter\n", b"")
    assert sorted(run["outcome"] for run in offduty.records()) == ["skipped", "succeeded", "succeeded"]


def test_a_queued_block_waits_for_its_turn(offduty, monkeypatch, script):
    """As long as it takes, longer than a start may; and a block that is killed while it waits leaves nothing."""
    done = script("""
        import offduty, offduty.runs.beside, os, signal, time
        offduty.runs.beside.ANSWER_TIME = 0.3
        if os.fork() == 0:
            with offduty.run("it", overlap="queue", quiet=True):
                open("up", "w").close(); time.sleep(1); open("end", "w").close()
            os._exit(0)
        while not os.path.exists("up"): pass
        if (killed := os.fork()) == 0:
            with offduty.run("it", overlap="queue"):
                print("never")
        time.sleep(0.4); os.kill(killed, signal.SIGKILL)
        with offduty.run("it", overlap="queue", quiet=True):
            print(os.path.exists("end"))
        os.wait(); os.wait()
    """)
    assert (done.out, done.err) == (b"True\n", b"")
    assert [run["outcome"] for run in offduty.records()] == ["succeeded", "succeeded"]


def test_a_block_that_takes_too_long_is_overdue(offduty, script):
    """`max_duration` of a block notes; nobody can stop it from outside."""
    script("import offduty, time\nwith offduty.run('it', max_duration=0.1):\n    time.sleep(0.3)\n")
    assert offduty.record["outcome"] == "warned" and "overdue" in str(offduty.record["summary"]["notes"])


def test_the_folders_of_the_configuration_count(offduty, script):
    """`offduty status` in this folder has to find the block's run."""
    del offduty.env["OFFDUTY_STATE_DIR"]
    (offduty.home / "offduty.toml").write_text('[offduty]\nstate = "kept"\n')
    done = script("import offduty\nwith offduty.run('it') as run:\n    print(run.log)\n")
    assert done.out.decode().startswith(str(offduty.home / "kept"))


def test_a_module_of_the_job_does_not_stand_in_for_ours(offduty, script):
    """A folder full of `json.py`, `select.py` and `random.py` is the job's business."""
    for name in ("select", "signal", "zlib", "bisect"):
        (offduty.home / f"{name}.py").write_text("raise SystemExit('shadowed')")
    code = "import sys\nsys.path.pop(0)\nimport offduty\nwith offduty.run('it', quiet=True):\n    print('fine')\n"
    assert script(code).err == b""
    assert offduty.record["outcome"] == "succeeded"


# --- the decorator


def test_a_function_keeps_its_value_and_its_name(offduty, script):
    """Arguments in, value out, name and signature as they were; each call is a run."""
    done = script("""
        import inspect, offduty
        @offduty.job("it", quiet=True)
        def add(a, b=2):
            "Adds."
            return a + b
        print(add(1), add(1, b=5), add.__name__, add.__doc__, inspect.signature(add))
    """)
    assert done.out == b"3 6 add Adds. (a, b=2)\n"
    assert len(offduty.records()) == 2


def test_a_function_is_tried_again(offduty, script):
    """F18: attempts are counted, belong to one root, and the last exception is the one that passes."""
    done = script("""
        import offduty
        calls = []
        @offduty.job("it", retries=2, retry_delay=0)
        def work(good):
            calls.append(1)
            if len(calls) < good: raise ValueError(len(calls))
            return "done"
        print(work(3)); calls.clear()
        try: work(9)
        except ValueError as error: print(error)
    """)
    runs = offduty.records()
    assert done.out == b"done\n3\n"
    assert [(run["attempt"], run["attempts"], run["trigger"], run["outcome"]) for run in runs] == [
        (1, 3, "manual", "failed"), (2, 3, "retry", "failed"), (3, 3, "retry", "succeeded"),
        (1, 3, "manual", "failed"), (2, 3, "retry", "failed"), (3, 3, "retry", "failed"),
    ]  # fmt: skip
    assert [run["root_id"] for run in runs] == [runs[0]["id"]] * 3 + [runs[3]["id"]] * 3
    assert ["next attempt" in str(run["summary"]["notes"]) for run in runs] == [True, True, False, True, True, False]


def test_a_coroutine_is_supervised_while_it_runs(offduty, script):
    """Its body, not only the call that makes it; attempts as for any function."""
    done = script("""
        import asyncio, inspect, offduty
        calls = []
        @offduty.job("it", retries=1, retry_delay=0, quiet=True)
        async def work():
            await asyncio.sleep(0.05)
            calls.append(1)
            if len(calls) == 1: raise OSError("away")
            print("inside")
            return 5
        assert inspect.iscoroutinefunction(work)
        print(asyncio.run(work()))
    """)
    first, second = offduty.records()
    assert (done.out, done.err) == (b"inside\n5\n", b"")
    assert first["summary"]["what"].startswith("OSError: away") and second["duration_s"] >= 0.05
    assert offduty.logged() == b"inside\n"


@pytest.mark.parametrize(
    "code, error",
    [
        ("offduty.run('Not A Name')", "E104 \"Not A Name\" cannot name a job: a-z, 0-9, '.', '_' and '-', at most 100; try not-a-name"),
        ("offduty.job(print)", 'write @offduty.job("name")'),
        ("offduty.job('it')(lambda: (yield))", "E116 <lambda>: a generator cannot be supervised: its body does not run in the call; put"),
        ("offduty.run('it', overlap='maybe')", "E111"),
        ("offduty.run('it', max_duration='2 h')", "E102"),
        ("offduty.job('it', retries=-1)", "E103"),
    ],
)
def test_a_mistake_is_refused_where_it_is_made(code, error):
    """Before any block runs, with a code and a way out."""
    import offduty
    from offduty.errors import UsageError

    with pytest.raises(UsageError) as caught:
        eval(code, {"offduty": offduty})
    assert error in str(caught.value)


# --- inside other programs


def test_a_block_in_pytest(offduty):
    """pytest has put files in the place of stdout and `sys.stdout`: its capture sees everything once, and so does the log."""
    (offduty.home / "test_it.py").write_text(
        textwrap.dedent("""
        import offduty, os
        def test_sys(capsys):
            with offduty.run("it", quiet=True): print("text")
            assert capsys.readouterr().out == "text\\n"
        def test_fd(capfd):
            with offduty.run("it", quiet=True):
                print("text"); os.system("echo sub")
            assert sorted(capfd.readouterr().out.split()) == ["sub", "text"]
        def test_failing():
            with offduty.run("it", quiet=True): print("seen in the report"); assert 1 == 2
    """)
    )
    done = offduty.started_with([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_it.py"])
    assert b"1 failed, 2 passed" in done.out and done.out.count(b"seen in the report\n") == 1, done.out.decode()
    assert [run["outcome"] for run in offduty.records()] == ["succeeded", "succeeded", "failed"]
    assert [job_lines(offduty.log(run)) for run in offduty.records()] == [[b"text"], [b"sub", b"text"], [b"seen in the report"]]


def test_a_block_in_a_kernel(offduty):
    """In a notebook `sys.stdout` is no descriptor: cell outputs appear once, in order, and the log has them."""
    pytest.importorskip("nbclient")
    driver = """
        import nbclient, nbformat
        from nbformat.v4 import new_notebook, new_code_cell
        body = "print('one'); os.system('echo two'); print('three')"
        code = f"import offduty, os\\nwith offduty.run('it', quiet=True):\\n {body}\\nprint('after')"
        notebook = new_notebook(cells=[new_code_cell(code)])
        nbclient.NotebookClient(notebook).execute()
        open("seen", "w").write("".join(out["text"] for out in notebook.cells[0].outputs))
    """
    _script(offduty, driver, stderr=subprocess.DEVNULL)
    seen = (offduty.home / "seen").read_text().split()
    assert sorted(seen) == ["after", "one", "three", "two"] and [word for word in seen if word != "two"] == ["one", "three", "after"]
    assert job_lines(offduty.log()) == [b"one", b"three", b"two"]
    offduty.wait_for(lambda: not offduty.processes(), "the kernel's end")


def test_the_death_of_our_process_is_no_end_of_the_job(untidy_offduty):
    """If somebody kills the process beside the block: to print there is to print into nothing, else all goes on, and the run is lost."""
    done = _script(
        untidy_offduty,
        """
        import offduty, os, signal, subprocess, time
        with offduty.run("it"):
            (beside,) = open(f"/proc/self/task/{os.getpid()}/children").read().split()
            spool = os.environ["OFFDUTY_STATE_DIR"] + "/spool"
            while not os.path.exists(spool) or not os.listdir(spool): pass
            time.sleep(0.1)
            os.kill(int(beside), signal.SIGKILL)
            time.sleep(0.1)
            try: print("into nothing", flush=True)
            except BrokenPipeError: pass
        print("goes on")
        """,
    )
    assert done.out.endswith(b"goes on\n") and done.err == b"" and done.code == 0
    listed = untidy_offduty.started_with([sys.executable, "-m", "offduty", "runs", "--json"])
    assert json.loads(listed.out)["runs"][0]["outcome"] == "lost"


def test_the_examples_of_the_page_run(script):
    """docs/how-to/in-process.md: each example as it stands there."""
    page = Path(__file__).resolve().parents[2] / "docs/how-to/in-process.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(examples) == 3
    assert [script(example).code for example in examples] == [0, 0, 0]
