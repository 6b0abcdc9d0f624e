"""Secrets, end to end: real jobs that say them everywhere, and then a search through every byte that offduty keeps or shows."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import textwrap
from pathlib import Path
from urllib.parse import quote

import pytest

CANARIES = {
    "DB_PASSWORD": "Kanarie/pass+word=1",
    "CUSTOMER_KEY": "kanarie-listed-2",
    "FROM_FILE": "kanarie-env-file-3",
    "POINTED": "kanarie-pointed-4",
    "argument": "kanarie-argument-5",
    "userinfo": "kanarie-userinfo-6",
    "keyed": "kanarie-keyed-7",
}
JOB = """
import base64, json, logging, os, sys, urllib.parse, warnings
secrets = [os.environ[name] for name in ("DB_PASSWORD", "CUSTOMER_KEY", "FROM_FILE", "POINTED")]
for secret in secrets:
    print("out", secret, urllib.parse.quote(secret, safe=""), json.dumps({"x": secret}), base64.b64encode(secret.encode()).decode())
    print("err", secret, file=sys.stderr)
    warnings.warn(f"warned of {secret}", UserWarning, stacklevel=1)
    logging.getLogger("job").error("logged %s", secret)
half = secrets[0]
sys.stdout.write(half[:8]); sys.stdout.flush(); os.write(1, half[8:].encode() + b"\\n")
print("postgresql://dw:kanarie-userinfo-6@db.example/sales", "password=kanarie-keyed-7", sys.argv[1:])
"""
ENDS = {
    "raise": "raise ValueError(f'cannot use {secrets[0]} nor {secrets[2]}')",
    "chain": "try:\n    raise OSError(secrets[1])\nexcept OSError as error:\n    raise RuntimeError(f'with {secrets[3]}') from error",
    "exit": "sys.exit(f'gave up on {secrets[0]}')",
    "well": "",
}
ARGUMENTS = [
    "--password",
    "kanarie-argument-5",
    "--url=http://u:kanarie-userinfo-6@h/?token=kanarie-argument-5",
    "--token=kanarie-argument-5",
]


def forms(secret):
    """The secret as it may be found."""
    raw = secret.encode()
    in_base64 = base64.b64encode(raw).rstrip(b"=")[:-2]
    return [raw, quote(secret, safe="").encode(), in_base64, raw.hex().encode(), json.dumps(secret)[1:-1].encode()]


def found_in(data):
    """The names of the canaries in `data`."""
    return sorted(name for name, secret in CANARIES.items() if any(form in data for form in forms(secret)))


def kept(offduty, folder=None):
    """Where canaries are found below the state folder: {file: names}. Empty is what we want."""
    files = [path for path in (folder or offduty.state).rglob("*") if path.is_file()]
    assert files
    return {str(path.relative_to(offduty.state)): names for path in files if (names := found_in(path.read_bytes()))}


def shown(offduty):
    """Where canaries are found in what the look-back commands show."""
    run_id = offduty.record["id"]
    commands = [["status"], ["runs"], ["runs", "show", run_id], ["log", run_id], ["log", "--raw", "--force", run_id]]
    commands += [[*command, "--json"] for command in commands[:3]]
    here = [sys.executable, "-m", "offduty"]
    outputs = {" ".join(command): offduty.started_with([*here, *command], cwd=offduty.home) for command in commands}
    assert b"***" in outputs["log " + run_id].out
    return {command: names for command, done in outputs.items() if (names := found_in(done.out + done.err))}


@pytest.fixture
def leaky(offduty):
    """The job `it`, all of whose secrets are configured in one of the ways there are."""
    offduty.env |= {"DB_PASSWORD": CANARIES["DB_PASSWORD"], "CUSTOMER_KEY": CANARIES["CUSTOMER_KEY"]}
    (offduty.home / "it.env").write_text(f"FROM_FILE={CANARIES['FROM_FILE']}\n")
    (offduty.home / "pointed").write_text(CANARIES["POINTED"])
    for file in ("it.env", "pointed"):
        (offduty.home / file).chmod(0o600)

    def configure(*lines, command=None, code=JOB):
        (offduty.home / "job.py").write_text(code)
        what = f"command = {json.dumps(command or [sys.executable, 'job.py'])}"
        env = 'env_file = "it.env"\nsecrets = ["CUSTOMER_KEY"]\nenv = { POINTED = { file = "pointed" } }'
        (offduty.home / "offduty.toml").write_text("\n".join(["[job.it]", what, env, *lines]))
        return offduty

    return configure


@pytest.mark.parametrize("end", ENDS)
def test_no_secret_is_kept_or_shown(leaky, end):
    """T01, T02, INV-12: log, spool, store with its -wal, all commands; while the job's own stdout and stderr are untouched."""
    offduty = leaky(code=JOB + textwrap.dedent(ENDS[end]))
    done = offduty.run("it", *ARGUMENTS, cwd=offduty.home)
    assert kept(offduty) == {}
    assert shown(offduty) == {}
    assert kept(offduty) == {}, "after the store has taken it"
    assert found_in(done.out) == sorted(CANARIES) and done.out.count(CANARIES["DB_PASSWORD"].encode()) >= 3
    summary = done.err[done.err.index(b"== summary") :] if b"== summary" in done.err else b""
    assert found_in(summary) == [] and (end == "well" or b"***" in summary)


