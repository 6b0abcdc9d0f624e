"""What Python prints when it fails, read back: real interpreters where they can make the text, small made texts where they cannot."""

# ruff: noqa: E501 (the tables show output as it is printed)

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from offduty.runs.failure import find_failure

SCRIPTS = {
    "plain": (
        "def features(df):\n    return df['region']\n\n\ndef main():\n    features({})\n\n\nmain()\n",
        ("KeyError", "'region'", "job.py:2 in features", []),
    ),
    "at module level": ("print('hello')\n1 / 0\n", ("ZeroDivisionError", "division by zero", "job.py:2", [])),
    "library frames are not own": (
        "import json\n\n\ndef load():\n    return json.loads('{')\n\n\nload()\n",
        (
            "json.decoder.JSONDecodeError",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            "job.py:5 in load",
            [],
        ),
    ),
    "explicit cause": (
        "def low():\n    raise OSError('disk gone')\n\n\ntry:\n    low()\nexcept OSError as e:\n    raise RuntimeError('no features') from e\n",
        ("OSError", "disk gone", "job.py:2 in low", ["cause"]),
    ),
    "context is not the reason": (
        "CACHE = {}\ntry:\n    CACHE['x']\nexcept KeyError:\n    raise FileNotFoundError('sales.csv')\n",
        ("FileNotFoundError", "sales.csv", "job.py:5", ["context"]),
    ),
    "a cause that says nothing": (
        "class Cancelled(Exception):\n    pass\n\n\ntry:\n    raise Cancelled()\nexcept Cancelled as e:\n    raise TimeoutError('too slow') from e\n",
        ("TimeoutError", "too slow", "job.py:8", ["cause"]),
    ),
    "message of several lines": (
        "raise ValueError('columns differ:\\n- promo\\n- price')\n",
        ("ValueError", "columns differ:\n- promo\n- price", "job.py:1", []),
    ),
    "no message": ("raise NotImplementedError\n", ("NotImplementedError", None, "job.py:1", [])),
    "syntax error": ("x = (1,\ny = 2 3\n", ("SyntaxError", None, None, [])),
    "no module": ("import surely_not_here\n", ("ModuleNotFoundError", "No module named 'surely_not_here'", "job.py:1", [])),
    "assertion": ("assert 1 == 2, 'rows: 0'\n", ("AssertionError", "rows: 0", "job.py:1", [])),
    "class in a function": (
        "def f():\n    class Bad(Exception):\n        pass\n    raise Bad('x')\n\n\nf()\n",
        ("f.<locals>.Bad", "x", "job.py:4 in f", []),
    ),
    "recursion": ("def f(n):\n    return f(n + 1)\n\n\nf(0)\n", ("RecursionError", None, "job.py:2 in f", [])),
    "in a worker": (
        (
            "import multiprocessing\n\n\ndef work(i):\n    return 10 // i\n\n\nif __name__ == '__main__':\n"
            "    with multiprocessing.Pool(2) as pool:\n        pool.map(work, [2, 1, 0])\n"
        ),
        ("ZeroDivisionError", "integer division or modulo by zero", "job.py:5 in work", ["cause"]),
    ),
    "group": (
        (
            "def low():\n    raise OSError('feed 2 gone')\n\n\ntry:\n    low()\nexcept OSError as e:\n"
            "    raise ExceptionGroup('3 feeds', [e, ValueError('feed 3 empty')])\n"
        ),
        ("OSError", "feed 2 gone", "job.py:2 in low", ["group", "group", "context"]),
    ),
    "thread first, then main": (
        "import threading\n\n\ndef side():\n    raise ValueError('side')\n\n\nt = threading.Thread(target=side)\nt.start()\nt.join()\nraise KeyError('main')\n",
        ("KeyError", "'main'", "job.py:11", []),
    ),
    "logged, then another": (
        "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('ignored')\nraise OSError('the real one')\n",
        ("OSError", "the real one", "job.py:6", []),
    ),
    "logged only": (
        (
            "import logging, sys\nlogging.basicConfig(format='%(asctime)s %(levelname)s %(name)s: %(message)s')\n"
            "try:\n    open('/nowhere/sales.csv')\nexcept OSError:\n    logging.exception('no sales')\n    sys.exit(1)\n"
        ),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/nowhere/sales.csv'", "job.py:4", []),
    ),
}


