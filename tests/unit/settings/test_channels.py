"""Channels as they are configured: everything wrong is found when settings load, and nothing secret is shown."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from offduty.alerts.delivery import DeliveryError
from offduty.settings.load import load
from offduty.wiring.channels import ready

WRONG = {
    'kind = "slack"\nurl = { env = "INSIDE" }': "E222",
    'kind = "slack"\nurl = { env = "PLAIN" }': "E222",
    'kind = "slack"\nurl = { env = "WORD" }': "E221",
    'kind = "slack"\nurl = { env = "URL" }\nuser = "x"': "E203",
    'kind = "slack"': "E203",
    "kind = 3": "E203",
    'kind = "slack"\nurl = { env = "URL" }\ntimeout = "2 h"': "E203",
    'kind = "slack"\nurl = { env = "URL" }\nproxy = "socks5://x"': "E221",
    'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = "a@b\\nBcc: x@y.z"': "E203",
    'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = [' + '"a@b.c",' * 10_000 + "]": "E203",
    'kind = "email"\nhost = "h.example"\nport = 25\nsender = "a@b.c"\nto = "a@b.c"\ntls = "none"': "E222",
    'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = "a@b.c"\nuser = "u"': "E223",
    'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = "a@b.c"\nport = 70000': "E203",
    'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = "a@b.c"\ntls = "none"\nuser = "u"\npassword = { env = "WORD" }': "E223",
    'kind = "webhook"\nurl = { env = "URL" }\nheaders = { "X-A" = { env = "BROKEN" } }': "E203",
    'kind = "webhook"\nurl = { env = "URL" }\nheaders = { "X A" = "b" }': "E203",
    'kind = "webhook"\nurl = { env = "URL" }\nheaders = { Host = "b" }': "E203",
    'kind = "webhook"\nurl = { env = "URL" }\nsecret = { env = "WORD" }': "E203",
    'kind = "webhook"\nurl = { env = "URL" }\nformat = "xml"': "E203",
    'kind = "sns"\ntopic = "alerts"': "E223",
    'kind = "command"\ncommand = "page.sh"': "E203",
    'kind = "command"\ncommand = []': "E203",
}
ENVIRON = {
    "URL": "https://hooks.slack.com/services/hunter2",
    "INSIDE": "https://169.254.169.254/hunter2",
    "PLAIN": "http://hooks.slack.com/hunter2",
    "WORD": "hunter2",
    "BROKEN": "hunter2\r\nX-B: c",
}


@pytest.fixture
def configured(tmp_path):
    """Settings from the text of a channel's table."""

    def configure(table, **environ):
        (tmp_path / "offduty.toml").write_text(f"[channel.c]\n{table}\n")
        return load(str(tmp_path), {"HOME": str(tmp_path), **ENVIRON, **environ})

    return configure


@pytest.mark.parametrize("table", WRONG, ids=range(len(WRONG)))
def test_a_channel_that_cannot_be_used_is_found_when_settings_load(configured, table):
    """B8: one mistake, with its line; what is secret is not quoted, also where it came by reference (INV-12)."""
    settings = configured(table)
    assert [mistake.code for mistake in settings.mistakes] == [WRONG[table]]
    assert "offduty.toml:" in settings.mistakes[0].where
    assert "hunter2" not in str(settings.mistakes[0].as_error())
    assert settings.channels == {}
    with pytest.raises(DeliveryError) as caught:
        ready(settings, "c")
    assert caught.value.broken


def test_a_secret_that_changes_counts_at_once(configured, tmp_path):
    """References are read for every message, not when settings load."""
    file = tmp_path / "url"
    file.write_text("https://hooks.slack.com/services/one")
    settings = configured('kind = "slack"\nurl = { file = "url" }')
    assert vars(ready(settings, "c"))["url"].reveal().endswith("/one")
    file.write_text("https://hooks.slack.com/services/two")
    assert vars(ready(settings, "c"))["url"].reveal().endswith("/two")
    file.unlink()
    with pytest.raises(DeliveryError, match="E205"):
        ready(settings, "c")


def test_a_path_is_relative_to_the_file_that_names_it(configured, tmp_path):
    """`ca` and a command with a `/`: what is sent later is sent from elsewhere."""
    settings = configured('kind = "slack"\nurl = { env = "URL" }\nca = "own.pem"')
    assert vars(ready(settings, "c"))["ca"] == str(tmp_path / "own.pem")
    settings = configured('kind = "command"\ncommand = ["./page", "./x"]')
    assert vars(ready(settings, "c"))["command"] == (str(tmp_path / "page"), "./x")


def test_a_variable_sets_any_option(configured):
    """`OFFDUTY_CHANNEL__C__TIMEOUT`, and a list as TOML writes it."""
    table = 'kind = "email"\nhost = "h.example"\nsender = "a@b.c"\nto = "x@b.c"'
    settings = configured(
        table, OFFDUTY_CHANNEL__C__TIMEOUT="5", OFFDUTY_CHANNEL__C__TO='["y@b.c", "z@b.c"]', OFFDUTY_CHANNEL__C__PORT="2525"
    )
    channel = vars(ready(settings, "c"))
    assert settings.mistakes == []
    assert (channel["timeout"], list(channel["to"]), channel["port"]) == (5, ["y@b.c", "z@b.c"], 2525)


def test_check_and_doctor_show_a_channel_that_cannot_be_built(configured, tmp_path):
    """Both exit with 1 and name it."""
    configured('kind = "slack"\nurl = { env = "PLAIN" }')
    environ = {**os.environ, **ENVIRON, "OFFDUTY_STATE_DIR": str(tmp_path / "state")}
    for words, told in ((["check"], "E222 channel.c: the URL has no TLS"), (["doctor"], "channels CARE c")):
        done = subprocess.run([sys.executable, "-m", "offduty", *words], cwd=tmp_path, env=environ, capture_output=True, text=True)
        assert (done.returncode, told in " ".join(done.stdout.split())) == (1, True)
