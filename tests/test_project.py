"""The project around the code: locks, dev.py, and rules that no tool of `dev.py lint` knows."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "test", "dev")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(text):
    """name==version of each requirement in a lock."""
    return {line.split()[0] for line in text.splitlines() if line[:1].isalnum()}


def names(text):
    """The packages a lock pins."""
    return {pin.partition("==")[0] for pin in pins(text)}


def wanted(*groups):
    """The packages that pyproject.toml asks for, directly, in the project, all extras and these groups."""
    extras = [entry for extra in PROJECT["project"]["optional-dependencies"].values() for entry in extra]
    listed = [*PROJECT["project"]["dependencies"], *extras, *(entry for group in groups for entry in PROJECT["dependency-groups"][group])]
    return {re.match(r"[\w-]+", entry)[0].lower() for entry in listed if isinstance(entry, str)}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name):
    """pip asks the index that the machine is set up with; only the hashes say whether it got the right thing."""
    assert "://" not in LOCKS[name]
    assert not re.search(r"^-|find-links|index-url", LOCKS[name], re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name):
    """`--require-hashes` refuses a lock with a single requirement without one."""
    entries = re.split(r"\n(?=\w)", LOCKS[name].strip())
    assert [entry for entry in entries if not re.match(r"[\w.-]+==[^\s\\]+.*(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+$", entry)] == []


def test_every_requirement_is_locked():
    """A requirement that was added without `dev.py lock` would only fail on somebody else's machine."""
    assert wanted("build", "example", "test", "captured", "bench", "lint", "docs", "dev") <= names(LOCKS["dev"])
    assert wanted("build", "example", "test", "captured") <= names(LOCKS["test"])
    assert set(PROJECT["project"]["dependencies"]) <= names(LOCKS["run"])


def test_the_locks_agree():
    """Each holds all of the smaller one, so `dev.py test` after `dev.py demo` only adds."""
    assert pins(LOCKS["run"]) < pins(LOCKS["test"]) < pins(LOCKS["dev"])


def dev(*arguments, python=sys.executable, **environ):
    """dev.py, run where it is; callers take care that it has nothing to install."""
    return subprocess.run([python, ROOT / "dev.py", *arguments], env=os.environ | environ, capture_output=True, text=True)


def old_pythons():
    """Pythons on this machine that are too old for us."""
    found = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    found += sorted(Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python"))
    working = [python for python in found if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0]
    return working or [pytest.param(None, marks=pytest.mark.skip("no older Python here"))]


@pytest.mark.parametrize("python", old_pythons(), ids=str)
def test_an_old_python_is_refused_in_one_line(python):
    """Whoever has an older Python learns that, and not that there is a syntax error."""
    done = dev("demo", python=python)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "needs Python 3.11" in done.stderr


@pytest.mark.parametrize("arguments, status", [([], 2), (["tset"], 2), (["--help"], 0), (["-h"], 0)])
def test_dev_says_what_it_can_do(arguments, status):
    """No command, a mistyped one and --help all end in the list of commands."""
    done = dev(*arguments)
    assert done.returncode == status
    assert "dev.py test" in done.stdout + done.stderr


def test_a_python_without_pip_is_told_what_to_install(tmp_path):
    """One line that names the package, when neither pip nor ensurepip is there."""
    for module in ("pip", "ensurepip"):
        (tmp_path / f"{module}.py").write_text("raise ImportError('not installed')\n")
    for name in ("pyproject.toml", "scripts", "requirements", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    copy = shutil.copy(ROOT / "dev.py", tmp_path)
    done = subprocess.run([sys.executable, copy, "demo"], env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "apt-get install python3-pip" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def tracked(*patterns):
    """The repository's files."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", *patterns], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_this_machine():
    """A clone works behind any mirror, and says nothing about where it was made."""
    unwanted = [b"py" + b"pi.org", b"python" + b"hosted.org", b"npm" + b"js.org", bytes(ROOT) + b"/"]
    assert [(str(file), text) for file in tracked() for text in unwanted if text in file.read_bytes()] == []


def functions():
    """Every function of ours, as (file:line, its number of lines)."""
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_functions_can_be_seen_whole():
    """One job a function: the median has at most 8 lines, and none is over 70."""
    lengths = dict(functions())
    assert {name: length for name, length in lengths.items() if length > 70} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 8


def test_the_wheel_holds_what_is_needed(tmp_path):
    """The command that starts fast, the probe, the store's SQL, the types, the man pages; and no test of ours."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        held = set(file.namelist())
        script = file.read(next(name for name in held if name.endswith("scripts/offduty")))
    ends = ("offduty/py.typed", "path/sitecustomize.py", "sqlite/schema.sql", "share/man/man1/offduty.1", "share/man/man5/offduty.toml.5")
    assert [end for end in ends if not any(name.endswith(end) for name in held)] == []
    assert b"import re" not in script
    assert [name for name in held if "test_" in name or "/tests/" in name] == []
