"""Files that boto3 moves from and to S3 in pieces, by threads of its own: one transaction each."""

from __future__ import annotations

import sys

from offduty_probe.capture.botocore import failure
from offduty_probe.capture.dbapi import Beside
from offduty_probe.capture.ledger import inside
from offduty_probe.capture.wrapping import Patches, argument, looking_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said

PLACES = {
    "upload_file": (2, 3),
    "upload_fileobj": (2, 3),
    "download_file": (1, 2),
    "download_fileobj": (1, 2),
    "copy": (2, 3),
}  # Bucket, Key


def install(record: Ledger) -> Callable[[], None]:
    """The functions that boto3 gives to clients; what its threads call for them is part of it."""
    inject, tasks, futures = (sys.modules[name] for name in ("boto3.s3.inject", "s3transfer.tasks", "s3transfer.futures"))
    parts = Beside()
    patches = Patches(record)
    for name in PLACES:
        patches.wrap(inject, name, _moved(name), failure=failure)

    def submit(original: Any) -> Any:
        def wrapper(self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
            if inside.get() is record.here:
                parts.put(task, True)
            return original(self, task, *args, **kwargs)

        return looking_like(original, wrapper)

    def run(original: Any) -> Any:
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            token = inside.set(record.here) if parts.take(self) else None
            try:
                return original(self, *args, **kwargs)
            finally:
                if token is not None:
                    inside.reset(token)

        return looking_like(original, wrapper)

    patches.put(futures.BoundedExecutor, "submit", submit)
    patches.put(tasks.Task, "__call__", run)
    patches.undos.append(parts.kept.clear)
    return patches.undo


def _moved(name: str) -> Callable[[Any, Any], Said]:
    bucket_at, key_at = PLACES[name]

    def describe(args: Any, kwargs: Any) -> Said:
        bucket, key = argument(args, kwargs, bucket_at, "Bucket"), argument(args, kwargs, key_at, "Key")
        attributes = {"rpc.system": "aws-api", "rpc.service": "s3", "rpc.method": name, "aws.s3.bucket": bucket, "aws.s3.key": key}
        return "object.read" if name.startswith("download") else "object.write", f"s3://{bucket}/{key}", attributes

    return describe
