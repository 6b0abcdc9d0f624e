"""Which files count, and what is wrong with one before it is TOML."""

from __future__ import annotations

import os
import socket

import pytest

from offduty.errors import ConfigError
from offduty.settings import files
from offduty.settings.load import load
from offduty.settings.mistakes import ConfigErrors

JOB = '[job.a]\nshell = "true"\n'


def code_of(path):
    """The code and text of the one-line error that reading gives."""
    with pytest.raises(ConfigError) as caught:
        files.read(str(path))
    assert "\n" not in str(caught.value)
    return caught.value.code, str(caught.value)


def a_socket(path):
    """Leave a socket at `path`."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.close()


UNREADABLE = {
    "missing": (lambda path: None, "no such file"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "directory": (lambda path: path.mkdir(), "is a directory"),
    "fifo": (lambda path: os.mkfifo(path), "FIFO"),
    "socket": (a_socket, "socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "device"),
    "symlink loop": (lambda path: path.symlink_to(path), "too many levels"),
    "over the cap": (lambda path: path.write_bytes(b"#" * (files.LARGEST + 1)), "too large"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_is_said_with_the_systems_words(tmp_path, kind):
    """B2: E201, each with its errno, and none of them blocks."""
    make, words = UNREADABLE[kind]
    make(tmp_path / "offduty.toml")
    code, text = code_of(tmp_path / "offduty.toml")
    assert code == "E201"
    assert words.lower() in text.lower()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be")
def test_a_file_that_others_may_read_only_is_e201(tmp_path):
    """B2: permission denied."""
    path = tmp_path / "offduty.toml"
    path.write_text(JOB)
    path.chmod(0)
    os.chmod(tmp_path, 0o755)
    os.seteuid(65534)
    try:
        code, _ = code_of(path)
    finally:
        os.seteuid(0)
    assert code == "E201"


NOT_TEXT = {
    "utf-16": (JOB.encode("utf-16"), "byte 0"),
    "latin-1": (b'# caf\xe9\n[job.a]\nshell = "true"\n', "byte 5"),
    "latin-1 behind a mark": (b"\xef\xbb\xbf# caf\xe9\n", "byte 8"),
    "NUL": (b"# a\0b\n", "byte 3"),
}


@pytest.mark.parametrize("kind", NOT_TEXT)
def test_what_is_not_utf8_is_said_with_its_byte(tmp_path, kind):
    """B2: E202 with the byte offset."""
    content, offset = NOT_TEXT[kind]
    (tmp_path / "x.toml").write_bytes(content)
    code, text = code_of(tmp_path / "x.toml")
    assert code == "E202"
    assert offset in text


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + JOB.encode(), JOB.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + JOB.replace("\n", "\r\n").encode()]
)
def test_a_byte_order_mark_and_crlf_are_fine(project, world, content):
    """B2: files come from Windows."""
    assert list(load(project(content), world).jobs) == ["a"]


NOT_TOML = {
    "truncated in a string": ('[job.a]\nshell = "tr', "E202", ":2:"),
    "no value": ("[job.a]\nshell =\n", "E202", ":2:"),
    "a key twice": ('[job.a]\nshell = "a"\nshell = "b"\n', "E203", ":3"),
    "a table twice": (JOB + JOB, "E203", ":3"),
    "lists 10 000 deep": ("x = " + "[" * 10_000 + "]" * 10_000, "E203", "32"),
    "tables 40 deep": ("[" + ".".join("a" * 40) + "]\n", "E203", "32"),
    "a dotted key 20 000 deep": (".".join("a" * 20_000) + " = 1\n", "E203", "32"),
    "inline tables 40 deep": ("x = " + "{a = " * 40 + "1" + "}" * 40, "E203", "32"),
}


@pytest.mark.parametrize("kind", NOT_TOML)
def test_what_is_not_toml_is_said_with_its_place(project, world, kind):
    """B2: E202 not TOML, E203 twice or too deep (depth cap 32); a 40 kB key must not take seconds."""
    text, code, place = NOT_TOML[kind]
    with pytest.raises(ConfigErrors) as caught:
        load(project(text), world)
    assert [m.code for m in caught.value.mistakes] == [code]
    assert place in str(caught.value)


def test_dots_in_texts_are_no_depth(project, world):
    """Only keys nest: a sentence full of dots is a sentence."""
    assert list(load(project(f'[job.a]\nshell = "{"." * 500}" # {"a." * 500}\n'), world).jobs) == ["a"]


def test_the_nearest_file_wins_up_to_the_repository(tmp_path, world):
    """Above the folder with .git nobody looks."""
    deep = tmp_path / "repo" / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "offduty.toml").write_text('[job.outside]\nshell = "true"\n')
    (tmp_path / "repo" / ".git").mkdir()
    assert load(str(deep), world).jobs == {}
    (tmp_path / "repo" / "offduty.toml").write_text(JOB)
    assert list(load(str(deep), world).jobs) == ["a"]


def test_the_home_folder_is_the_last_one_looked_at(tmp_path, world):
    """A file above the home folder belongs to somebody else."""
    (tmp_path / "offduty.toml").write_text(JOB)
    assert load(world["HOME"], world).jobs == {}


def test_pyproject_counts_only_with_our_table(project, world):
    """One without is none of our business, even if it is broken."""
    folder = project("[tool.other\n", "pyproject.toml")
    assert load(folder, world).files == []
    project('[tool.offduty.job.a]\nshell = "true"\nretries = "x"\n', "pyproject.toml")
    assert "pyproject.toml:3" in load(folder, world).mistakes[0].where


def test_later_sources_win(tmp_path, project, world):
    """Machine < user < project < variables, value by value."""
    for path, retries in ((tmp_path / "etc/offduty", 1), (tmp_path / "home/.config/offduty", 2)):
        path.mkdir(parents=True)
        (path / "config.toml").write_text(f"[job.a]\nretries = {retries}\nstop_grace = {retries}\nretry_delay = 9\n")
    (tmp_path / "home/.config/offduty/config.toml").write_text("[job.a]\nretries = 2\nstop_grace = 2\n")
    folder = project('[job.a]\nshell = "true"\nretries = 3\n')
    job = load(folder, {**world, "OFFDUTY_JOB__A__RETRIES": "4"}).job("a")
    assert (job.retries, job.stop_grace, job.retry_delay) == (4, 2, 9)


def test_config_replaces_the_search_and_the_option_wins_over_the_variable(tmp_path, project, world):
    """`--config` over `OFFDUTY_CONFIG` over what lies around."""
    folder = project(JOB)
    for name in "bc":
        (tmp_path / f"{name}.toml").write_text(f'[job.{name}]\nshell = "true"\n')
    world["OFFDUTY_CONFIG"] = str(tmp_path / "b.toml")
    assert list(load(folder, world).jobs) == ["b"]
    assert list(load(folder, world, config=str(tmp_path / "c.toml")).jobs) == ["c"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is at risk")
@pytest.mark.parametrize("harm", ["owner", "mode"])
def test_root_trusts_only_what_root_alone_can_write(project, world, harm):
    """B1: E107, and nothing is loaded."""
    path = f"{project(JOB)}/offduty.toml"
    os.chown(path, 65534, -1) if harm == "owner" else os.chmod(path, 0o666)
    with pytest.raises(ConfigErrors) as caught:
        load(os.path.dirname(path), world)
    assert caught.value.code == "E107"


@pytest.mark.parametrize("depth, refused", [(31, False), (32, True)])  # the outermost table is the first of 32
def test_the_cap_on_depth_is_32(project, world, depth, refused):
    """B2: at the limit and one over it, by tables and by lists."""
    for text in ("x = " + "{a = " * (depth - 1) + "{}" + "}" * (depth - 1), "x = " + "[" * depth + "]" * depth):
        try:
            load(project(text + "\n"), world)
            found = ""
        except ConfigErrors as error:
            found = error.code
        assert found == ("E203" if refused else "")
