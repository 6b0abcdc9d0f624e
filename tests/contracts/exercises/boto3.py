"""Files to and from S3 by boto3, in threads of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["boto3", "moto"]
SERVERS = ["aws_port"]
NAMES = "boto3.s3.inject.upload_file boto3.s3.inject.download_file s3transfer.tasks.Task.__call__".split()
aws_port = 0


def client() -> Any:
    """A new one: clients get their methods when they are made."""
    import boto3

    url, credentials = f"http://127.0.0.1:{aws_port}", {"aws_access_key_id": "CANARY", "aws_secret_access_key": "CANARY"}
    return boto3.client("s3", region_name="eu-west-1", endpoint_url=url, **credentials)


def prepare(folder: Path) -> None:
    """A bucket with an object, and a file."""
    import boto3.s3.inject  # noqa: F401  # as the first client does

    s3 = client()
    if "files" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="files", Key="a.csv", Body=b"CANARY")
    (folder / "b.csv").write_text("CANARY")


GOOD = [
    ("object.write", "s3://files/b.csv", lambda folder: client().upload_file(str(folder / "b.csv"), "files", "b.csv")),
    ("object.read", "s3://files/a.csv", lambda folder: client().download_file("files", "a.csv", str(folder / "c.csv"))),
]
BAD = [
    lambda folder: client().download_file("files", "missing", str(folder / "c.csv")),
]
