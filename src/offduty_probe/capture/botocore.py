"""AWS by botocore, and so by boto3: S3 as objects, SQS, SNS and Kinesis as queues, other services by the name of the operation."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.targets import url
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

QUEUES = {
    ("sqs", "SendMessage"): "queue.publish",
    ("sqs", "SendMessageBatch"): "queue.publish",
    ("sqs", "ReceiveMessage"): "queue.consume",
    ("sns", "Publish"): "queue.publish",
    ("sns", "PublishBatch"): "queue.publish",
    ("kinesis", "PutRecord"): "queue.publish",
    ("kinesis", "PutRecords"): "queue.publish",
    ("kinesis", "GetRecords"): "queue.consume",
}
READS, LISTS = ("Get", "Head", "Select"), ("List",)


def install(record: Ledger) -> Callable[[], None]:
    """`_make_api_call`, which every operation of every client goes through."""
    patches = Patches(record)
    patches.wrap(sys.modules["botocore.client"].BaseClient, "_make_api_call", _called, _answered, failure=failure)
    return patches.undo


def _called(args: Any, kwargs: Any) -> Said:
    meta = args[0].meta
    operation, given = argument(args, kwargs, 1, "operation_name"), argument(args, kwargs, 2, "api_params") or {}
    service = meta.service_model.service_name
    attributes: Known = {"rpc.system": "aws-api", "rpc.service": service, "rpc.method": operation}
    if service == "s3":
        return _of_s3(operation, given, attributes)
    op = QUEUES.get((service, operation))
    if op is not None:
        place = given.get("QueueUrl") or given.get("TopicArn") or given.get("TargetArn") or given.get("StreamName") or service
        return op, url(place) if "://" in place else place, attributes
    return "http.request", f"{url(str(meta.endpoint_url))} {service}.{operation}", attributes


def _of_s3(operation: str, given: Any, attributes: Known) -> Said:
    op = "object.read" if operation.startswith(READS) else "object.list" if operation.startswith(LISTS) else "object.write"
    bucket, key = given.get("Bucket") or "", given.get("Key") or given.get("Prefix") or ""
    if bucket:
        attributes["aws.s3.bucket"] = bucket
    if given.get("Key"):
        attributes["aws.s3.key"] = key
    return op, f"s3://{bucket}{'/' if bucket else ''}{key}", attributes


def _answered(answer: Any, args: Any, kwargs: Any) -> Known:
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    known: Known = {"status": status, "attributes": {"http.response.status_code": status}} if status else {}
    body = (argument(args, kwargs, 2, "api_params") or {}).get("Body")
    size = answer.get("ContentLength") if "ContentLength" in answer else len(body) if isinstance(body, (bytes, bytearray)) else None
    rows = answer.get("KeyCount")
    known.update({name: value for name, value in (("bytes", size), ("rows", rows)) if isinstance(value, int)})
    if hasattr(answer.get("LastModified"), "timestamp"):
        known["modified"] = answer["LastModified"].timestamp()
    return known


def failure(error: Any) -> Known:
    """The service's code; what it quotes are parameters. Of parameters that botocore refuses, only that."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict) and "Error" in answer:
        code = answer["Error"].get("Code")
        return {"status": answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or code, "message": without_values(str(error)),
                "attributes": {"error.type": code}}  # fmt: skip
    line = (str(error).splitlines() or [""])[0]
    return {"message": line if "Connect" in type(error).__name__ or "Timeout" in type(error).__name__ else without_values(line)}
