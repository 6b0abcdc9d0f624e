"""Secrets that stand open in code are found by their line; names, calls, templates and examples are none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.secrets.places import lines_with_secrets
from offduty.wiring.opensecrets import LARGEST_FILE, in_sources


def canaries():
    """Made-up tokens of every format."""
    spec = importlib.util.spec_from_file_location("canaries_of_sources", Path(__file__).with_name("canaries.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.canaries()


CANARIES = canaries()


@pytest.mark.parametrize("title", CANARIES)
def test_a_token_of_a_known_form_is_found_whatever_it_is_called(title):
    """On its line, in code, in a comment and in a notebook's JSON."""
    token = CANARIES[title]
    assert lines_with_secrets(f'import x\n\nx.go("{token}")\n# {token}\n'.encode()) == [3, 4]
    assert lines_with_secrets(f'{{"source": ["x = \\"{token}\\"\\n"]}}'.encode()) == [1]


@pytest.mark.parametrize(
    "line",
    [
        'connect(user="etl", password="hunter2")', "PASSWORD = 'correcthorse'", 'db_password <- "hunter2"  # password = "hunter2"',
        'url = "postgresql://etl:s3cretpw@dw/sales"', 'cfg = {"api_key": "abcd1234efgh5678"}', "export PGPASSWORD='hunter2'",
        '"  \\"password\\": \\"hunter2\\",\\n"', "client_secret: 'q8w7e6r5t4y3'",
    ],
)  # fmt: skip
def test_what_is_called_a_secret_and_stands_in_quotes_is_one(line):
    """Passwords of any kind; keys and tokens where they look like one."""
    assert lines_with_secrets(f"\n{line}\n".encode()) == [2]


@pytest.mark.parametrize(
    "line",
    [
        'password = os.environ["DB_PASSWORD"]', 'f"postgresql://{user}:{password}@dw/sales"', "api_key = API_KEY", 'print("password: ")',
        'x = input("Password:")', 'headers = {"Authorization": f"Bearer {token}"}', 'parser.add_argument("--password", help="a password")',
        'secret = "db-credentials"', 'fetch(u, {credentials: "include"})', "# postgresql://user:pass@host/db", "{'password': 'required'}",
        "{'token': 'access_token'}", 'x = "PWD=" + pwd + ";UID=sa"', "x = f\"password='{pw}'\"", 'form.password.label = "Password"',
        'ADMIN_PASSWORD = "ADMIN_PASSWORD"', 'key = "AKIAIOSFODNN7EXAMPLE"', 'go("ALTER USER x PASSWORD %s", (pw,))', 'token = ""',
        'tokens = tokenizer("a text", max_tokens=512)', "password = getpass('Password for etl: ')", 'secrets = "secrets.toml"',
    ],
)  # fmt: skip
def test_names_calls_templates_and_examples_are_none(line):
    """What a job does with secrets that it takes from elsewhere, as it should."""
    assert lines_with_secrets(line.encode()) == []


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_have_lines(data):
    """Total: a file that is no text is looked at like any other."""
    assert all(1 <= line <= data.count(b"\n") + 1 for line in lines_with_secrets(data))


def test_what_is_no_readable_file_is_not_counted(tmp_path):
    """Gone, a folder, too large: not looked at; the value is never told, only where it stands."""
    (tmp_path / "a.py").write_text('x = 1\npassword = "hunter2"\n')
    (tmp_path / "large.py").write_bytes(b"#" * (LARGEST_FILE + 1))
    assert in_sources(["a.py", "gone.py", ".", "large.py", "\0"], str(tmp_path)) == (["a.py:2"], 1)
