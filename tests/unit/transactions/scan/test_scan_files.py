"""Which files are looked at, and what becomes of those that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from offduty.errors import NotThere
from offduty.transactions.scan import scan

ROOT = Path(__file__).resolve().parents[4]
CODE = "open('a')\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Write files into a folder, which is the current one, and say in which of them something is found."""
    monkeypatch.chdir(tmp_path)

    def look(*names, paths=(".",), **more):
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(CODE)
        return [place.path for place in scan(paths, **more).places]

    return look


def test_a_folder_is_read_in_order_and_every_file_once(tree):
    """Files of a folder before its folders; the same file by two names counts once."""
    Path("z.py").write_text(CODE)
    Path("link.py").symlink_to("z.py")
    assert tree("b.py", "a.py", "sub/c.py", paths=["sub", "."]) == ["sub/c.py", "a.py", "b.py", "link.py"]


def test_what_is_nobodys_own_code_is_left_out(tree):
    """Hidden things, environments, build products, installed packages, tests."""
    Path("myenv").mkdir()
    Path("myenv/pyvenv.cfg").touch()
    others = ".hidden/a.py .a.py venv/a.py myenv/lib/a.py x/site-packages/a.py node_modules/a.py build/a.py dist/a.py a.txt a.sh"
    assert tree("a.py", *others.split(), "tests/a.py", "test_a.py", "a_test.py", "conftest.py") == ["a.py"]


def test_tests_are_read_when_asked_for(tree):
    """`tests=True`."""
    assert tree("a.py", "tests/test_b.py", "test_c.py", tests=True) == ["a.py", "test_c.py", "tests/test_b.py"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tree):
    """Also below a hidden folder, and without a suffix."""
    assert tree(".hidden/a.py", "job", paths=[".hidden/a.py", "job", ".hidden"]) == [".hidden/a.py", "job"]


@pytest.mark.parametrize(
    "rules, left",
    [
        ("out.py", ["a.py", "sub/b.py"]),
        ("sub/", ["a.py", "out.py"]),
        ("/b.py", ["a.py", "out.py", "sub/b.py", "sub/out.py"]),
        ("*.py\n!a.py", ["a.py"]),
        ("# out.py\n\n**/out.py", ["a.py", "sub/b.py"]),
        ("[ab].py", ["out.py", "sub/out.py"]),
        ("sub/*.py", ["a.py", "out.py"]),
        ("[", ["a.py", "out.py", "sub/b.py", "sub/out.py"]),
    ],
)
def test_gitignore_counts_as_git_reads_it(tree, rules, left):
    """The same files that git itself would list."""
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".gitignore").write_text(rules)
    assert tree("a.py", "out.py", "sub/b.py", "sub/out.py") == left
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.py"], capture_output=True, text=True, check=True)
    assert sorted(listed.stdout.split()) == left


def test_the_gitignore_of_folders_above_counts_too(tree):
    """Within a repository."""
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".gitignore").write_text("/sub/out.py\n")
    assert tree("sub/a.py", "sub/out.py", paths=["sub"]) == ["sub/a.py"]


def test_links_in_a_circle_end(tree):
    """A folder that is a link is not entered unless it is named."""
    Path("sub").mkdir()
    Path("sub/again").symlink_to("..", target_is_directory=True)
    Path("self").symlink_to("self")
    Path("gone.py").symlink_to("nowhere.py")
    assert tree("sub/a.py") == ["sub/a.py"]
    assert tree(paths=["sub/again"]) == ["sub/again/sub/a.py"]


@pytest.mark.parametrize("path", ["nope", "nope/a.py", "a\0b", "", "self"])
def test_a_path_that_is_not_there_is_an_error(tree, path):
    """E508, before anything is read."""
    Path("self").symlink_to("self")
    with pytest.raises(NotThere) as caught:
        scan([path])
    assert (caught.value.code, caught.value.status) == ("E508", 66)


BAD = [
    (b"print 'hello'\n", "is Python 2 (line 1)"),
    (b"x = 1\ntry:\n    pass\nexcept ValueError, e:\n    pass\n", "is Python 2 (line 4)"),
    (b"raise ValueError, 'x'\n", "is Python 2 (line 1)"),
    (b"def f(:\n", "cannot be parsed as Python"),
    (b"open('a'", "cannot be parsed as Python"),
    ("# café\nx = 'é'\n".encode("latin-1"), "is not utf-8 (line 1, byte 0xe9)"),
    (CODE.encode("utf-16"), "is UTF-16 or UTF-32"),
    (CODE.encode("utf-32-be"), "is UTF-16 or UTF-32"),
    (b"# coding: klingon\n", "cannot be decoded"),
    (b"x = 1\0\n", "holds null bytes"),
    (b"x = " + b"-" * 100_000 + b"1\n", "nests too deeply"),
    (b"x = " + b"+".join([b"1"] * 100_000), "nests too deeply"),
    (b"x = a" + b".b" * 50_000, "nests too deeply"),
    (b"x = " + b"(" * 1000 + b"1" + b")" * 1000, "cannot be parsed"),
    (b"x = 'a" + b" " * (10 * 1024 * 1024) + b"'", "is larger than 10 MB"),
]


