"""Gaps in who can be told, as `offduty check` finds them."""

from __future__ import annotations

import pytest

from offduty.settings.load import load
from offduty.settings.reality import missing

GOOD = """
[job.a]
command = ["true"]
owner = "ds"
[team.ds]
channels = ["hook"]
[channel.hook]
kind = "command"
command = ["true"]
"""
GAPS = {
    "no gap": ("", []),
    "no channel": ('[team.dp]\n[[triage]]\nteam = "dp"\nwhen = { exit_code = 1 }\n', ["team dp has no channel"]),
    "a dependency's": ('[team.dp]\n[dependency.x]\nmatch = "x"\nteam = "dp"\n', ["team dp has no channel"]),
    "a team that nobody names": ("[team.dp]\n", []),
    "no owner": ('[job.b]\ncommand = ["true"]\n', ["nobody is told of b, unless a row names a team"]),
    "an idle channel": ('[channel.idle]\nkind = "command"\ncommand = ["true"]\n', ["no team listens to idle"]),
    "a fallback": ('[channel.last]\nkind = "command"\ncommand = ["true"]\n[alerts]\nfallback = ["last"]\n', []),
    "to nobody": ('[alerts]\nescalate_after = "1 h"\n', ["there is nobody to escalate to"]),
    "never": ('[alerts]\nescalate_to = "ds"\n', ["it is never escalated"]),
    "escalates": ('[alerts]\nescalate_to = "ds"\nescalate_after = "1 h"\n', []),
    "no reminders": ('[alerts]\nremind_max = "1 d"\n', ["there are no reminders"]),
}


@pytest.mark.parametrize("gap", GAPS)
def test_who_cannot_be_told_is_found(tmp_path, gap):
    """Each gap once, with its line, as a warning that keeps nothing from running."""
    more, wanted = GAPS[gap]
    (tmp_path / "offduty.toml").write_text(GOOD + more)
    settings = load(str(tmp_path), {"PATH": "/usr/bin:/bin"})
    found = [one for one in missing(settings) if one.code == "E227"]
    assert [one.what for one in found] == wanted
    assert all("offduty.toml:" in one.where and one.weight == "warns" for one in found)


def test_without_channels_nobody_expects_to_be_told(tmp_path):
    """A first configuration is not nagged about."""
    (tmp_path / "offduty.toml").write_text('[job.a]\ncommand = ["true"]\nowner = "ds"\n[team.ds]\ncontact = "#ds"\n')
    assert missing(load(str(tmp_path), {"PATH": "/usr/bin:/bin"})) == []