def test_a_long_job_whose_store_is_open(leaky):
    """The run's record goes into the store while it runs: nor is anything left in -wal or -shm."""
    offduty = leaky(code=JOB + "import time; time.sleep(0.8)\n" + ENDS["raise"])
    offduty.run("it", *ARGUMENTS, cwd=offduty.home)
    assert (offduty.state / "offduty.sqlite3").exists() and kept(offduty) == {} and shown(offduty) == {}


@pytest.mark.parametrize("command", [["/nowhere/program"], [sys.executable, "job.py"]])
def test_runs_that_never_started(leaky, command):
    """Skipped, or not to be found: their arguments are in the record as well."""
    offduty = leaky('overlap = "skip"', command=command, code="import time; open('up', 'w').write('x'); time.sleep(1)")
    if command[0] == sys.executable:
        first = offduty.start("it", cwd=offduty.home)
        offduty.wait_for_file(offduty.home / "up")
        assert offduty.run("it", *ARGUMENTS, cwd=offduty.home).code == 75
        first.communicate()
    else:
        assert offduty.run("it", *ARGUMENTS, cwd=offduty.home).code == 127
    assert kept(offduty) == {}
    assert "argument" not in str(found_in(json.dumps(offduty.records()).encode()))


def test_between_attempts(leaky):
    """What is kept of an attempt that is owed names no arguments."""
    offduty = leaky("retries = 1", 'retry_delay = "9 s"', code=JOB + ENDS["raise"])
    process = offduty.start("it", *ARGUMENTS, cwd=offduty.home)
    offduty.wait_for(lambda: list(offduty.state.glob("retries/*.json")) and offduty.records()[-1]["summary"], "the wait")
    offduty.wait_for(lambda: not list(offduty.state.rglob("*.events.jsonl")), "the end of what the probe wrote")
    assert kept(offduty) == {}
    process.terminate()
    process.communicate()


@pytest.mark.parametrize("name", ["log output", "record command", "summary", "started", "spool", "ended"])
def test_a_mistake_of_ours_leaks_nothing(leaky, name):
    """Rather no line than one with a secret: also where the redactor cannot be had, and in the record of the mistake itself."""
    offduty = leaky(code=JOB + ENDS["raise"])
    env = {"OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": f"{name}:raise"}
    done = offduty.run("it", *ARGUMENTS, cwd=offduty.home, env=env)
    assert done.code == 1 and found_in(done.out) == sorted(CANARIES)
    without_record = name in ("spool", "ended")  # as after a crash: what the probe wrote is all there is, and its owner's alone
    assert {file: names for file, names in kept(offduty).items() if not (without_record and file.endswith(".events.jsonl"))} == {}
    if name == "log output":
        assert b"Traceback" not in offduty.log() and offduty.logged() == b""


