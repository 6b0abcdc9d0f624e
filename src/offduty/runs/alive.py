"""Is the process that supervised a run still there? A pid alone does not say: it is used again, and after a reboot it is another's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from offduty.clock import boot_id
from offduty.runs.processes import look

if TYPE_CHECKING:
    from collections.abc import Mapping


def supervisor_alive(run: Mapping[str, object]) -> bool | None:
    """True or False for a run of this host; None for a run of another, which nobody can judge from here.

    `host`, `boot_id`, `pid` and `pid_started` of the record are looked at. A zombie writes no more: it is gone.
    """
    if run["host"] != os.uname().nodename:
        return None
    if run["boot_id"] != boot_id():
        return False
    process = look(int(str(run["pid"])))
    return process is not None and process.started == run["pid_started"] and process.state not in ("Z", "X")