def said(output, cwd="", **more):
    """(type, message, where, links) of the failure found in `output`."""
    found = find_failure(outcome="failed", exit_code=1, tail=output.encode() if isinstance(output, str) else output, cwd=str(cwd), **more)
    return (found.type, found.message, found.where, [cause.link for cause in found.chain[1:]])


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_real_traceback_gives_type_message_and_the_deepest_own_place(name, tmp_path):
    """What a support engineer reads first must be right for whatever Python prints."""
    script, expected = SCRIPTS[name]
    (tmp_path / "job.py").write_text(script)
    output = subprocess.run([sys.executable, tmp_path / "job.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path).stdout
    found = said(output, tmp_path)
    pairs = [(one, other) for one, other in zip(found, expected, strict=True) if other is not None]
    assert [one for one, _ in pairs] == [other for _, other in pairs], output.decode()


def test_a_native_crash_is_placed_by_faulthandler(tmp_path):
    """F02: SIGSEGV leaves no exception; faulthandler's frames say where."""
    (tmp_path / "job.py").write_text(
        "import ctypes, faulthandler\nfaulthandler.enable()\n\n\ndef native():\n    ctypes.string_at(0)\n\n\nnative()\n"
    )
    output = subprocess.run([sys.executable, tmp_path / "job.py"], stderr=subprocess.PIPE, cwd=tmp_path).stderr
    found = find_failure(outcome="failed", exit_code=139, signal=11, tail=output, cwd=str(tmp_path))
    assert (found.kind, found.type, found.where) == ("signal", "SIGSEGV", "job.py:6 in native")
    assert found.message == "killed by signal 11 (SIGSEGV): Fatal Python error: Segmentation fault"


@pytest.mark.parametrize("width", [40, 60, 90, 200])
def test_rich_boxes_are_read(tmp_path, width):
    """rich.traceback.install() is one line in many jobs, and what Python would have printed is gone; long paths are wrapped in the box."""
    script = f"from rich.traceback import install\ninstall(width={width})\n\n\ndef load(path):\n    return {{}}[path]\n\n\nload('sales')\n"
    (tmp_path / "job.py").write_text(script)
    output = subprocess.run([sys.executable, "job.py"], stderr=subprocess.PIPE, cwd=tmp_path).stderr
    assert "╭" in output.decode()
    assert said(output, tmp_path)[:2] == ("KeyError", "'sales'")
    assert said(output, tmp_path)[2].endswith("job.py:6 in load")


def test_ipython_prints_its_own_form(tmp_path):
    """Notebooks and `ipython job.ipy`: the type stands first, the frames have no `line N, in f`."""
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--colors=Linux",
        "--profile-dir",
        str(tmp_path),
        "-c",
        "def f(d):\n    return d['region']\nf({})",
    ]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path).stdout
    assert said(output)[:2] == ("KeyError", "'region'"), output.decode()
    assert ":2 in f" in said(output)[2]


PLAIN = """
Traceback (most recent call last):
  File "/srv/app/forecast.py", line 120, in <module>
    main()
  File "/srv/app/forecast.py", line 88, in features
    return df["region"]
           ~~^^^^^^^^^^
  File "/opt/venv/lib/python3.11/site-packages/pandas/core/frame.py", line 4102, in __getitem__
    indexer = self.columns.get_loc(key)
KeyError: 'region'
"""