@pytest.mark.parametrize("data, why", BAD, ids=[why for _, why in BAD])
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path, data, why):
    """B1, B2: torn, old, in another encoding, nested without end: a sentence for each, and the other file is read."""
    (tmp_path / "bad.py").write_bytes(data)
    (tmp_path / "good.py").write_text(CODE)
    found = scan([str(tmp_path)])
    assert [place.target for place in found.places] == ["a"]
    assert [(problem.path, problem.why.startswith(why)) for problem in found.problems] == [(f"{tmp_path}/bad.py", True)]
    assert found.files == 1


def test_other_encodings_are_read_when_they_are_declared(tmp_path):
    """As Python does; a BOM is no harm."""
    (tmp_path / "latin.py").write_bytes("# coding: latin-1\nopen('café.csv')\n".encode("latin-1"))
    (tmp_path / "marked.py").write_bytes("open('a')\n".encode("utf-8-sig"))
    assert [place.target for place in scan([str(tmp_path)]).places] == ["café.csv", "a"]


def test_something_that_is_no_file_is_not_waited_for(tmp_path):
    """A FIFO that nobody writes to."""
    os.mkfifo(tmp_path / "pipe.py")
    found = scan([str(tmp_path / "pipe.py")])
    assert [problem.why for problem in found.problems] == ["is not an ordinary file"]


def test_a_shell_script_is_said_to_be_none_of_ours(tmp_path):
    """Named, because it was asked for; a first line that names Python makes it one."""
    (tmp_path / "a.sh").write_text("#!/bin/sh\ncp a b\n")
    (tmp_path / "b.job").write_text("#!/usr/bin/env python3\nopen('a')\n")
    found = scan([str(tmp_path / "a.sh"), str(tmp_path / "b.job")])
    assert ([problem.why for problem in found.problems], len(found.places)) == (["is neither Python nor a notebook"], 1)


@pytest.fixture
def as_nobody():
    """Root may read everything, so be somebody else for a while."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    yield
    os.seteuid(was)


def test_what_may_not_be_read_is_named(as_nobody):
    """A file, and a folder."""
    with tempfile.TemporaryDirectory() as top:
        Path(top, "sub").mkdir()
        Path(top, "a.py").write_text(CODE)
        Path(top, "a.py").chmod(0)
        Path(top, "sub").chmod(0)
        found = scan([top])
        Path(top, "sub").chmod(0o700)
    assert [problem.why for problem in found.problems] == ["cannot be read: permission denied"] * 2


def test_deep_but_legal_code_is_read(tmp_path):
    """Long chains of methods, elif and sums, as generated code has them."""
    chain = "x = a" + ".b()" * 200 + "\n"
    lines = [chain, "if a: pass\n", *["elif a: pass\n"] * 250, "y = " + " + ".join(["'a'"] * 400) + "\n", "open(y)\n"]
    lines += [f"z{n} = z{n - 1}.f()\n" for n in range(1, 2000)] + ["z1999.to_csv('b')\n"]
    (tmp_path / "a.py").write_text("".join(lines))
    found = scan([str(tmp_path)])
    assert ([place.target for place in found.places], found.problems) == (["a" * 299 + "…", "b"], ())


MANY = 20_000
SLOW = {
    "one name given anew in every line": "x = x.f(); x.to_csv('a')\n" * MANY,
    "one name given anew in as many branches": "if x: y = f(y)\ny.to_csv('a')\n" * (MANY // 2),
    "an attribute set in as many methods": "class A:\n"
    + "".join(f" def f{n}(self): self.x = self.x.g(); self.x.to_csv('a')\n" for n in range(MANY)),
    "a function called as often": "def f(x): x.to_csv('a')\n" + "f(g(f(1)))\n" * MANY,
    "a method that as many classes have": "".join(f"class A{n}:\n def f(self, x): x.f(x).to_csv('a')\n" for n in range(MANY // 2)),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("code", SLOW.values(), ids=SLOW)
def test_work_grows_with_the_code_and_not_with_its_square(tmp_path, code):
    """20 000 lines that lead to each other are read in seconds; by the square it would be an hour."""
    (tmp_path / "a.py").write_text(code)
    found = scan([str(tmp_path)])
    assert {place.target for place in found.places} == {"a"}


def test_nothing_is_imported_or_run(tmp_path):
    """A module that would leave a mark leaves none, in a process of its own."""
    (tmp_path / "job.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').write('x')\nraise SystemExit(3)\n")
    code = "import sys; from offduty.transactions.scan import scan; print(len(scan(['job.py']).places), 'job' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1 False\n", "")
    assert not (tmp_path / "mark").exists()


def test_our_own_code_and_examples_are_understood():
    """Every file of this repository."""
    found = scan([str(ROOT / "src"), str(ROOT / "examples"), str(ROOT / "benchmarks"), str(ROOT / "tests")], tests=True)
    assert found.problems == ()
    assert found.files > 100
