"""From values to what a start needs: paths, `${NAME}`, files of variables."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.errors import ConfigError
from offduty.settings import envfile
from offduty.settings.launch import environment, expand, launch

ENVIRON = {"A": "x", "B": "${A}", "D": "y$", "EMPTY": "", "HOME": "/home/me"}


@pytest.mark.parametrize(
    "text, result",
    {
        "": "",
        "plain $A": "plain $A",
        "${A}": "x",
        "1${A}2${A}3": "1x2x3",
        "${B}": "${A}",
        "$${A}": "${A}",
        "${D}${A}": "y$x",
        "${EMPTY}": "",
        "$": "$",
        "{A}": "{A}",
    }.items(),
)
def test_a_reference_is_replaced_once(text, result):
    """B2: one pass; what a value brings in is never looked at again."""
    assert expand(text, ENVIRON) == result


@pytest.mark.parametrize("text", ["${NOPE}", "${}", "${A", "${ A}", "x${A}${", "${${A}}"])
def test_a_reference_that_leads_nowhere_is_refused(text):
    """B2: E205."""
    with pytest.raises(ConfigError) as caught:
        expand(text, ENVIRON)
    assert caught.value.code == "E205"


def test_a_value_that_grows_over_64_kib_is_refused():
    """B2: `${VAR}` giving 1 MB."""
    with pytest.raises(ConfigError, match="1000000 characters"):
        expand("${BIG}", {"BIG": "x" * 1_000_000})


@pytest.mark.parametrize(
    "path, result",
    {"": "/c", "x": "/c/x", "/x": "/x", "../x": "/x", "~/x": "/home/me/x", "~": "/home/me", "~x": "/c/~x", "${A}/y": "/c/x/y"}.items(),
)
def test_paths_are_relative_to_the_configuration(path, result):
    """Wherever `offduty run` is called."""
    assert launch("a", {"cwd": path or None}, "/c", ENVIRON)["cwd"] == result


FILE = {
    "A=1": {"A": "1"}, "export A=1": {"A": "1"}, " A = 1 ": {"A": "1"}, "A=": {"A": ""}, "A=a b": {"A": "a b"}, "A=a # c": {"A": "a"},
    "A=a#c": {"A": "a#c"},
    "A=#fff": {"A": "#fff"}, "A= # c": {"A": ""}, "A='a # $b \\n'": {"A": "a # $b \\n"}, 'A="a # b\\n\\"" # c': {"A": 'a # b\n"'},
    "A=${B}": {"A": "${B}"},
    "# c\n\nA=1\r\nB=2\n": {"A": "1", "B": "2"}, "A=1\nA=2": {"A": "2"}, "A=b=c": {"A": "b=c"}, 'A="é"': {"A": "é"},
    'A="\\x"': {"A": "\\x"}, "exported=1": {"exported": "1"},
}  # fmt: skip


@pytest.mark.parametrize("text", FILE)
def test_a_file_of_variables_is_read_as_shells_and_tools_write_it(tmp_path, text):
    """One pass; nothing in it is replaced."""
    (tmp_path / "x.env").write_bytes(text.encode())
    assert envfile.read(str(tmp_path / "x.env")) == FILE[text]


@pytest.mark.parametrize(
    "line", ["hunter2", "1A=hunter2", "A B=hunter2", 'A="hunter2', "A='hunter2", 'A="hunter2" x', "A=hunter2\0", "=hunter2", "é=hunter2"]
)
def test_a_bad_line_is_named_and_its_value_never_shown(tmp_path, line):
    """T02, INV-12: E211 with the line; values count as secrets."""
    (tmp_path / "x.env").write_text(f"OK=1\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        envfile.read(str(tmp_path / "x.env"))
    assert (caught.value.code, caught.value.where.endswith("x.env:2")) == ("E211", True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "latin-1", "large"])
def test_a_file_of_variables_that_cannot_be_read_is_said(tmp_path, kind):
    """E211, and no hang."""
    path = tmp_path / "x.env"
    {
        "missing": lambda: None,
        "directory": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "latin-1": lambda: path.write_bytes(b"A=\xe9"),
        "large": lambda: path.write_bytes(b"#" * (1 << 21)),
    }[kind]()
    with pytest.raises(ConfigError) as caught:
        envfile.read(str(path))
    assert caught.value.code == "E211"


@given(
    st.dictionaries(
        st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,5}\Z"),
        st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=9),
        max_size=4,
    )
)
def test_what_is_written_in_double_quotes_comes_back(tmp_path_factory, values):
    """Any text can be given to a job."""
    path = tmp_path_factory.getbasetemp() / "back.env"
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in values.items()}
    path.write_text("".join(f'{name}="{value}"\n' for name, value in escaped.items()), encoding="utf-8", newline="")
    assert envfile.read(str(path)) == values


def test_the_environment_of_a_job_is_its_files_then_its_own_table(tmp_path):
    """Later wins; what came from a file or a reference is secret, and what is named in `secrets`."""
    (tmp_path / "a.env").write_text("A=1\nB=1\n")
    (tmp_path / "s").write_text("s3cret\n")
    job = {
        "env_file": [str(tmp_path / "a.env")],
        "env": {"B": "2", "C": {"file": str(tmp_path / "s")}, "D": {"env": "HOME"}},
        "secrets": ["E"],
    }
    assert environment(job, ENVIRON) == ({"A": "1", "B": "2", "C": "s3cret", "D": "/home/me"}, ["A", "B", "C", "D", "E"])
