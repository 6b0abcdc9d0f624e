"""What other languages, database clients and shells print when they fail; and that no output whatever can hurt the reader."""

# ruff: noqa: E501 (the tables show output as it is printed)

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.runs.failure import find_failure

# name: (output, language, type, message's beginning, where)
SHAPES = {
    "R, base": ("> x\nError in read.csv(\"x.csv\") : cannot open file 'x.csv'\nCalls: main -> read\nExecution halted\n", "r", None, "cannot open file 'x.csv'", "in read.csv"),
    "R, message below": ("Error in fit(sales, 14) : \n  singular gradient\nExecution halted\n", "r", None, "singular gradient", "in fit"),
    "R, no call": ("Error: no sales for today\nExecution halted\n", "r", None, "no sales for today", None),
    "R, with its place": ("Error in fit(x) (from fit.R#12) : bad\nExecution halted\n", "r", None, "bad", "fit.R:12 in fit"),
    "R, rlang": (
        "Error in `mutate()`:\ni In argument: `y = z`.\nCaused by error in `f()`:\n! object 'z' not found\nBacktrace:\n 1. x\nExecution halted\n",
        "r", None, "object 'z' not found", "in f",
    ),
    "R, tidyverse bullets": ("Error in `select()`:\n! Column `region` doesn't exist.\nx more\nExecution halted\n", "r", None, "Column `region` doesn't exist.", "in select"),
    "Java": (
        'Exception in thread "main" java.lang.IllegalStateException: no rows\n\tat com.acme.Load.read(Load.java:12)\n\tat com.acme.Main.main(Main.java:3)\n',
        "java", "java.lang.IllegalStateException", "no rows", "Load.java:12 in Load.read",
    ),
    "Java, causes": (
        ('Exception in thread "main" java.lang.RuntimeException: job failed\n\tat com.acme.Main.main(Main.java:3)\n'
        "Caused by: com.acme.FeedException: feed is empty\n\tat com.acme.Feed.check(Feed.java:40)\n\t... 1 more\n"
        "Caused by: java.io.EOFException\n\tat java.base/java.io.In.read(In.java:9)\n\t... 2 more\n"),
        "java", "com.acme.FeedException", "feed is empty", "Feed.java:40 in Feed.check",
    ),
    "Spark, Scala": (
        ("26/01/01 06:00:00 ERROR Main: x\norg.apache.spark.sql.AnalysisException: Path does not exist: file:/data;\n"
        "\tat org.apache.spark.sql.D.f(D.scala:2)\n\tat jobs.Sales$.main(Sales.scala:31)\n"),
        "java", "org.apache.spark.sql.AnalysisException", "Path does not exist: file:/data;", "Sales.scala:31 in Sales.main",
    ),
    "Julia": (
        ('ERROR: LoadError: ArgumentError: "x.csv" is not a valid file\nStacktrace:\n [1] error(s::String)\n   @ Base ./error.jl:35\n'
        " [2] load(path::String)\n   @ Main ~/job/load.jl:7\n [3] top-level scope\n   @ ~/job/forecast.jl:12\nin expression starting at /home/x/job/forecast.jl:12\n"),
        "julia", "ArgumentError", '"x.csv" is not a valid file', "load.jl:7 in load",
    ),
    "Julia, no trace": ("ERROR: LoadError: UndefVarError: `x` not defined\nin expression starting at /job/a.jl:3\n", "julia", "UndefVarError", "`x` not defined", "a.jl:3"),
    "Julia, old": ("ERROR: DomainError: bad\nStacktrace:\n [1] f(::Int64) at /job/a.jl:3\n [2] top-level scope at none:1\n", "julia", "DomainError", "bad", "a.jl:3 in f"),
    "psql": ('ERROR:  relation "sales" does not exist\nLINE 1: select * from sales\n                      ^\n', "sql", "ERROR", 'relation "sales" does not exist\nLINE 1', None),
    "psql -f": ("psql:load.sql:3: ERROR:  syntax error at end of input\n", "sql", "ERROR", "syntax error at end of input", "load.sql:3"),
    "psql, what follows the first error": (
        'psql:l.sql:3: ERROR:  column "x" does not exist\nROLLBACK\npsql:l.sql:9: ERROR:  current transaction is aborted, commands ignored\n',
        "sql", "ERROR", 'column "x" does not exist', "l.sql:3",
    ),
    "psql, connection": ('psql: error: connection to server at "db" failed: FATAL:  no password\n', "sql", "psql", 'connection to server at "db" failed', None),
    "mysql": ("ERROR 1045 (28000): Access denied for user 'x'@'h'\n", "sql", "ERROR 1045 (28000)", "Access denied", None),
    "mysql, in a file": ("ERROR 1146 (42S02) at line 3: Table 'a.b' doesn't exist\n", "sql", "ERROR 1146 (42S02)", "Table 'a.b'", ":3"),
    "sqlite3": ("Parse error near line 2: no such table: sales\n", "sql", "Parse error", "no such table: sales", ":2"),
    "sqlite3, running": ("Runtime error near line 4: UNIQUE constraint failed: t.a (19)\n", "sql", "Runtime error", "UNIQUE constraint failed", ":4"),
    "Oracle, a stack": ("ORA-12801: error in parallel query\nORA-00942: table or view does not exist\nORA-06512: at line 1\n", "sql", "ORA-12801", "error in parallel query", None),
    "sqlcmd": ("Msg 208, Level 16, State 1, Server db, Line 3\nInvalid object name 'sales'.\n", "sql", "Msg 208, Level 16", "Invalid object name 'sales'.", ":3"),
    "bcp": ("SQLState = 28000, NativeError = 18456\nError = [Microsoft][ODBC Driver]Login failed for user 'x'.\n", "sql", "SQLState = 28000", "[Microsoft][ODBC Driver]Login failed", None),
    "DuckDB": ("Catalog Error: Table with name sales does not exist!\n", "sql", "Catalog Error", "Table with name sales", None),
    "bash": ("load.sh: line 3: foo: command not found\n", "shell", None, "foo: command not found", "load.sh:3"),
    "dash": ("sh: 1: foo: not found\n", "shell", None, "foo: not found", None),
    "dash script": ("/srv/load.sh: 12: cannot open /data/x: No such file\n", "shell", None, "cannot open /data/x: No such file", "load.sh:12"),
    "cp": ("copying\ncp: cannot stat '/feeds/x.csv': No such file or directory\n", "shell", "cp", "cannot stat '/feeds/x.csv'", None),
    "make": ("make: *** [Makefile:3: all] Error 2\n", "shell", "make", "[Makefile:3: all] Error 2", None),
    "make after a command": ("curl: (7) Failed to connect to x port 80\nmake: *** [Makefile:3: all] Error 7\n", "shell", "curl (7)", "Failed to connect", None),
    "ssh": ("ssh: connect to host x port 22: Connection refused\n", "shell", "ssh", "connect to host x port 22: Connection refused", None),
    "fatal of git": ("fatal: repository 'x' does not exist\n", "shell", None, "repository 'x' does not exist", None),
    "any command": ("loadtool: error: the following arguments are required: --date\n", "shell", "loadtool", "error: the following arguments", None),
    "killed": ("Killed\n", "shell", None, "Killed", None),
    "killed, bash says where": ("run.sh: line 8: 4711 Killed                  python fit.py\n", "shell", None, "Killed", "run.sh:8"),
    "segmentation fault": ("Segmentation fault (core dumped)\n", "shell", None, "Segmentation fault (core dumped)", None),
    "Go": ("panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.load()\n\t/srv/main.go:12 +0x1d\n", None, "panic", "runtime error: index", "srv/main.go:12"),
    "Rust": ("thread 'main' panicked at src/main.rs:4:5:\nno rows\nnote: run with RUST_BACKTRACE=1\n", None, "panic", "no rows", "src/main.rs:4"),
    "Node": ("TypeError: x is not a function\n    at load (/srv/a.js:12:3)\n    at Module._compile (node:internal:1:2)\n", None, "TypeError", "x is not a function", "a.js:12 in load"),
    "C++": ("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n", None, "std::bad_alloc", "std::bad_alloc", None),
    "nothing known": ("loading\nall is lost\n", None, None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("output, language, kind, message, where", SHAPES.values(), ids=SHAPES)
def test_a_shape_is_read(output, language, kind, message, where):
    """One line of the table: what was printed, and what it says."""
    found = find_failure(outcome="failed", exit_code=1, tail=output.encode())
    assert (found.language, found.type, found.where) == (language, kind, where)
    assert (found.message or "").startswith(message or "")
    assert bool(found.message) == bool(message)


REAL = {
    "bash": (["bash", "-c", "set -e\nno_such_command_here"], "no_such_command_here: command not found"),
    "dash": (["sh", "-c", "no_such_command_here"], "no_such_command_here: not found"),
    "cp": (["cp", "/nowhere/a", "/nowhere/b"], "cannot stat '/nowhere/a': No such file or directory"),
    "make": (["make", "-f", "/nowhere/Makefile"], "/nowhere/Makefile: No such file or directory"),
    "curl": (["curl", "-sS", "http://127.0.0.1:9/"], "Failed to connect to 127.0.0.1 port 9"),
    "sqlite3": (["sqlite3", ":memory:", "select * from sales"], "no such table: sales"),
    "psql": (["psql", "-h", "/nowhere", "-c", "select 1"], "connection to server on socket"),
    "node": (["node", "-e", "null.x"], "Cannot read properties of null (reading 'x')"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_commands_are_read(name):
    """What the programs of this machine print today, not what a table remembers."""
    command, message = REAL[name]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"}
    )
    found = find_failure(outcome="failed", exit_code=done.returncode, tail=done.stdout)
    assert message in (found.message or ""), done.stdout.decode()


def test_a_trace_long_ago_does_not_explain_an_error_at_the_end():
    """A job that logged a traceback and worked on for hundreds of lines failed of something else."""
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1\n'
    found = find_failure(outcome="failed", exit_code=1, tail=(trace + "working\n" * 200 + "cp: cannot stat 'x': No such file\n").encode())
    assert (found.language, found.type) == ("shell", "cp")


def test_the_last_lines_are_kept_and_what_is_cut_is_counted():
    """INV-13: twenty lines of at most 400 characters, and it is said how much is missing."""
    found = find_failure(outcome="failed", exit_code=1, tail=b"\n\n".join(b"%d" % i for i in range(100)) + b"\n" + b"x" * 1000 + b"\n\n")
    assert found.tail == (*(str(i) for i in range(81, 100)), "x" * 400 + " [600 more characters]")


ADVERSARIAL = [
    "a", " ", "\n", 'File "', '  File "x", line 1, in f\n', "Traceback (most recent call last)", "Traceback (most recent call last)\n", "a.b.C: m\n",
    "Caused by: a.b.C: m\n", "E: x\nDuring handling of the above exception, another exception occurred:\n", "Error in f : x\n", "Error:\n", "ERROR: x\n",
    "KeyError  Traceback (most recent call last)\n", "  + Exception Group Traceback (most recent call last):\n", "Cell In[1], line 1\n", "(", "[", "\x1b[", "\x1b]", "\r",
    "2024-01-01 00:00:00 ", "ORA-00942: x\n", "x.sh: line 3: y\n", "TypeError: x\n", "a." * 40 + "C\n", '"', "exit ", "panic: x\ngoroutine 1\n",
]  # fmt: skip


@pytest.mark.parametrize("text", ADVERSARIAL, ids=[f"{i}-{text.strip()[:12].encode().hex()}" for i, text in enumerate(ADVERSARIAL)])
def test_no_output_takes_long_or_grows(text):
    """INV-11, T26: 256 KiB of what a pattern may stumble over: quick (quadratic took 20 s) and a record of bounded size."""
    output = (text * (256 * 1024 // len(text))).encode()
    started = time.process_time()
    found = find_failure(outcome="failed", exit_code=1, tail=b"KeyError  Traceback (most recent call last)\n" + output)
    assert time.process_time() - started < 5
    assert len(json.dumps(found.as_json())) < 400_000


PIECES = st.sampled_from([*ADVERSARIAL, *(shape[0] for shape in SHAPES.values())])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=12), st.binary(max_size=40))
def test_any_output_is_read_without_raising(pieces, noise):
    """B4, F27: total over bytes, and the evidence can always be written down as JSON in UTF-8."""
    found = find_failure(outcome="failed", exit_code=1, tail="".join(pieces).encode("utf-8", "surrogatepass") + noise, cwd="/srv")
    assert found.kind in ("exception", "exit")
    json.dumps(found.as_json(), ensure_ascii=False).encode()
