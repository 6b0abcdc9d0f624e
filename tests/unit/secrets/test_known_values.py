"""Which values of an environment are secrets, and which cannot be masked and are told about instead."""

from __future__ import annotations

import os

import pytest

from offduty.secrets import Redactor

LONG = "Zx8123nnqpALk4"


@pytest.mark.parametrize(
    "name",
    (
        "DB_PASSWORD MYSQL_PWD PGPASSWORD db_passwd GITHUB_TOKEN apiKey OPENAI_API_KEY AWS_SECRET_ACCESS_KEY SSH_PRIVATE_KEY"
        " GOOGLE_CREDENTIALS CLIENT_SECRET SMTP_PASS BASIC_AUTH SLACK_WEBHOOK_URL SESSION_COOKIE AZURE_SAS_TOKEN SENTRY_DSN"
        " AIRFLOW__CORE__FERNET_KEY HMAC_SIGNATURE CSRF_TOKEN KEY_PASSPHRASE ACCESS_KEY X_ACCESS_TOKEN_PROD MY_SESSION"
    ).split(),
)
def test_names_that_announce_a_secret(name):
    """T01, T02: the value of a variable with such a name is masked."""
    assert Redactor({name: LONG}).text(f"value {LONG} end") == "value *** end"


@pytest.mark.parametrize(
    "name",
    (
        "SSH_AUTH_SOCK DB_PASSWORD_FILE PRIVATE_KEY_PATH TOKENIZERS_PARALLELISM XDG_SESSION_ID GPG_AGENT_INFO PWD OLDPWD"
        " DESKTOP_SESSION DBUS_SESSION_BUS_ADDRESS TERM_SESSION_ID SECRETARY MAX_TOKENS TOKEN_COUNT PASSWORD_POLICY AUTHOR"
        " PRIMARY_KEY COMPASS KEYBOARD SESSION_MANAGER TOKEN_URL PAD_TOKEN"
    ).split(),
)
def test_names_that_only_sound_like_it(name):
    """T01: over-masking guard."""
    assert Redactor({name: LONG}).text(f"value {LONG} end") == f"value {LONG} end"


@pytest.mark.parametrize(
    "value", ["12345", "abc", "true", "localhost", "postgres", "1234567890", os.uname().nodename, "me-myself", "/home/me-myself"]
)
def test_short_and_common_values_are_told_about_not_masked(value):
    """T01: masking these would star half the log; silence would promise what is not kept."""
    environ = {"DB_PASSWORD": value, "USER": "me-myself", "HOME": "/home/me-myself"}
    redactor = Redactor(environ)
    assert redactor.text(f"x {value} y") == f"x {value} y"
    assert len(redactor.notes) == 1 and redactor.notes[0].startswith("the value of DB_PASSWORD is too")
    assert value not in redactor.notes[0]


def test_an_empty_value_is_none():
    """An empty variable is neither masked nor worth a note."""
    redactor = Redactor({"DB_PASSWORD": "", "API_KEY": "  "})
    assert redactor.notes == [] and redactor.text("a b") == "a b"


def test_only_the_password_of_a_url_is_a_secret():
    """T01: `DATABASE_URL` shows its host and user still; its password is masked wherever it stands, decoded too."""
    redactor = Redactor({"DATABASE_URL": "postgresql://etl:Zx81%2Fnnqp@db.example:5432/sales"})
    assert redactor.text("password was Zx81/nnqp or Zx81%2Fnnqp") == "password was *** or ***"
    assert redactor.text("postgresql://etl:Zx81%2Fnnqp@db.example:5432/sales") == "postgresql://etl:***@db.example:5432/sales"
    assert redactor.text("etl at db.example sales") == "etl at db.example sales"


def test_only_the_password_of_a_connection_string_is_a_secret():
    """T01: ODBC and ADO strings."""
    redactor = Redactor({"ODBC_CONNECTION_STRING": f"Driver=x;Server=db.example;Uid=etl;Pwd={LONG};Encrypt=yes"})
    assert redactor.text(f"{LONG} db.example") == "*** db.example"


def test_a_webhook_is_masked_without_its_host_too():
    """T01: urllib3 logs the path apart from the host."""
    redactor = Redactor({"ALERT_WEBHOOK": "https://chat.example/hook/Zx8123nnqpALk4/room"})
    assert redactor.text('"POST /hook/Zx8123nnqpALk4/room HTTP/1.1" 404') == '"POST *** HTTP/1.1" 404'


def test_configured_names_and_values():
    """T01: what the configuration calls secret is, whatever its name."""
    redactor = Redactor({"PLAIN": LONG}, names=["PLAIN"], values=["other-value"])
    assert redactor.text(f"{LONG} other-value") == "*** ***"
    assert Redactor({}, values=["abc"]).notes == ["a configured secret is too short (fewer than 6 characters) to be masked in the log"]


def test_the_path_of_a_key_file_is_no_secret():
    """T01: `GOOGLE_APPLICATION_CREDENTIALS=/path/to/file` holds a path; over-masking guard."""
    assert Redactor({"GOOGLE_APPLICATION_CREDENTIALS": "/etc/passwd"}).text("open /etc/passwd") == "open /etc/passwd"


def test_undecodable_values_and_texts():
    """T02: bytes that are no UTF-8, as Python hands them over in `os.environ` and `sys.argv`."""
    value = os.fsdecode(b"Zx\xff8123\xe4nnqp")
    redactor = Redactor({"A_TOKEN": value})
    assert redactor.text(f"a {value} \udcff b") == "a *** \udcff b"
    assert redactor.text("half a pair \ud800") == "half a pair \ud800"


def test_a_large_value_is_masked_in_pieces():
    """T01, T03: a service account file of many kilobytes in one variable."""
    value = "".join(f"{n:04x}-Zq!" for n in range(1500))
    out = Redactor({"BIG_SECRET": value}).redact(f"a {value} b\n".encode(), final=True)[0]
    assert out == b"a *** b\n"


def test_a_value_that_holds_another_is_masked_whole():
    """T01: overlapping values, whichever is found first."""
    redactor = Redactor({"A_SECRET": "abcdef123456", "B_SECRET": "xx-abcdef123456-yyyyyyyyyyyyyyyyyyyyyy-abcdef123456"})
    assert redactor.text("1 xx-abcdef123456-yyyyyyyyyyyyyyyyyyyyyy-abcdef123456 2 abcdef123456") == "1 *** 2 ***"