DECORATIONS = {
    "none": "{}",
    "stderr mark": "[stderr] {}",
    "docker compose": "worker-1  | {}",
    "docker timestamps": "2024-01-01T06:00:00.123456789Z {}",
    "kubernetes file": "2024-01-01T06:00:00.123456789Z stderr F {}",
    "kubectl prefix": "[pod/forecast-28/main] {}",
    "airflow": "[2024-11-14, 08:23:53 EST] {{pod_manager.py:367}} INFO - {}",
    "brackets and level": "[2024-01-01 06:00:00,123] [ERROR] {}",
    "time only": "06:00:01.377 {}",
    "indented": "    {}",
    "colours": "\x1b[31m{}\x1b[0m",
    "carriage return": "{}\r",
    "a program of its own": "forecast-scheduler:  {}",
    "loguru": "2024-01-01 06:00:00.000 | ERROR    | {}",
}


@pytest.mark.parametrize("decoration", DECORATIONS.values(), ids=DECORATIONS)
def test_what_stands_in_front_of_every_line_is_seen_through(decoration):
    """Containers and loggers decorate each line, and the lines must still be a traceback."""
    output = "\n".join(decoration.format(line) for line in ("starting", *PLAIN.strip().splitlines(), ""))
    assert said(output, "/srv/app") == ("KeyError", "'region'", "forecast.py:88 in features", [])


def test_a_time_that_moves_on_is_still_a_prefix():
    """Ten lines of a traceback are not printed in the same millisecond, nor does 99 have as many digits as 100."""
    output = "\n".join(f"job[{95 + i}] 06:00:0{i}.{i}: {line}" for i, line in enumerate(PLAIN.strip().splitlines()))
    assert said(output, "/srv/app")[:3] == ("KeyError", "'region'", "forecast.py:88 in features")


def test_a_logger_decorates_the_first_line_only():
    """`2024-01-01 06:00:00 ERROR worker: Traceback …` and then bare lines."""
    output = "2024-01-01 06:00:00 ERROR worker: " + PLAIN.strip()
    assert said(output, "/srv/app")[:3] == ("KeyError", "'region'", "forecast.py:88 in features")


def test_another_threads_log_line_in_between_is_passed_over():
    """Several threads write to one stderr."""
    lines = PLAIN.strip().splitlines()
    output = "\n".join([*lines[:5], "2024-01-01 06:00:00,123 INFO heartbeat: alive", *lines[5:]])
    assert said(output, "/srv/app")[:3] == ("KeyError", "'region'", "forecast.py:88 in features")


PLACES = {
    "below the folder it runs in": ("/srv/app/pkg/forecast.py", "/srv/app", "pkg/forecast.py:7"),
    "elsewhere": ("/home/x/forecast.py", "/srv/app", "forecast.py:7"),
    "a name that says nothing": ("/home/x/pkg/__init__.py", "/srv/app", "pkg/__init__.py:7"),
    "beside, not below": ("/srv/app2/load.py", "/srv/app", "load.py:7"),
    "Windows": ("C:\\jobs\\sales\\load.py", "/srv/app", "load.py:7"),
    "relative": ("src/load.py", "/srv/app", "src/load.py:7"),
    "stdin": ("<stdin>", "", "<stdin>:7"),
}


@pytest.mark.parametrize("file, cwd, shown", PLACES.values(), ids=PLACES)
def test_a_place_is_short_and_still_says_which_file(file, cwd, shown):
    """Relative to where the job runs if it lies below, else the name, else the folder too."""
    assert said(f'Traceback (most recent call last):\n  File "{file}", line 7, in <module>\nKeyError: 1\n', cwd)[2] == shown


NOT_OWN = [
    "/opt/venv/lib/python3.11/site-packages/pandas/io.py", "/usr/lib/python3/dist-packages/yaml.py", "/usr/lib/python3.11/json/decoder.py",
    "C:\\Python39\\lib\\socket.py", "C:\\Miniconda37-x64\\envs\\e\\lib\\asyncio\\futures.py", "<frozen importlib._bootstrap>", "parsers.pyx",
    "<sqlalchemy generated warned() wrapper>", "/x/offduty_probe/start.py", "/opt/spark/python/lib/pyspark.zip/pyspark/rdd.py",
]  # fmt: skip


