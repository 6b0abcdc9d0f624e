"""A program of your own: it gets the alert as JSON on its standard input, and says by its exit status whether it told somebody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field

from offduty.alerts import wording
from offduty.alerts.alert import Alert
from offduty.alerts.channels.webhook import plain_data
from offduty.alerts.delivery import DEADLINE, FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.options import Arguments, Timeout

MOST_BYTES = 200_000
_NEVER = (64, 65)  # EX_USAGE, EX_DATAERR
_BROKEN = (69, 77, 78, 126, 127)  # EX_UNAVAILABLE, EX_NOPERM, EX_CONFIG, not executable, not found


@dataclass(frozen=True, kw_only=True)
class Command:
    """Start `command` (a list, no shell). Exit status 0: told; 64, 65: never will be; 69, 77, 78: the channel is broken; others: later."""

    command: Arguments
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """Run it once, in a session of its own that is killed when the time is over. Raises DeliveryError."""
        data = payload(wording.bare(alert) if attempt.minimal else alert)
        status = run(self.command, data, min(attempt.seconds, self.timeout))
        if status == 0:
            return Receipt(detail="exit 0")
        permanent = status in _NEVER
        raise DeliveryError(
            f"the command ended with {status}", permanent=permanent, minimal=permanent and not attempt.minimal, broken=status in _BROKEN
        )


def payload(alert: Alert) -> bytes:
    """One JSON object: the alert's fields, `headline`, and `text`, the whole message in words."""
    return wording.fitting(alert, _as_json, len, MOST_BYTES)


def run(command: tuple[str, ...], data: bytes, seconds: float) -> int:
    """The exit status. What it prints goes nowhere: it may hold anything. Raises DeliveryError if it cannot start or takes too long."""
    failure: DeliveryError
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "its arguments cannot be passed on"
        failure = DeliveryError(f"the command cannot be started: {why}", broken=True)
    else:
        try:
            process.communicate(data, seconds)
            return process.returncode
        except subprocess.TimeoutExpired:
            failure = DeliveryError("the command takes too long", ambiguous=True)
        finally:
            end(process)
    raise failure


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it, and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    if process.stdin:
        try:
            process.stdin.close()
        except OSError:
            pass
    process.wait()


def _as_json(alert: Alert) -> bytes:
    return json.dumps({**plain_data(alert), "text": wording.plain(alert)}).encode()
