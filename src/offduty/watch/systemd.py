"""What systemd is told: that the watcher is ready, lives, stops (sd_notify(3)). Nothing where systemd did not ask."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(environ: Mapping[str, str], *lines: str) -> bool:
    """Send `READY=1` and the like; False if nobody asked for it, or nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    name = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.sendto("\n".join(lines).encode(), name)
    except OSError:
        return False
    return True


def watchdog(environ: Mapping[str, str]) -> float | None:
    """Seconds without a word after which systemd takes this process for hung; None if it does not wait for any (sd_watchdog_enabled(3))."""
    microseconds, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or pid not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1e6 or None


def unit(program: str, folder: str) -> str:
    """The service that keeps a watcher running."""
    return f"""\
# offduty-watch.service: notices what did not happen, and delivers what is owed.
[Unit]
Description=offduty watcher
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
WorkingDirectory={folder.replace("%", "%%")}
ExecStart={program.replace("%", "%%")} watch
Restart=always
RestartSec=5
# It says every ten seconds that it lives; hung, it is started anew.
WatchdogSec=60
TimeoutStopSec=20

[Install]
WantedBy={"multi-user.target" if os.geteuid() == 0 else "default.target"}
"""
