"""Jobs that are notebooks: real kernels, real failures, and what remains of them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def notebook(offduty):
    """Run cells as the job `it` of a configuration, with further lines of its table: how it ended."""
    yield lambda *cells, **more: offduty.run("it", cwd=_write(offduty, cells, **more))
    assert sorted(path.name for path in offduty.home.iterdir() if path.is_socket()) == []


def _write(offduty, cells, table="", tagged=None, **metadata):
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=metadata)
    if tagged is not None:
        notebook.cells[tagged].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, offduty.home / "it.ipynb")
    (offduty.home / "offduty.toml").write_text(f'[job.it]\nnotebook = "it.ipynb"\n{table}\n')
    return offduty.home


def executed(offduty):
    """The executed copy, which lies beside the log for its owner alone."""
    copy = Path(offduty.record["log"]).with_suffix(".ipynb")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    return nbformat.read(copy, as_version=4)


def texts(cell):
    """What a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


def test_output_comes_live_and_in_order(offduty):
    """As with any job: each line when it is printed, on its own stream; results as text; the notebook itself stays as it is."""
    cells = ["import sys, time\nprint('one', flush=True)\ntime.sleep(1.5)", "print('two', file=sys.stderr)", "6 * 7"]
    process = offduty.start("it", cwd=_write(offduty, cells))
    before = (offduty.home / "it.ipynb").read_bytes()
    first = b"".join(process.stdout.readline() for _ in range(2))
    assert process.poll() is None and first == b"[1/3] import sys, time\none\n"
    out, err = process.communicate(timeout=20)
    assert (out, err) == (b"[2/3] print('two', file=sys.stderr)\n[3/3] 6 * 7\n42\n", b"two\n")
    assert (offduty.home / "it.ipynb").read_bytes() == before
    assert executed(offduty).cells[2].outputs[0]["data"]["text/plain"] == "42"


def test_the_failing_cell_is_named(notebook, offduty):
    """In the summary, in `--json`, in the notes; the copy has its error and nothing of the cells that did not run."""
    failing = "def f(x):\n    raise ValueError('bad cell')\nf(1)"
    done = notebook("", "print('one')", failing, "print('never')", table='max_duration = "1 h"')
    shown = json.loads(offduty.started_with([sys.executable, "-m", "offduty", "runs", "show", "--json", offduty.record["id"]]).out)
    failure = (shown.get("run") or shown)["summary"]["failure"]
    assert done.code == 1 and b"never" not in done.out
    assert failure["where"] == "it.ipynb cell 2:2 in f" and failure["type"] == "ValueError" and failure["source"] == "probe"
    assert failure["chain"][0]["notes"] == ["failed in cell 2 of it.ipynb: def f(x):"]
    assert "ValueError: bad cell  (it.ipynb cell 2:2 in f)" in done.err.decode()
    copy = executed(offduty)
    assert [texts(cell) for cell in copy.cells] == ["", "one\n", "", ""] and copy.cells[2].outputs[0]["ename"] == "ValueError"


def test_a_failure_in_a_module_is_named_there(notebook, offduty):
    """The deepest frame of the job's own, be it in a cell or in a file beside the notebook."""
    (offduty.home / "features.py").write_text("def make(x):\n    return x['region']\n")
    notebook("import features", "features.make({})")
    assert offduty.record["summary"]["what"] == "KeyError: region  (features.py:2 in make)".replace("region", "'region'")


def test_parameters_of_every_kind(notebook, offduty):
    """Text with quotes and newlines, numbers, booleans, lists, tables: behind the tagged cell, whose defaults they replace."""
    table = """parameters = { a = "te'x\\"t\\n", b = 1.5, c = true, d = [1, "x", []], e = 7, f = { g = false } }"""
    done = notebook("# old", "a = b = c = d = e = f = h = None", "print(repr((a, b, c, d, e, f, h)))", table=table, tagged=1)
    expected = repr(("te'x\"t\n", 1.5, True, [1, "x", []], 7, {"g": False}, None))
    assert expected in done.out.decode(), done
    assert executed(offduty).cells[2].metadata["tags"] == ["injected-parameters"]


