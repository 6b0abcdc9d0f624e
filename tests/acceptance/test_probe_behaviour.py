"""The probe changes nothing: what a job prints and how it exits are the same bytes with and without it, on every Python found here."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipapp
from pathlib import Path

import msgspec
import pytest

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
NEVER_TWICE = re.compile(rb"0x[0-9a-f]{6,}|refcount : \d+")  # memory addresses, and the count in a dump of what a closed stderr lost


@functools.cache
def interpreters() -> dict[str, str]:
    """Version like "3.11" -> executable: this one, what is on PATH, and what pyenv has."""
    candidates = [shutil.which(f"python{version}") for version in ("2.7", "3.6", *(f"3.{n}" for n in range(8, 14)))]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
        candidates += [str(python) for python in Path(root).glob("versions/*/bin/python")]
    versions = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for candidate in filter(None, candidates):
        asked = subprocess.run([candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
        if asked.returncode == 0:
            versions.setdefault(asked.stdout.strip(), candidate)
    return versions


PYTHONS = sorted(version for version in interpreters() if version.startswith("3.") and 8 <= int(version[2:]) <= 13)

OLDEST_USUAL_NEWEST = {PYTHONS[0], "3.11", PYTHONS[-1]}
# name: (what the probe has to record beside its hello, the script)
SCRIPTS = {
    "nothing": ("", "print('hello')"),
    "uncaught": ("exception", "def f():\n    1 / 0\nf()"),
    "nested": (
        "exception",
        """
try:
    {}['a']
except KeyError as e:
    try:
        [][1]
    except IndexError:
        raise ValueError('x') from e""",
    ),
    "hidden_context": ("exception", "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('x') from None"),
    "group": (
        "exception",
        """
import builtins
Group = getattr(builtins, 'ExceptionGroup', RuntimeError)
raise Group('two', [ValueError('a'), KeyError('b')])""",
    ),
    "notes": ("exception", "e = ValueError('a')\ne.__notes__ = ['look here', 3]\nraise e"),
    "unprintable": ("exception", "class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd"),
    "recursion": ("exception", "def f(): f()\nf()"),
    "cycle": ("exception", "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a"),
    "syntax": ("exception", "import broken"),
    "not_utf8": ("exception", "raise ValueError('\\udcff\\ud800 \\x1b[31m')"),
    "exit_int": ("exit", "import sys\nsys.exit(7)"),
    "exit_text": ("exit", "import sys\nsys.exit('no input: feed.csv')"),
    "exit_none": ("exit", "import sys\nsys.exit()"),
    "exit_object": ("exit", "import sys\nsys.exit(['a', 1])"),
    "exit_huge": ("exit", "import sys\nsys.exit(10 ** 30)"),
    "exit_wrongly": ("exit exception", "import sys\nsys.exit(1, 2)"),
    "exit_caught": (
        "exit",
        """
import sys, traceback
try:
    sys.exit(3)
except SystemExit:
    traceback.print_exc()
print(sys.exit, sys.exit.__name__)""",
    ),
    "exit_as_attribute": ("exit", "import sys\nclass App:\n    exit = sys.exit\nApp().exit(4)"),
    "exit_from_signal": (
        "exit",
        """
import signal, sys, os
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
os.kill(os.getpid(), signal.SIGTERM)
while True: pass""",
    ),
    "os_exit": ("", "import os\nprint('lost', flush=True)\nos._exit(9)"),
    "ctrl_c": ("exception", "raise KeyboardInterrupt"),
    "exit_in_thread": (
        "exit",
        """
import sys, threading
t = threading.Thread(target=sys.exit, args=('quiet',))
t.start()
t.join()""",
    ),
    "error_in_thread": (
        "exception",
        """
import threading
t = threading.Thread(target=lambda: 1 / 0, name='feed')
t.start()
t.join()""",
    ),
    "error_in_del": ("", "class A:\n    def __del__(self): 1 / 0\nA()"),
    "error_at_exit": ("", "import atexit\natexit.register(lambda: 1 / 0)"),
    "own_hook": ("exception", "import sys\nsys.excepthook = lambda *a: print('mine', a[1])\n1 / 0"),
    "own_hook_chained": ("exception", "import sys\nsys.excepthook = lambda *a: (print('mine'), sys.__excepthook__(*a))\n1 / 0"),
    "hook_untouched": ("", "import sys, threading\nprint(sys.excepthook is sys.__excepthook__)"),
    "warning": ("warning", "import warnings\nfor _ in range(3):\n    warnings.warn('old', FutureWarning)\nprint(1)"),
    "warning_stack": (
        "warning",
        """
import sys, traceback, warnings
def show(*a, **k): traceback.print_stack(); print(a[0])
warnings.showwarning = show
warnings.warn('w')""",
    ),
    "warning_caught": (
        "",
        """
import warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.warn('w')
print(len(seen))""",
    ),
    "logging": ("log", "import logging\nlogging.getLogger('a').warning('no handlers %s', 1)\nlogging.getLogger('a').info('unseen')"),
    "logging_stack": ("log", "import logging\nlogging.basicConfig()\ndef f(): logging.error('where %s', 'here', stack_info=True)\nf()"),
    "logging_wrongly": (
        "log",
        "import logging\nlogging.basicConfig(format='%(pathname)s:%(lineno)d %(message)s')\nlogging.error('%d %d', 1)",
    ),
    "logging_depth": (
        "log",
        """
import logging, sys
class H(logging.Handler):
    def emit(self, record): print(sys._getframe(6).f_lineno, record.getMessage())
logging.getLogger().addHandler(H())
logging.getLogger('x').warning('six frames up')""",
    ),
    "asyncio_task": (
        "log",
        """
import asyncio
async def bad(): 1 / 0
async def main():
    asyncio.ensure_future(bad())
    await asyncio.sleep(0)
asyncio.run(main())""",
    ),
    "capture_warnings": ("warning", "import logging, warnings\nlogging.basicConfig()\nlogging.captureWarnings(True)\nwarnings.warn('w')"),
    "closed_descriptors": (
        "log",
        """
import logging, os
os.closerange(3, 5000)
files = [open('f%d' % n, 'w+b') for n in range(1100)]
logging.warning('x')
print(sum(os.fstat(f.fileno()).st_size for f in files))""",
    ),
    "replaced_stderr": ("exception", "import sys, io\nsys.stderr = io.StringIO()\n1 / 0"),
    "closed_stderr": ("exception", "import sys\nsys.stderr.close()\n1 / 0"),
    "worker": (
        "exception",
        """
import multiprocessing
def f(): raise ValueError('in a worker')
if __name__ == '__main__':
    p = multiprocessing.get_context('fork').Process(target=f)
    p.start()
    p.join()
    print(p.exitcode)""",
    ),
    "the_path": ("", "import sys, os\nprint(sys.path, 'sitecustomize' in sys.modules)"),
    "segfault": (
        "",
        """
