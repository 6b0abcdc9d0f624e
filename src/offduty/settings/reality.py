"""What a configuration names must be there: programs, scripts, notebooks, files. For `offduty check`; not looked at before a run."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from offduty.errors import ConfigError, quoted
from offduty.settings import envfile, files
from offduty.settings.load import Settings
from offduty.settings.mistakes import Mistake, Path
from offduty.settings.reach import unreached

SCRIPTS = (".py", ".sh", ".R", ".r", ".jl", ".pl", ".rb", ".js", ".sql")


def missing(settings: Settings) -> list[Mistake]:
    """Every finding, each with the line of the setting that names what is not there, E211 to E213, or who cannot be told, E227."""
    found = [finding for name in settings.jobs for finding in _of_job(settings, name)]
    if settings.triage_file is not None:
        found += _of_triage(settings)
    found += unreached(settings)
    return [Mistake(f.code, f.path, f.what, f.why, f.fix, f.where or str(settings.source(f.path))) for f in found]


def _of_job(settings: Settings, name: str) -> Iterator[Mistake]:
    job = settings.launch(name)
    path: Path = ("job", name)
    if not os.path.isdir(job["cwd"]):
        yield _absent((*path, "cwd"), "folder", job["cwd"])
    elif job["command"]:
        yield from _of_command(job, (*path, "command"), settings.environ)
    if job["notebook"] and not os.path.isfile(job["notebook"]):
        yield _absent((*path, "notebook"), "notebook", job["notebook"])
    for number, file in enumerate(job["env_file"]):
        yield from _of_env_file(file, (*path, "env_file", number) if len(job["env_file"]) > 1 else (*path, "env_file"))


def _of_command(job: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> Iterator[Mistake]:
    """The program, and the script if it is the first argument."""
    program, *arguments = job["command"]
    own_path = job["env"].get("PATH")
    search = own_path if isinstance(own_path, str) else environ.get("PATH", os.defpath)
    there = os.path.join(job["cwd"], program) if "/" in program else shutil.which(program, path=search)
    if there is None:
        yield Mistake(
            "E212", path, f"there is no program {quoted(program)}", "not in any folder of PATH", "install it, or give its whole path"
        )
    elif not os.path.isfile(there):
        yield _absent(path, "program", there)
    elif not os.access(there, os.X_OK):
        yield Mistake("E212", path, f"{quoted(program)} cannot be executed", fix="chmod +x it, or put its interpreter first")
    script = arguments[0] if arguments else ""
    if script.endswith(SCRIPTS) and not os.path.isfile(os.path.join(job["cwd"], script)):
        yield _absent(path, "script", os.path.join(job["cwd"], script))


def _of_env_file(file: str, path: Path) -> Iterator[Mistake]:
    try:
        envfile.read(file)
    except ConfigError as error:
        yield Mistake(error.code, path, f"{error.where} {error.what}", error.why, error.fix)
        return
    if os.stat(file).st_mode & (stat.S_IROTH | stat.S_IWOTH):
        what = f"others can read {quoted(files.shown(file))}"
        yield Mistake("E213", path, what, "its values count as secrets", f"chmod 600 {files.shown(file)}")


def _of_triage(settings: Settings) -> list[Mistake]:
    folder = os.path.dirname(settings.files[-1]) if settings.files else settings.start
    file = os.path.join(folder, settings.triage_file or "")
    return [] if os.path.isfile(file) else [_absent(("triage",), "file", file)]


def _absent(path: Path, kind: str, name: str) -> Mistake:
    return Mistake("E212", path, f"the {kind} {quoted(files.shown(name))} is not there", fix="correct the path")
