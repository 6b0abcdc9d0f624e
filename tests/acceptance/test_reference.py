"""The reference pages say what the commands do: generated ones are as generated, and every JSON key is documented."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.cli import COMMANDS, reference

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs" / "reference"
RUN = {"root_id"}
TOLD = """
[job.told]
command = ["sh", "-c", "exit 7"]
owner = "ds"
[team.ds]
channels = ["hook"]
[channel.hook]
kind = "command"
command = ["true"]
[[triage]]
id = "SEVEN"
when = { exit_code = 7 }
"""
ABOVE = {"offduty.alert/1": "offduty.alerts/1", "offduty.incident/1": "offduty.incidents/1", "offduty.request/1": "offduty.requests/1"}
"""Forms that hold what another section describes."""
ROW = '[[triage]]\nid = "KEY-01"\nwhen = { exception = "KeyError" }\n'

ANSWERS = {
    "offduty.status/1": ["status", "--json"],
    "offduty.runs/1": ["runs", "--json"],
    "offduty.run/1": ["runs", "show", "--json"],
    "offduty.diff/1": ["runs", "diff", "fails", "fails", "--json"],
    "offduty.log/1": ["log", "--json"],
    "offduty.learn/1": ["learn", "nightly", "--json"],
    "offduty.check/1": ["check", "--json"],
    "offduty.config/1": ["config", "show", "--all", "--json"],
    "offduty.doctor/1": ["doctor", "--json"],
    "offduty.scan/1": ["scan", "--json"],
    "offduty.init/1": ["init", "--dry-run", "--force", "--json"],
    "offduty.completion/1": ["completion", "bash", "--json"],
    "offduty.triage/1": ["triage", "--json"],
    "offduty.triage_row/1": ["triage", "show", "KEY-01", "--json"],
    "offduty.triage_check/1": ["triage", "check", "--json"],
    "offduty.triage_why/1": ["triage", "why", "--json"],
    "offduty.triage_gaps/1": ["triage", "gaps", "--json"],
    "offduty.triage_coverage/1": ["triage", "coverage", "nightly", "--json"],
    "offduty.drill/1": ["drill", "nightly", "--unsafe", "--fault", "missed", "--json"],
    "offduty.triage_suggest/1": ["triage", "suggest", "--json"],
    "offduty.explain/1": ["triage", "explain", "job.py", "--json"],
    "offduty.alerts/1": ["alerts", "--json"],
    "offduty.alert/1": ["alerts", "show", "THE-ALERT", "--json"],
    "offduty.incidents/1": ["incidents", "--json"],
    "offduty.incident/1": ["incidents", "show", "THE-INCIDENT", "--json"],
    "offduty.silences/1": ["silence", "nightly", "--for", "1h", "--json"],
    "offduty.deliver/1": ["deliver", "--json"],
    "offduty.ready/1": ["ready", "nightly", "--json"],
    "offduty.handover/1": ["handover", "told", "--json"],
    "offduty.accept/1": ["handover", "accept", "told", "--json"],
    "offduty.digest/1": ["digest", "--json"],
    "offduty.value/1": ["value", "told", "--json"],
    "offduty.touch/1": ["touch", "nightly", "looked", "--json"],
    "offduty.request/1": ["request", "add", "nightly", "weekends", "--json"],
    "offduty.requests/1": ["request", "--json"],
    "offduty.watch/1": ["watch", "--once", "--json"],
    "offduty.schedule/1": ["schedule", "--json"],
    "offduty.error/1": ["runs", "show", "0000ffff", "--json"],
}
ELSEWHERE = {"offduty.up/1"}
"""Forms of commands that go on until they are stopped: `test_up.py`."""


def test_the_command_line_reference_is_as_the_commands_are():
    """If this fails: python -m offduty.cli.reference."""
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference.page()


def test_the_conditions_are_as_the_matchers_are():
    """If this fails: python -m offduty.cli.reference."""
    assert (DOCS / "conditions.md").read_text(encoding="utf-8") == reference.conditions()


def test_the_reference_has_every_command_with_an_example():
    """A command without an example does not teach."""
    page = reference.page()
    for name in COMMANDS:
        section = page.partition(f"\n## offduty {name}\n")[2].partition("\n## ")[0]
        assert f"$ offduty {name}" in section or f"offduty {name}" in section.partition("```console")[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a configuration that has a mistake, and a store in which a run failed with an exception and a warning."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "offduty.toml").write_text(
        '[job.nightly]\ncommand = ["true"]\nschedule = "30 2 * * *"\n[job.bad]\nretries = "three"\n' + TOLD + ROW
    )
    (folder / "job.py").write_text("import warnings\nwarnings.warn('old')\nraise KeyError('region')\n")
    answer(folder, "run", "told")
    answer(folder, "run", "--name", "fails", "--", sys.executable, "job.py")
    return folder


def answer(folder, *words) -> str:
    """What a command prints on stdout."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "OFFDUTY_STATE_DIR": f"{folder}/state", "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, "-m", "offduty", *words], env=env, cwd=folder, capture_output=True, text=True, timeout=60).stdout


def known_id(folder, word) -> str:
    """The id of the alert or the incident of this place, for its name here."""
    if word == "THE-ALERT":
        return json.loads(answer(folder, "alerts", "--json"))["alerts"][0]["key"]
    return json.loads(answer(folder, "incidents", "--json"))["incidents"][0]["id"] if word == "THE-INCIDENT" else word


def keys(value: object) -> set[str]:
    """The names of all keys in a document; a list counts as its items. Some objects have names for keys: of outcomes, packages, months."""
    named = ("counts", "packages", "files", "months", "touches", "incident_hours")
    if isinstance(value, dict):
        return set(value) | {key for name, item in value.items() if name not in named for key in keys(item)}
    return {key for item in value for key in keys(item)} if isinstance(value, list) else set()


@pytest.mark.parametrize("schema", ANSWERS)
def test_every_key_of_an_answer_is_documented(place, schema):
    """docs/reference/json.md has a section for the form, and names each key that is printed."""
    words = [known_id(place, word) for word in ANSWERS[schema]]
    printed = answer(place, *words)
    documents = [json.loads(line) for line in printed.splitlines()] if schema == "offduty.log/1" else [json.loads(printed)]
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    own = page.partition(f"\n## `{schema}`\n")[2].partition("\n## ")[0]
    own += page.partition(f"\n## `{ABOVE.get(schema)}`\n")[2].partition("\n## ")[0]
    own += page.partition("\n## `offduty.alerts/1`\n")[2].partition("\n## ")[0] if schema == "offduty.incident/1" else ""
    own += page.partition("\n## `offduty.incidents/1`\n")[2].partition("\n## ")[0] if schema == "offduty.status/1" else ""
    run = page.partition("\n## A run\n")[2].partition("\n## ")[0] if RUN & keys(documents) else ""
    documented = set(re.findall(r"`(?:\w+\[\]\.)?(\w+)`", own + run))
    assert documents[0]["schema"] == schema
    assert keys(documents) - {"schema"} - documented - keys_of_settings(documents) == set()


def keys_of_settings(documents) -> set[str]:
    """Values of settings may be tables of the user's own."""
    return {key for document in documents for setting in document.get("settings", []) for key in keys(setting.get("value"))}


def test_every_documented_form_is_tested_here():
    """No section for a form that no command answers with."""
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^## `(offduty\.\w+/\d+)`$", page)) == set(ANSWERS) | ELSEWHERE
