"""A first configuration for a folder, from what lies in it: which files look like jobs, and the commented text."""

from __future__ import annotations

import ast
import os
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from offduty.runs.job import is_name, slug

MOST_JOBS = 20
LARGEST_SOURCE = 1 << 20
NOT_JOBS = ("setup.py", "conftest.py", "noxfile.py", "fabfile.py", "manage.py", "dev.py", "__init__.py", "tasks.py")
SCRIPT_PROGRAMS = {".sh": "bash", ".R": "Rscript", ".r": "Rscript", ".jl": "julia"}

HEAD = """\
# What offduty runs here, and how. `offduty check` tells everything that is wrong with this file, `offduty run NAME` runs a job.
# Durations: "90 s", "2h30m", "1 d". Names of jobs: a-z, 0-9, "." "_" "-".
"""
SCHEDULE = """\
# description  = "What it makes, who reads it, and when they need it."
# owner        = "my-team"            # whose it is when it fails; needs [team.my-team], below
# schedule     = "0 6 * * mon-fri"    # minute hour day-of-month month day-of-week; or every = "1 h"
# timezone     = "Europe/London"
# start_grace  = "15 min"             # later than this: missed
"""
LIMITS = """\
# max_duration = "45 min"             # longer than this: overdue, and the run is marked
# kill_after   = "5 min"              # so much later it is stopped
# min_duration = "20 s"               # a success faster than this is suspicious
# retries      = 2                    # after a failure: wait retry_delay = "30 s", then twice as long, at most retry_max_delay
# overlap      = "skip"               # if it is still running when it should start: skip, queue or allow
# env          = { MODE = "live" }
# env_file     = "jobs.env"           # NAME=value lines; the values count as secrets
# log          = { keep = "90 d", keep_runs = 200, max_total = "5 GiB", max_size = "1 GiB" }
"""
TAIL = """\

# [team.my-team]
# contact  = "#my-team, ext. 4411, Mon-Fri 8-18"
# channels = ["chat"]

# [channel.chat]
# kind = "slack"
# url  = { env = "SLACK_WEBHOOK" }    # or { file = "/run/secrets/slack" }; never the address itself
"""
EXAMPLE = """\

# No script, notebook or Makefile was found in this folder, so this is an example: take the # away.
# [job.forecast]
# command      = ["python", "forecast.py"]    # or notebook = "forecast.ipynb", or shell = "make forecast"
"""


@dataclass(frozen=True)
class Found:
    """A file that looks like a job. `setting`: what runs it, as TOML; `lacks`: a program it needs and that is not installed."""

    name: str
    file: str
    setting: str
    lacks: str = ""


def look(folder: str) -> list[Found]:
    """The files in `folder` (not below it) that look like jobs, each with a name of its own; at most MOST_JOBS."""
    found: dict[str, Found] = {}
    for job in _candidates(folder):
        name, number = job.name, 2
        while name in found:
            name, number = f"{job.name[:96]}-{number}", number + 1
        found[name] = Found(name, job.file, job.setting, job.lacks)
    return list(found.values())[:MOST_JOBS]


def text(found: list[Found]) -> str:
    """The configuration: the first job with every setting explained, the others short."""
    if not found:
        return HEAD + EXAMPLE + SCHEDULE + LIMITS + TAIL
    full = next((job for job in found if not job.lacks), None)
    return HEAD + "".join(_entry(job, full is job) for job in found) + TAIL


def _entry(job: Found, full: bool) -> str:
    if job.lacks:
        return f"\n# {job.lacks} is not installed here, so this job is left out:\n# [job.{_key(job.name)}]\n# {job.setting}\n"
    return f"\n[job.{_key(job.name)}]\n{job.setting}\n" + (SCHEDULE + LIMITS if full else '# schedule     = "0 6 * * mon-fri"\n')


def _key(name: str) -> str:
    return name if all(c.isalnum() or c in "_-" for c in name) else quote(name)


def _candidates(folder: str) -> Iterator[Found]:
    names = sorted((e.name for e in os.scandir(folder) if e.is_file() and not e.name.startswith(".")), key=_python_first)
    for file in names:
        stem, ending = os.path.splitext(file)
        if ending == ".py" and _is_script(folder, file):
            yield _job(stem, file, [*_python(folder), file])
        elif ending == ".ipynb":
            yield Found(_name(stem), file, f"notebook     = {quote(file)}")
        elif ending in SCRIPT_PROGRAMS:
            yield _job(stem, file, [SCRIPT_PROGRAMS[ending], file])
    if "Makefile" in names:
        yield _job(project_name(folder), "Makefile", ["make"])


def _python_first(name: str) -> tuple[int, str]:
    ending = os.path.splitext(name)[1]
    return (0 if ending == ".py" else 1 if ending == ".ipynb" else 2), name


def _job(stem: str, file: str, command: list[str]) -> Found:
    program = command[0]
    lacks = "" if "/" in program or shutil.which(program) else program
    return Found(_name(stem), file, f"command      = [{', '.join(map(quote, command))}]", lacks)


def _name(stem: str) -> str:
    return stem if is_name(stem) else slug(stem)


def project_name(folder: str) -> str:
    """The project's name as its pyproject.toml says, else the folder's."""
    try:
        with open(f"{folder}/pyproject.toml", "rb") as file:
            name = tomllib.load(file).get("project", {}).get("name")
    except (OSError, ValueError, AttributeError, RecursionError):
        name = None
    return name if isinstance(name, str) else os.path.basename(os.path.abspath(folder))


def _python(folder: str) -> list[str]:
    """The Python of the project: its virtual environment, uv, or what is on PATH."""
    for environment in (".venv", "venv"):
        if os.access(f"{folder}/{environment}/bin/python", os.X_OK):
            return [f"{environment}/bin/python"]
    if os.path.exists(f"{folder}/uv.lock") and shutil.which("uv"):
        return ["uv", "run", "python"]
    return ["python" if shutil.which("python") or not shutil.which("python3") else "python3"]


def _is_script(folder: str, file: str) -> bool:
    """Whether a Python file does something when it is run: a main block, or statements beside definitions."""
    if file in NOT_JOBS or file.startswith("test_") or file.endswith("_test.py"):
        return False
    try:
        with open(f"{folder}/{file}", "rb") as source:
            tree = ast.parse(source.read(LARGEST_SOURCE))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_acts(statement) for statement in tree.body)


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test))
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    return isinstance(statement, ast.For | ast.While | ast.With)


def quote(text: str) -> str:
    """`text` as a TOML string: like JSON's, and no surrogates."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'
