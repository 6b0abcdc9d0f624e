"""From a job's name to a `Job` that can be started. The full settings are loaded only if the fast path declines."""

from __future__ import annotations

import os
import sys

from offduty import places
from offduty.errors import OFFDUTY_FAILED, ConfigError, quoted
from offduty.runs.job import Job
from offduty.settings.launch import environment
from offduty.settings.quick import quick_job
from offduty.settings.remembered import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.places import Places


def find_job(name: str, start: str, environ: Mapping[str, str], config: str | None, *, strict: bool) -> tuple[Job, Places]:
    """The configured job `name`, seen from the folder `start`, and the folders it is recorded in; raises ConfigError or NotThere.

    With `strict`, given here or in the job's table, any mistake in the configuration refuses the start (status 125),
    also one in a part this run does not need.
    """
    usual = places.find(environ)
    memory = Memory(usual.remembered)
    found = None if strict else quick_job(name, start, environ, config, memory)
    if found is not None and not found["strict"]:
        job = make_job(found, environ, start)
        job.remember = memory.keep if memory.parsed else None
        return job, usual
    from offduty.settings.load import load
    from offduty.settings.mistakes import ConfigErrors

    settings = load(start, environ, config=config)
    found = settings.launch(name)
    wrong = [mistake for mistake in settings.mistakes if mistake not in settings.warnings]
    if wrong and (strict or found["strict"]):
        refused = ConfigErrors(wrong)
        refused.status = OFFDUTY_FAILED
        raise refused
    return make_job(found, environ, start), settings.places()


def make_job(found: Mapping[str, Any], environ: Mapping[str, str], start: str) -> Job:
    """The `Job` for what `settings.launch.launch` returned."""
    env, secrets = environment(found, environ)
    return Job(
        found["name"], _command(found, secrets), cwd=found["cwd"], env=env, secrets=secrets, configured=True, start=start,
        notebook=found["notebook"] or "", schedule=found["schedule"] or found["every"] or "",
        **{key: found[key] for key in (
            "retries", "retry_delay", "retry_max_delay", "max_duration", "kill_after", "min_duration", "stop_grace", "overlap", "pty",
            "kill_leftovers", "survive", "strict", "redact", "tells", "metrics", "log_max_size", "keep_s", "keep_runs", "keep_bytes",
        )},
    )  # fmt: skip


def _command(found: Mapping[str, Any], secrets: list[str]) -> list[str]:
    """The argument list of a command, a shell line or a notebook."""
    if found["command"]:
        return list(found["command"])
    if found["shell"]:
        return ["/bin/sh", "-c", found["shell"], "sh"]
    if found["notebook"]:
        if not os.path.exists(found["notebook"]):
            what = f"the notebook {quoted(found['notebook'])} is not there"
            raise ConfigError("E212", what, where=f"job.{found['name']}", fix="correct the path")
        from offduty.runs.spool import encode

        options = encode({"parameters": found["parameters"], "secrets": secrets, "redact": found["redact"]})
        return [sys.executable, "-P", "-m", "offduty.runs.notebook", found["notebook"], options]
    raise ConfigError("E209", f"job {quoted(found['name'])} has nothing to run", fix="give it a command, a shell line or a notebook")
