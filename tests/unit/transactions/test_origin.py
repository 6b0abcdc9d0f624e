"""What a run is made of, read from outside."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sysconfig

from offduty.transactions import origin


def test_packages_are_those_that_python_knows():
    """The names of folders tell as much as their contents: the same versions as importlib's."""
    found = origin.packages([sysconfig.get_path("purelib")])
    known = {one.metadata["Name"].replace("_", "-").replace(".", "-").lower(): one.version for one in importlib.metadata.distributions()}
    for name in ("pytest", "hypothesis", "pandas", "scikit-learn"):
        assert found[name] == known[name]


def test_packages_of_all_kinds(tmp_path):
    """Wheels, eggs, none; the first folder on the path counts, one that is not there does not."""
    for name in ("a_b-1.0.dist-info", "c-2.0-py3.11.egg-info", "d.egg-info", "a", "x.txt"):
        (tmp_path / "one" / name).mkdir(parents=True)
    (tmp_path / "two" / "a_b-9.dist-info").mkdir(parents=True)
    folders = [str(tmp_path / name) for name in ("gone", "one", "two")]
    assert origin.packages(folders) == {"a-b": "1.0", "c": "2.0", "d": "?"}


def test_digests_of_files(tmp_path):
    """Relative below the job's folder, whole elsewhere; what cannot be read, is no file, or is too large is left out."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "x.py").write_text("x")
    (tmp_path / "other.py").write_text("y")
    (tmp_path / "large.py").write_bytes(bytes(origin.LARGEST_FILE + 1))
    os.mkfifo(tmp_path / "pipe.py")
    files = ["x.py", *(str(tmp_path / name) for name in ("other.py", "large.py", "pipe.py", "gone.py", "job", "a\0b"))]
    digest = hashlib.sha256(b"x").hexdigest()[:12]
    found = origin.digests(files, str(tmp_path / "job"))
    assert found.pop(str(tmp_path / "pipe.py"), None) in (None, hashlib.sha256(b"").hexdigest()[:12])
    assert found == {"x.py": digest, str(tmp_path / "other.py"): hashlib.sha256(b"y").hexdigest()[:12]}


def test_programs_in_a_command(tmp_path):
    """The script that bash or R runs is code; its data is not."""
    for name in ("model.R", "data.csv"):
        (tmp_path / name).write_text("")
    assert origin.sources_in(["Rscript", "model.R", "data.csv", "gone.R"], str(tmp_path)) == ["model.R"]


def test_variables_have_names_only():
    """INV-12: no value of a variable is kept; our own names are not the job's."""
    assert origin.variables({"B": "secret", "A": "x", "OFFDUTY_TOKEN": "t"}) == ["A", "B"]