@pytest.mark.parametrize(
    "cell, code, outcome",
    [("import sys; sys.exit(0)", 0, "succeeded"), ("import sys; sys.exit(3)", 3, "failed"), ("import os; os._exit(5)", 1, "failed")],
)
def test_leaving_a_cell_is_leaving_the_notebook(notebook, offduty, cell, code, outcome):
    """`sys.exit` as in a script; a kernel that dies is a failure of its cell."""
    done = notebook("print('first')", cell, "print('never')")
    assert (done.code, offduty.record["outcome"]) == (code, outcome) and b"\nnever\n" not in done.out
    if "_exit" in cell:
        assert offduty.record["summary"]["what"] == "DeadKernelError: the kernel died  (it.ipynb cell 2)"


def test_what_cannot_run_is_said_in_one_line(notebook, offduty):
    """An unknown kernel, a file that is no notebook: a code, the reason, what to do; never a traceback."""
    done = notebook("1", kernelspec={"name": "nosuch", "display_name": "No", "language": "x"})
    assert (done.code, done.err.splitlines()[0]) == (
        69,
        f'offduty: E703 {offduty.home}/it.ipynb: the kernel "nosuch" is not installed; '
        "install it (python3: pip install ipykernel), or choose another in the notebook".encode(),
    )
    (offduty.home / "it.ipynb").write_text("hello")
    done = offduty.run("it", cwd=offduty.home)
    assert done.code == 65 and done.err.startswith(f"offduty: E702 {offduty.home}/it.ipynb: is not a notebook: ".encode())
    assert b"Traceback" not in done.err + offduty.log()


def test_the_extra_is_missing(offduty):
    """Without site-packages there is no nbclient: one line with what to install, exit status 69."""
    code = f"import sys; sys.path.append({str(SOURCE)!r}); from offduty.runs.notebook import main; main()"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, "x.ipynb"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == "offduty: E701 notebooks need an extra: nbclient is not installed; pip install 'offduty[notebook]'\n"


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "max_duration"])
def test_a_notebook_that_is_stopped(offduty, how):
    """F04, F06: the cell is interrupted and may clean up; the copy is kept; kernel, sockets and folders are gone."""
    cell = "import time; open('up', 'w').write('x')\ntry:\n    while True: time.sleep(0.01)\nfinally:\n    print('cleaned up', flush=True)"
    table = 'max_duration = "6 s"\nkill_after = "0 s"' if how == "max_duration" else ""
    process = offduty.start("it", cwd=_write(offduty, ["print('first')", cell], table), env={"TMPDIR": str(offduty.home)})
    offduty.wait_for_file(offduty.home / "up")
    if how != "max_duration":
        process.send_signal(getattr(signal, how))
    out, err = process.communicate(timeout=20)
    assert b"cleaned up" in out and b"stopped by SIG" in err and b"in cell 2 of it.ipynb" in err
    expected = {"SIGTERM": (143, "terminated"), "SIGINT": (130, "terminated"), "max_duration": (124, "timed_out")}[how]
    assert (process.returncode, offduty.record["outcome"]) == expected
    assert texts(executed(offduty).cells[0]) == "first\n" and "cleaned up" in texts(executed(offduty).cells[1])
    assert offduty.processes() == {} and list(offduty.home.glob("offduty-*")) == []


def test_a_cell_that_will_not_stop_is_killed(offduty):
    """It ignores the interrupt: three seconds later its kernel is gone, and so are the processes it has started."""
    start = "import signal, subprocess\nsignal.signal(2, signal.SIG_IGN)\nsubprocess.Popen(['sleep', '99'])"
    cell = f"{start}\nopen('up', 'w').write('x')\nwhile True: pass"
    process = offduty.start("it", cwd=_write(offduty, [cell]))
    offduty.wait_for_file(offduty.home / "up")
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143 and offduty.processes() == {}


def test_two_runs_of_one_notebook_do_not_meet(offduty):
    """At the same time, in the same folder: each has its own kernel and copy."""
    folder = _write(offduty, ["import os, time; time.sleep(0.5); print(os.environ['OFFDUTY_RUN_ID'])"], 'overlap = "allow"')
    started = [offduty.start("it", cwd=folder) for _ in range(2)]
    outs = [process.communicate(timeout=20)[0].split()[-1].decode() for process in started]
    assert sorted(outs) == sorted(run["id"] for run in offduty.records())
    assert {os.path.exists(run["log"].replace(".log", ".ipynb")) for run in offduty.records()} == {True}