def test_a_killed_offduty_leaves_no_secret_for_long(leaky, untidy_offduty):
    """What the probe had written is not masked, but its owner's alone; who finds the run lost removes it."""
    offduty = leaky(code=JOB + "open('up', 'w').write('x')\nimport time; time.sleep(60)\n")
    process = offduty.start("it", *ARGUMENTS, cwd=offduty.home)
    offduty.wait_for_file(offduty.home / "up")
    offduty.wait_for(lambda: list(offduty.state.glob("spool/*")), "its record")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    held = kept(offduty)
    assert all(name.endswith(".events.jsonl") for name in held) and held
    assert {oct((offduty.state / name).stat().st_mode & 0o777) for name in held} == {"0o600"}
    listed = offduty.started_with([sys.executable, "-m", "offduty", "runs", "--json"], cwd=offduty.home)
    assert json.loads(listed.out)["runs"][0]["outcome"] == "lost"
    assert kept(offduty) == {}


def test_redaction_can_be_switched_off(leaky):
    """`--no-redact` is for those who know: the log is then the output, byte for byte."""
    offduty = leaky()
    done = offduty.run("--no-redact", "it", cwd=offduty.home)
    assert offduty.logged(b"|") == done.out


def test_a_notebook_leaks_nothing(leaky):
    """Its outputs are in the log and in the executed copy."""
    nbformat = pytest.importorskip("nbformat")
    from nbformat.v4 import new_code_cell, new_notebook

    offduty = leaky()
    code = JOB.replace("sys.argv[1:]", "'--token=kanarie-argument-5'")
    cells = [new_code_cell(code), new_code_cell("secrets"), new_code_cell("raise ValueError(secrets[0] + secrets[2])")]
    nbformat.write(new_notebook(cells=cells), offduty.home / "it.ipynb")
    config = (offduty.home / "offduty.toml").read_text()
    lines = ['notebook = "it.ipynb"' if "command" in line else line for line in config.splitlines()]
    (offduty.home / "offduty.toml").write_text("\n".join(lines))
    done = offduty.run("it", cwd=offduty.home)
    assert done.code == 1 and len(found_in(done.out)) == len(CANARIES)
    assert kept(offduty) == {} and shown(offduty) == {}
    assert list(Path(offduty.record["log"]).parent.glob("*.ipynb"))


def test_a_block_leaks_nothing(leaky):
    """The same for code in the same process, whose arguments are the program's own."""
    offduty = leaky(code="import offduty\nwith offduty.run('it'):\n" + textwrap.indent(JOB + ENDS["raise"], "    "))
    env = {name: CANARIES[name] for name in ("FROM_FILE", "POINTED")}
    env |= {f"{name}_SECRET": CANARIES[name] for name in ("FROM_FILE", "POINTED", "CUSTOMER_KEY")}  # a block knows secrets by name alone
    done = offduty.started_with([sys.executable, "job.py", *ARGUMENTS], cwd=offduty.home, env=env)
    assert done.code == 1 and len(found_in(done.out)) == len(CANARIES)
    assert kept(offduty) == {} and shown(offduty) == {}


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_all_files_are_their_owners_alone(leaky, mask):
    """T23: folders 0700, files 0600, whatever the umask, also those of a failing run and of the store."""
    offduty = leaky("retries = 1", 'retry_delay = "0.1 s"', code=ENDS["raise"].replace("secrets", "'ab'") + "\n")
    offduty.run("it", cwd=offduty.home, preexec_fn=lambda: os.umask(mask))
    offduty.started_with([sys.executable, "-m", "offduty", "status"], preexec_fn=lambda: os.umask(mask))
    modes = {str(path.relative_to(offduty.home)): path.stat().st_mode & 0o777 for path in [offduty.state, *offduty.state.rglob("*")]}
    assert {name: oct(mode) for name, mode in modes.items() if mode not in (0o600, 0o700)} == {}
