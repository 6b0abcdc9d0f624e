"""The captures with the previous major version of a library, in an environment of its own that is kept in a cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
EXERCISES = Path(__file__).with_name("exercises")
SCRIPT = """
import pathlib, runpy, sys
folder = pathlib.Path("data")
folder.mkdir()
exercises = runpy.run_path(sys.argv[1])
exercises["prepare"].__globals__.update({name: int(port) for name, port in zip(sys.argv[2::2], sys.argv[3::2])})
exercises["prepare"](folder)
print("-- begin", flush=True)
open("begin", "w").close()
for _, _, call in exercises["GOOD"]:
    call(folder)
for call in exercises["BAD"]:
    try: call(folder)
    except Exception: pass
    else: raise SystemExit("it was to raise")
"""


def environment_with(*requirements: str) -> str:
    """The Python of an environment that has them; made once, and skipped where nothing can be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offduty-tests"
    folder = cache / f"{sys.version_info[0]}.{sys.version_info[1]}-{'-'.join(requirements)}".replace("<", "below")
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *requirements]
        done = subprocess.run(install, capture_output=True, text=True, timeout=100)
        if done.returncode:
            pytest.skip(f"cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
        (folder / "complete").touch()
    return str(python)


@pytest.mark.parametrize(
    "capture, requirements, server",
    [
        ("pandas", ("pandas<3",), None),
        ("sqlalchemy", ("sqlalchemy<2", "pg8000"), "postgres_port"),
        ("mysql_connector", ("mysql-connector-python<9.2",), "mariadb_port"),  # its C extension is content with an older OpenSSL
    ],
)
def test_the_previous_major_version(
    capture: str, requirements: tuple[str, ...], server: str | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every good exercise is told with op and target as with the current version, every bad one fails."""
    python = environment_with(*requirements)
    (tmp_path / "job.py").write_text(SCRIPT)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
    probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t", "OFFDUTY_CAPTURE": "sqlite3,pickle"}
    command = [python, "job.py", str(EXERCISES / f"{capture}.py")]
    command += [server, str(request.getfixturevalue(server))] if server else []
    done = subprocess.run(command, cwd=tmp_path, env=plain | probe, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "events").read_text()
    events = [msgspec.json.decode(line) for line in text.splitlines()]
    assert [event for event in events if event["kind"] == "problem"] == []
    assert "CANARY" not in text
    told = sorted((event for event in events if event["kind"] == "transaction"), key=lambda event: event["n"])
    begin = next(number for number, event in enumerate(told) if event["target"].endswith("/begin"))
    namespace: dict[str, Any] = {}
    exec(compile((EXERCISES / f"{capture}.py").read_text(), "exercises", "exec"), namespace)
    good = [(op, target if last else "") for ops, target, _ in namespace["GOOD"] for op, last in _with_last(ops.split())]
    found = told[begin + 1 :][: len(good)]
    assert [event["op"] for event in found if event["ok"]] == [op for op, _ in good]
    assert [target for event, (_, target) in zip(found, good, strict=True) if not event["target"].endswith(target)] == []
    assert sum(not event["ok"] for event in told) >= len(namespace["BAD"])


def _with_last(ops: list[str]) -> list[tuple[str, bool]]:
    """Each op, and whether it is the last one of its exercise, whose target is known."""
    return [(op, number == len(ops)) for number, op in enumerate(ops, 1)]
