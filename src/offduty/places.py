"""Where offduty keeps things: the XDG folders, or what systemd hands over.

Written out here rather than taken from platformdirs, whose import costs more than the whole search
(docs/explanation/decisions/0002-fast-path.md). Locks live in the state folder and never in `$XDG_RUNTIME_DIR`:
cron, a login shell and a service see different values of it, and a lock that two of them do not share is none.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

STORE_NAME = "offduty.sqlite3"


class Places:
    """The folders of one installation. `state` holds the store, spool, locks and retries; `logs` one folder per job."""

    def __init__(self, state: str, logs: str) -> None:
        self.state, self.logs = state, logs
        self.spool = f"{state}/spool"
        self.locks = f"{state}/locks"
        self.retries = f"{state}/retries"
        self.beats = f"{state}/beats"
        self.remembered = f"{state}/remembered"
        self.store = f"{state}/{STORE_NAME}"
        self.reserve = f"{state}/reserve"


def find(environ: Mapping[str, str], *, root: bool | None = None) -> Places:
    """The folders that `environ` asks for; `OFFDUTY_STATE_DIR` and `OFFDUTY_LOGS_DIR` win over systemd's, those over XDG's."""
    state = _first(environ, "OFFDUTY_STATE_DIR", "STATE_DIRECTORY") or _default_state(environ, os.geteuid() == 0 if root is None else root)
    return Places(state, _first(environ, "OFFDUTY_LOGS_DIR", "LOGS_DIRECTORY") or f"{state}/logs")


def _first(environ: Mapping[str, str], ours: str, systemd: str) -> str:
    """systemd may list several folders, with colons; the first is meant. A relative path would move with the job: made absolute."""
    chosen = environ.get(ours) or environ.get(systemd, "").split(":")[0]
    return os.path.abspath(chosen) if chosen else ""


def _default_state(environ: Mapping[str, str], root: bool) -> str:
    xdg = environ.get("XDG_STATE_HOME", "")
    if xdg.startswith("/"):  # the specification: relative paths are invalid and ignored
        return f"{xdg}/offduty"
    return "/var/lib/offduty" if root else os.path.expanduser("~/.local/state/offduty")


def make_private(folder: str) -> None:
    """Create `folder` for its owner alone (0700), whatever the umask; parents too."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    if not os.path.isdir(parent):
        make_private(parent)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
    os.chmod(folder, 0o700)