@pytest.mark.parametrize("file", NOT_OWN)
def test_a_library_is_not_the_jobs_own_code(file):
    """The place to look at is the last line of the job itself, not the line in pandas."""
    output = f'Traceback (most recent call last):\n  File "job.py", line 3, in go\n  File "{file}", line 9, in deep\nKeyError: 1\n'
    assert said(output)[2] == "job.py:3 in go"


SHAPES = {
    "several, the last uncaught one counts": (PLAIN + PLAIN.replace("'region'", "'store'"), ("KeyError", "'store'")),
    "ignored at exit": (PLAIN + "Exception ignored in: <function D.__del__>\n" + PLAIN.strip().replace("'region'", "'late'"), ("KeyError", "'region'")),
    "beginning lost": (PLAIN.strip().partition("\n")[2], ("KeyError", "'region'")),
    "end lost": (PLAIN.strip().rpartition("\n")[0], (None, None)),
    "exception line alone": ("starting\npandas.errors.EmptyDataError: No columns to parse from file\n", ("pandas.errors.EmptyDataError", None)),
    "a warning is no exception": ("/x.py:3: FutureWarning: old\nUserWarning: hm\n", (None, None)),
    "the shell goes on": (PLAIN + "rm: cannot remove 'x': No such file or directory\n", ("KeyError", "'region'")),
    "make says error 1": (PLAIN + "make: *** [Makefile:3: all] Error 1\n", ("KeyError", "'region'")),
    "later ones without tracebacks": (PLAIN.rstrip() + "\npkg.FeedError: the feed changed\n", ("pkg.FeedError", "the feed changed")),
    "old IPython": (
        ("ValueError                     Traceback (most recent call last)\n<ipython-input-3-ab12> in <module>\n----> 28 x = f()\n"
        "/usr/lib/python3.7/site-packages/a.py in f(x)\n-> 1035   raise ValueError(1)\nValueError: bad shape\n"),
        ("ValueError", "bad shape"),
    ),
    "notebook": (
        ("----------\nKeyError         Traceback (most recent call last)\nCell In[3], line 1\n----> 1 features(df)\n\nCell In[2], line 5, in features(df)\n"
        "      4 # x\n----> 5 return df['r']\n\nFile /opt/venv/lib/python3.11/site-packages/pandas/frame.py:41, in DataFrame.get(self)\n"
        "---> 41   x\n\nKeyError: 'r'\n"),
        ("KeyError", "'r'"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("output, expected", SHAPES.values(), ids=SHAPES)
def test_made_shapes(output, expected):
    """Several, torn, ignored, followed by others' complaints."""
    assert said(output)[:2] == (expected[0], expected[1] or said(output)[1])


def test_a_notebook_failure_names_cell_and_line():
    """The failing cell's own frame, not the library's."""
    assert said(SHAPES["notebook"][0])[2] == "Cell In[2]:5 in features"


def test_a_spark_job_shows_the_cause_inside_the_java_machine():
    """py4j puts a Java trace into a Python message; what failed is at its bottom."""
    output = PLAIN.strip().replace(
        "KeyError: 'region'", "py4j.protocol.Py4JJavaError: An error occurred while calling o45.csv."
    ) + textwrap.dedent("""
        : org.apache.spark.SparkException: Job aborted.
        \tat org.apache.spark.A.run(A.scala:651)
        Caused by: java.io.FileNotFoundException: File /feeds/sales.csv does not exist
        \tat java.io.B.open(B.java:1)
        \t... 12 more
        """)
    assert said(output, "/srv/app") == (
        "java.io.FileNotFoundException", "File /feeds/sales.csv does not exist", "forecast.py:88 in features", ["cause", "cause"]
    )  # fmt: skip
