"""The commit and state of a folder, as git itself would tell them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from offduty.transactions.git import state_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git here to compare with")
LONG_AGO = 1_700_000_000


class Repository:
    """A repository in a folder, driven by git itself."""

    def __init__(self, folder):
        self.folder, self.clock = folder, LONG_AGO
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write("job.py", "x = 1\n")
        self.write("src/model.py", "y = 2\n")
        self.commit()

    def git(self, *arguments):
        """Run git, with no settings but its own; what it prints."""
        who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        clean = {**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        return subprocess.run(["git", *arguments], cwd=self.folder, env=clean, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, name, text):
        """A file, last changed long ago, each at another time, so that its time tells."""
        self.clock += 1
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (self.clock, self.clock))

    def commit(self):
        """All there is."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def agrees(self, folder=""):
        """What we say, after comparing it with git."""
        commit, dirty = state_of(str(self.folder / folder))
        assert commit == self.git("rev-parse", "HEAD")
        assert dirty is bool(self.git("status", "--porcelain", "-uno"))
        return dirty


@pytest.fixture
def repository(tmp_path):
    """With one commit of two files."""
    return Repository(tmp_path / "work")


def test_a_clean_folder(repository):
    """Also from within a folder of it; files that git does not know do not count."""
    repository.write("notes.txt", "")
    assert repository.agrees() is False
    assert repository.agrees("src") is False


@pytest.mark.parametrize("text", ["x = 22\n", "x = 3\n"])
def test_a_changed_file(repository, text):
    """Of another size, or of the same."""
    (repository.folder / "job.py").write_text(text)
    assert repository.agrees() is True


def test_a_file_that_was_only_touched(repository):
    """Another time and the same content: its content is compared."""
    os.utime(repository.folder / "job.py", (LONG_AGO + 9, LONG_AGO + 9))
    assert repository.agrees() is False


def test_a_removed_file(repository):
    """It is part of the commit, and not there."""
    os.unlink(repository.folder / "job.py")
    assert repository.agrees() is True


def test_what_is_staged_is_never_called_clean(repository):
    """The index is not the commit's; whether that is known depends on what git noted there."""
    repository.write("job.py", "x = 5\n")
    repository.git("add", "job.py")
    assert state_of(str(repository.folder))[1] in (None, True)


def test_another_index_than_the_commits(repository):
    """`git reset --soft` moves the commit away below a clean index."""
    repository.write("job.py", "x = 5\n")
    repository.commit()
    repository.git("reset", "-q", "--soft", "HEAD~1")
    assert repository.agrees() is True


def test_packed_refs_and_objects(repository):
    """After `git gc` there is neither a file of the branch nor one of the commit."""
    repository.git("gc", "-q")
    assert repository.agrees() is False


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_of_the_index(repository, version):
    """Version 4 shortens the paths."""
    repository.git("update-index", "--index-version", version)
    assert repository.agrees() is False


def test_a_detached_head_a_worktree_and_a_shallow_clone(repository, tmp_path):
    """HEAD is a commit; `.git` is a file; the history is cut off."""
    for number in range(3):
        repository.write("job.py", f"x = {number} * 7\n")
        repository.commit()
    repository.git("worktree", "add", "-q", str(tmp_path / "other"), "HEAD~1")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", str(tmp_path / "shallow"))
    assert state_of(str(tmp_path / "other")) == (repository.git("rev-parse", "HEAD~1"), False)
    assert state_of(str(tmp_path / "shallow")) == (repository.git("rev-parse", "HEAD"), False)
    repository.git("checkout", "-q", "--detach", "HEAD~2")
    assert repository.agrees() is False


def test_what_is_no_repository(tmp_path):
    """Nothing is known, and nothing is said. A folder called `.git` makes none."""
    assert state_of(str(tmp_path)) == (None, None)
    (tmp_path / ".git").mkdir()
    assert state_of(str(tmp_path)) == (None, None)


def test_a_new_repository_without_a_commit(tmp_path):
    """There is a branch, and no commit on it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    assert state_of(str(tmp_path)) == (None, None)


@pytest.mark.parametrize("name", ["HEAD", "index"])
def test_files_of_git_cut_at_every_byte(repository, name):
    """B9: whatever stands there, it is known or not known, and never an exception."""
    path = repository.folder / ".git" / name
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        commit, dirty = state_of(str(repository.folder))
        assert (commit is None or len(commit) == 40) and dirty in (None, True, False)


def test_a_filter_on_contents_is_not_guessed(repository):
    """With `.gitattributes`, git may keep another text than the file's: touched files are of unknown state then."""
    repository.write(".gitattributes", "*.py text\n")
    repository.commit()
    repository.write("job.py", "x = 1\r\n")
    assert state_of(str(repository.folder))[1] in (None, False)


def test_what_is_too_large_is_not_read(repository, monkeypatch):
    """INV-11: a repository of a hundred thousand files costs nothing; its commit is known all the same."""
    monkeypatch.setattr("offduty.transactions.git.LARGEST_INDEX", 100)
    assert state_of(str(repository.folder)) == (repository.git("rev-parse", "HEAD"), None)
    monkeypatch.undo()
    monkeypatch.setattr("offduty.transactions.git.MOST_FILES", 1)
    assert state_of(str(repository.folder)) == (repository.git("rev-parse", "HEAD"), None)
    assert state_of(str(repository.folder / "src")) == (repository.git("rev-parse", "HEAD"), False)
