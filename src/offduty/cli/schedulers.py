"""The schedulers of this machine as the commands reach them: crontab(1), and systemd's units."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from offduty.errors import UNAVAILABLE, OffdutyError, ScheduleError

TIME = 30.0  # seconds for a program of the machine


def here() -> str:
    """What starts things on this machine. Raises ScheduleError E307 if there is neither."""
    if os.path.isdir("/run/systemd/system") and shutil.which("systemctl"):
        return "systemd"
    if has_crontab():
        return "cron"
    raise ScheduleError("E307", "there is neither systemd nor cron here", fix="run `offduty up`, which starts jobs itself")


def has_crontab() -> bool:
    """Whether this machine has cron for its users."""
    return shutil.which("crontab") is not None


def crontab() -> str:
    """The user's crontab; empty if there is none. Raises OffdutyError E511."""
    done = _run(["crontab", "-l"])
    if done.returncode and "no crontab" not in done.stderr:
        raise _failed("crontab -l", done)
    return done.stdout if not done.returncode else ""


def write_crontab(text: str) -> None:
    """Replace the user's crontab. Raises OffdutyError E511: then it is what it was."""
    done = _run(["crontab", "-"], text)
    if done.returncode:
        raise _failed("crontab", done)


def units_folder(environ: Mapping[str, str]) -> str:
    """Where units of this user (root: of the machine) lie."""
    if os.geteuid() == 0:
        return "/etc/systemd/system"
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "/"), ".config")
    return f"{config}/systemd/user"


def write_units(folder: str, units: Mapping[str, str]) -> None:
    """Write the units and have systemd take them up. Raises OffdutyError E511, E115."""
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in units.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise OffdutyError("E115", "cannot be written", where=folder, why=str(error.strerror).lower(), fix="see --dry-run") from None
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", next(name for name in units if name.endswith(".timer")))


def remove_units(folder: str, job: str, *, dry_run: bool) -> list[str]:
    """Stop and remove the units of `job`; their paths."""
    paths = [path for ending in ("timer", "service") if os.path.isfile(path := f"{folder}/offduty-{job}.{ending}")]
    if paths and not dry_run:
        _systemctl("disable", "--now", f"offduty-{job}.timer")
        for path in paths:
            os.unlink(path)
        _systemctl("daemon-reload")
    return paths


def _systemctl(*words: str) -> None:
    command = ["systemctl", *([] if os.geteuid() == 0 else ["--user"]), *words]
    done = _run(command)
    if done.returncode:
        raise _failed(" ".join(command), done)


def _run(command: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIME, encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        raise ScheduleError("E307", f"there is no {command[0]} on this machine", fix="see `offduty schedule install --help`") from None
    except subprocess.TimeoutExpired:
        raise OffdutyError("E511", f"`{' '.join(command)}` did not answer for {TIME:.0f} s") from None


def _failed(command: str, done: subprocess.CompletedProcess[str]) -> OffdutyError:
    said = " ".join((done.stderr or done.stdout).split())[:200]
    problem = OffdutyError(
        "E511", f"`{command}` failed", why=said or f"exit status {done.returncode}", fix="see --dry-run for what it was given"
    )
    problem.status = UNAVAILABLE
    return problem
