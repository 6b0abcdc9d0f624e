"""S3 and SQS by boto3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["boto3", "moto"]
SERVERS = ["aws_port"]
NAMES = ["botocore.client.BaseClient._make_api_call"]
aws_port = 0
_clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """Made once: it takes long."""
    import boto3

    if service not in _clients:
        url, credentials = f"http://127.0.0.1:{aws_port}", {"aws_access_key_id": "CANARY", "aws_secret_access_key": "CANARY"}
        _clients[service] = boto3.client(service, region_name="eu-west-1", endpoint_url=url, **credentials)
    return _clients[service]


def prepare(folder: Path) -> None:
    """A bucket with an object, and a queue."""
    s3 = client("s3")
    s3.create_bucket(Bucket="feeds", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}) if not s3.list_buckets()[
        "Buckets"
    ] else None
    s3.put_object(Bucket="feeds", Key="sales/a.csv", Body=b"CANARY")
    client("sqs").create_queue(QueueName="jobs")


def _queue() -> str:
    return f"http://127.0.0.1:{aws_port}/123456789012/jobs"


GOOD = [
    ("object.read", "s3://feeds/sales/a.csv", lambda folder: client("s3").get_object(Bucket="feeds", Key="sales/a.csv")["Body"].read()),
    ("object.read", "s3://feeds/sales/a.csv", lambda folder: client("s3").head_object(Bucket="feeds", Key="sales/a.csv")["ContentLength"]),
    ("object.write", "s3://feeds/b", lambda folder: client("s3").put_object(Bucket="feeds", Key="b", Body=b"CANARY")["ETag"]),
    ("object.list", "s3://feeds/sales/", lambda folder: client("s3").list_objects_v2(Bucket="feeds", Prefix="sales/")["KeyCount"]),
    ("object.write", "s3://feeds/b", lambda folder: client("s3").delete_object(Bucket="feeds", Key="b") and None),
    ("queue.publish", "/jobs", lambda folder: client("sqs").send_message(QueueUrl=_queue(), MessageBody="CANARY")["MD5OfMessageBody"]),
    ("http.request", " sqs.GetQueueUrl", lambda folder: client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]),
]
BAD = [
    lambda folder: client("s3").get_object(Bucket="feeds", Key="missing"),
    lambda folder: client("s3").get_object(Bucket="feeds", Key="b", Range=5, ExpectedBucketOwner=["CANARY"]),
]
