"""A sender as a process of its own: delivers for the channels `a` and `b`, each a file that gets a line for every message taken.

    python send_process.py STORE FOLDER [LEASE]

`FOLDER/a.refuses`, if it is there, makes `a` refuse; `FOLDER/a.hangs` makes it take the message and never answer.
SIGTERM: finish and go.
"""

from __future__ import annotations

import os
import signal
import sys

from offduty import failpoints
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.outbox import Limits, Outbox, bare
from offduty.clock import Clock, boot_id
from offduty.stores.patience import chance
from offduty.stores.sqlite import open_store


class FileChannel:
    """Takes a message by appending its key to a file, durably, as a receiver does before it answers."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name

    def send(self, alert, attempt):
        """One attempt."""
        failpoints.hit("channel.mid_send")
        if os.path.exists(f"{self.folder}/{self.name}.refuses"):
            raise DeliveryError("refused")
        with open(f"{self.folder}/{self.name}", "a", encoding="utf-8") as file:
            file.write(f"{alert.key} {alert.event} {alert.job} {alert.status}\n")
        if os.path.exists(f"{self.folder}/{self.name}.slow"):
            Clock().sleep(1.0)
        failpoints.hit("channel.after_200")
        return Receipt(id=alert.key)


def main(path, folder, lease="2"):
    """Serve until SIGTERM."""
    limits = Limits(lease=float(lease), deadline=float(lease) / 4, marking=float(lease) / 10, rate=1000.0, poll=0.05)
    channels = {name: FileChannel(folder, name) for name in ("a", "b")}
    outbox = Outbox(
        lambda: open_store(path).alerts, channels, lambda row, members: bare(row, "test"),
        clock=Clock(), rng=chance, owner=f"{os.getpid()}", boot=boot_id(), limits=limits,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: outbox.stop())
    print("ready", flush=True)
    outbox.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