import faulthandler, resource, os
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
faulthandler.enable()
os.kill(os.getpid(), 11)""",
    ),
}

# What depends little on the version of Python is tried with three of them only.
THREE_WILL_DO = {
    "nothing",
    "hidden_context",
    "notes",
    "unprintable",
    "not_utf8",
    "exit_int",
    "exit_none",
    "exit_huge",
    "exit_wrongly",
    "own_hook",
}
THREE_WILL_DO |= {
    "exit_as_attribute",
    "exit_from_signal",
    "hook_untouched",
    "warning_caught",
    "logging_wrongly",
    "capture_warnings",
    "asyncio_task",
}
TRIED = [(python, name) for python in PYTHONS for name in SCRIPTS if python in OLDEST_USUAL_NEWEST or name not in THREE_WILL_DO]


def outcome(python: str, arguments: list[str], folder: Path, env: dict[str, str], text: str = "") -> tuple[int, bytes, bytes]:
    """Exit status, stdout and stderr, with what no two runs share blanked out."""
    done = subprocess.run(
        [interpreters()[python], *arguments], cwd=folder, env=PLAIN | env, input=text.encode(), capture_output=True, timeout=60
    )
    return done.returncode, NEVER_TWICE.sub(b"", done.stdout), NEVER_TWICE.sub(b"", done.stderr)


def compare(
    python: str, arguments: list[str], folder: Path, *, env: dict[str, str] | None = None, text: str = ""
) -> list[dict[str, object]]:
    """Run with and without the probe in the same folder, require the same outcome, give the events."""
    env = env or {}
    events = folder.parent / f"{folder.name}.events"
    path = os.pathsep.join(filter(None, [str(PATH), env.get("PYTHONPATH")]))
    probe = {"PYTHONPATH": path, "OFFDUTY_EVENTS": str(events), "OFFDUTY_TOKEN": "secret-token"}
    without = outcome(python, arguments, folder, env, text)
    assert outcome(python, arguments, folder, env | probe, text) == without
    lines = [msgspec.json.decode(line) for line in events.read_bytes().splitlines()] if events.exists() else []
    assert [line for line in lines if line["kind"] == "problem" or line["token"] != "secret-token"] == []
    return lines


def kinds(events: list[dict[str, object]]) -> list[object]:
    """Each kind once, in order of appearance; what the scripts do with files, and what they import, has tests of its own."""
    return list(dict.fromkeys(event["kind"] for event in events if event["kind"] not in ("begin", "transaction", "modules")))


@pytest.mark.parametrize("python, name", TRIED)
def test_a_job_behaves_the_same_with_the_probe(python: str, name: str, tmp_path: Path) -> None:
    """INV-1: stdout, stderr and exit code are the same bytes; what there is to record was recorded, and no problem of ours."""
    expected, script = SCRIPTS[name]
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "script.py").write_text(script.lstrip() + "\n")
    (folder / "broken.py").write_text("def f(:\n")
    assert kinds(compare(python, ["script.py"], folder)) == ["hello", *expected.split()]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_way_to_start_a_script_is_the_same(python: str, tmp_path: Path) -> None:
    """INV-1: `-m`, `-c`, a zipapp, stdin, `-W error`, `-i`-less `-O`, a broken command line: the same bytes."""
    folder = tmp_path / "job"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "__main__.py").write_text("import sys\nprint(sys.path[1:], __name__)\n1 / 0\n")
    zipapp.create_archive(folder / "package", folder / "app.pyz")
    warn = "import warnings\nwarnings.warn('x')\n"
    for arguments, text in [
        (["-m", "package"], ""),
        (["app.pyz"], ""),
        (["-c", "raise ValueError"], ""),
        (["-"], "print(1)\nraise ValueError\n"),
        (["-W", "error", "-c", warn], ""),
        (["-O", "-c", "raise SystemExit('bye')"], ""),
        (["-m", "no_such_module"], ""),
        (["no_such_file.py"], ""),
        (["-X", "dev", "-c", "open('package/__main__.py')"], ""),
    ]:
        compare(python, arguments, folder, text=text)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "own", ["print('mine')", "1 / 0", "import no_such_module", "import sys; sys.exit(3)", "raise ImportError('x', name='y')"]
)
def test_the_hidden_sitecustomize_runs(python: str, own: str, tmp_path: Path) -> None:
    """INV-1: a job's own `sitecustomize` is run, and its errors treated, as Python would; it is the one in `sys.modules`."""
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(own)
    code = "import sys; print(getattr(sys.modules.get('sitecustomize'), '__file__', None))\n"
    code += "try: import sitecustomize\nexcept Exception as e: print(e)"
    env = {"PYTHONPATH": str(folder)}
    if "exit" in own:  # ends Python before it is up; its traceback shows who imported what
        probed = env | {"PYTHONPATH": f"{PATH}:{folder}", "OFFDUTY_EVENTS": str(tmp_path / "e"), "OFFDUTY_TOKEN": "t"}
        assert outcome(python, ["-c", code], folder, env)[0] == outcome(python, ["-c", code], folder, probed)[0]
    else:
        compare(python, ["-c", code], folder, env=env)


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_a_python_too_old_only_hands_over(version: str, tmp_path: Path) -> None:
    """INV-1: under Python 2.7 and 3.6 the job starts as ever, with its own `sitecustomize`, and nothing is recorded."""
    if version not in interpreters():
        pytest.skip(f"no Python {version} here")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "sitecustomize.py").write_text("print('mine')")
    assert compare(version, ["-c", "import sys; print(sys.path); 1 / 0"], tmp_path / "job", env={"PYTHONPATH": "."}) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_an_import_that_fails_shows_no_frame_of_ours(python: str, tmp_path: Path) -> None:
    """INV-1: the traceback of a failing import of a watched module is the same with the import hook in between."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "loguru").mkdir()
    (tmp_path / "job" / "loguru" / "__init__.py").write_text("from . import _handler")
    (tmp_path / "job" / "loguru" / "_handler.py").write_text("import warnings\nwarnings.warn('w', stacklevel=2)\n1 / 0")
    (tmp_path / "job" / "script.py").write_text("import loguru")
    assert kinds(compare(python, ["script.py"], tmp_path / "job")) == ["hello", "warning", "exception"]


@pytest.mark.parametrize("limit", ["nofile=16", "fsize=0", "as=300000000"])
def test_a_job_short_of_something_is_not_harmed(limit: str, tmp_path: Path) -> None:
    """F26, F30: few descriptors, no room for events, little memory: the job ends as without the probe."""
    if not (prlimit := shutil.which("prlimit")):
        pytest.skip("no prlimit here")
    script = textwrap.dedent("""
        import logging, os
        logging.warning("x")
        files = []
        try:
            while len(files) < 100: files.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        raise ValueError("at the end")
    """)
    (tmp_path / "script.py").write_text(script)
    probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t"}
    command = [prlimit, f"--{limit}", "--", sys.executable, "script.py"]
    runs = [subprocess.run(command, cwd=tmp_path, env=PLAIN | env, capture_output=True, timeout=30) for env in ({}, probe)]
    assert runs[0].returncode == runs[1].returncode == 1
    assert runs[0].stderr == runs[1].stderr
    recorded = kinds([msgspec.json.decode(line) for line in (tmp_path / "events").read_bytes().splitlines()])
    assert recorded == ([] if limit == "fsize=0" else ["hello", "log", "exception"])
