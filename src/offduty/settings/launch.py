"""What starting one configured job needs, resolved: defaults filled in, paths made absolute, `${NAME}` replaced.

The fast path and the full loader both end here, which is why they agree. Needed before the job starts: only `os` is imported.
"""

from __future__ import annotations

import os

from offduty.errors import ConfigError, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LONGEST_VALUE = 64 << 10

EVENTS = (
    "started", "succeeded", "warned", "failed", "timed_out", "terminated", "recovered", "missed", "overdue", "lost", "stuck", "stale",
    "reminder", "escalated", "drill_failed",
)  # fmt: skip
URGENCIES = ("quiet", "digest", "now", "off")
COMPARISONS = ("<=", ">=", "==", "<", ">")

DEFAULTS: dict[str, Any] = {
    "owner": None,
    "description": "",
    "command": None,
    "shell": None,
    "notebook": None,
    "parameters": {},
    "schedule": None,
    "every": None,
    "timezone": None,
    "max_duration": None,
    "kill_after": None,
    "min_duration": None,
    "retries": 0,
    "retry_delay": 30.0,
    "retry_max_delay": 900.0,
    "overlap": "skip",
    "cwd": None,
    "env": {},
    "env_file": [],
    "stop_grace": 25.0,
    "pty": "auto",
    "kill_leftovers": False,
    "survive": False,
    "strict": False,
    "redact": True,
    "secrets": [],
    "metrics": [],
}
"""The settings of a job that matter when it is started, with their defaults; durations in seconds."""

LOG_DEFAULTS: dict[str, Any] = {"keep": 90 * 86400.0, "keep_runs": 200, "max_total": 5 << 30, "max_size": 1 << 30}
"""`log = { … }` of a job: seconds, runs, bytes, bytes of one log."""

RUNS = ("command", "shell", "notebook")
"""What a job runs: exactly one of these."""


def launch(name: str, job: Mapping[str, Any], folder: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Everything `offduty run NAME` needs to know, from the converted values of the table `[job.NAME]` (defaults of `[offduty]` merged in).

    Keys: those of DEFAULTS, where `cwd`, `notebook` and the items of `env_file` are absolute paths and `metrics` are those that are named
    anywhere, plus `name`, `folder` (where the configuration lies), and `log_max_size`, `keep_s`, `keep_runs`, `keep_bytes`. Values in
    `env` are text, or a reference `{"env": NAME}` or `{"file": PATH}` for `environment` to follow. Raises ConfigError E205.
    """
    log = {**LOG_DEFAULTS, **job.get("log", {})}
    values = {key: job.get(key, default) for key, default in DEFAULTS.items()}
    files = values["env_file"]
    values |= {
        "name": name,
        "folder": folder,
        "cwd": path_in(folder, values["cwd"] or ".", environ),
        "notebook": values["notebook"] and path_in(folder, values["notebook"], environ),
        "env_file": [path_in(folder, file, environ) for file in ([files] if isinstance(files, str) else files)],
        "env": {key: _env_value(value, folder, environ) for key, value in values["env"].items()},
        "metrics": _named_metrics(job),
        "log_max_size": log["max_size"],
        "keep_s": log["keep"],
        "keep_runs": log["keep_runs"],
        "keep_bytes": log["max_total"],
    }
    return values


def _named_metrics(job: Mapping[str, Any]) -> list[str]:
    """The metrics that a configuration names anywhere: what the job prints of them is read."""
    worth = job.get("value") or {}
    counts = [worth["metric"]] if worth.get("metric") else []
    return list(dict.fromkeys([*job.get("good_enough", {}), *job.get("metrics", []), *counts]))


def path_in(folder: str, path: str, environ: Mapping[str, str]) -> str:
    """`path` made absolute: `${NAME}` and a leading `~` replaced, then relative to `folder`."""
    path = expand(path, environ)
    if path == "~" or path.startswith("~/"):
        path = environ.get("HOME", "~") + path[1:]
    return os.path.normpath(os.path.join(folder, path))


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with each `${NAME}` replaced by that variable, once: what a value brings in is not looked at again. `$${` is a plain `${`.

    Raises ConfigError E205 for one that is not set, is not closed, or makes the text longer than 64 KiB.
    """
    before, *parts = text.split("${")
    if not parts:
        return text
    done = literal = before
    for part in parts:
        if literal.endswith("$"):
            done, literal = f"{done}{{{part}", part
            continue
        name, closed, literal = part.partition("}")
        done += _variable(name, closed, environ) + literal
    if len(done) > LONGEST_VALUE:
        raise ConfigError("E205", f"{quoted(text)} becomes {len(done)} characters long", why="at most 65536 can be handed on")
    return done


def environment(job: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables a job of `launch` gets besides the inherited ones, and the names of those among them whose values are secret.

    Its files in their order, then `env`, later wins. Raises ConfigError E205 or E211.
    """
    from offduty.settings import envfile

    values: dict[str, str] = {}
    for path in job["env_file"]:
        values |= envfile.read(path)
    secret = list(values)
    for name, value in job["env"].items():
        values[name] = value if isinstance(value, str) else follow(value, environ)
        if not isinstance(value, str):
            secret.append(name)
    return values, sorted({*secret, *job["secrets"]})


def follow(reference: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The value that `{"env": NAME}` or `{"file": PATH}` points to. Raises ConfigError E205; never shows the value."""
    if "env" in reference:
        return _variable(reference["env"], "}", environ)
    path = reference["file"]
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), encoding="utf-8") as file:
            value = file.read(LONGEST_VALUE + 1)
    except (OSError, ValueError) as error:
        why = str(error.strerror).lower() if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError("E205", f"the file {quoted(path)} cannot be read", why=why, fix="make it readable, or correct the path")
    return value.rstrip("\r\n")


def is_bound(text: str) -> bool:
    """Whether `text` is what `good_enough` takes: a comparison and a number, like `<= 0.12`."""
    comparison = next((c for c in COMPARISONS if text.startswith(c)), "")
    number = text[len(comparison) :].strip(" ").removeprefix("-")
    whole, _, part = number.partition(".")
    return bool(comparison) and number.isascii() and (whole + part).isdigit() and bool(whole) and number[-1] != "."


def is_plain(value: object) -> bool:
    """Whether `value` is what JSON has too: the parameters of a notebook travel as JSON, which knows no dates, inf or NaN."""
    if isinstance(value, dict | list):
        return all(map(is_plain, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str | int) or (isinstance(value, float) and abs(value) != float("inf") and value == value)


def _env_value(value: str | dict[str, str], folder: str, environ: Mapping[str, str]) -> str | dict[str, str]:
    if isinstance(value, str):
        return expand(value, environ)
    return value if "env" in value else {"file": path_in(folder, value["file"], environ)}


def _variable(name: str, closed: str, environ: Mapping[str, str]) -> str:
    if not closed:
        raise ConfigError("E205", f"{quoted('${' + name)} is not closed", fix="write ${NAME}, or $${ for a plain ${")
    if name not in environ:
        raise ConfigError("E205", f"the environment variable {quoted(name)} is not set", fix="set it, or correct the name")
    return environ[name]
