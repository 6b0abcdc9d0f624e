"""Cloud services: boto3 by service and operation, Google and Azure object stores, fsspec and its families."""

from __future__ import annotations

from offduty.transactions.scan import targets
from offduty.transactions.scan.rules import Call, Rule, Touch, each

S3_READS = (
    "get_object download_file download_fileobj head_object head_bucket get_object_attributes select_object_content get object_versions load"
)
S3_WRITES = (
    "put_object upload_file upload_fileobj copy_object copy delete_object delete_objects create_multipart_upload upload_part put delete"
)
S3_LISTS = "list_objects list_objects_v2 list_buckets get_paginator all filter paginate"
S3 = {
    **dict.fromkeys(S3_READS.split(), "object.read"),
    **dict.fromkeys(S3_WRITES.split(), "object.write"),
    **dict.fromkeys(S3_LISTS.split(), "object.list"),
}
# Operations of the other services that are not just a request.
SERVICES = {
    "sqs": {"send_message": "queue.publish", "send_message_batch": "queue.publish", "receive_message": "queue.consume",
            "send_messages": "queue.publish", "receive_messages": "queue.consume"},
    "sns": {"publish": "queue.publish", "publish_batch": "queue.publish"},
    "kinesis": {"put_record": "queue.publish", "put_records": "queue.publish", "get_records": "queue.consume"},
    "firehose": {"put_record": "queue.publish", "put_record_batch": "queue.publish"},
    "events": {"put_events": "queue.publish"},
    "ses": {"send_email": "mail.send", "send_raw_email": "mail.send", "send_templated_email": "mail.send"},
    "sesv2": {"send_email": "mail.send"},
    "athena": {"start_query_execution": "db.query", "get_query_results": "db.query"},
    "redshift-data": {"execute_statement": "db.query", "batch_execute_statement": "db.query"},
    "rds-data": {"execute_statement": "db.query", "batch_execute_statement": "db.query"},
    "dynamodb": {"*": "db.query"},
    "timestream-query": {"query": "db.query"},
    "glue": {"start_job_run": "compute.submit"},
    "emr": {"run_job_flow": "compute.submit", "add_job_flow_steps": "compute.submit"},
    "emr-serverless": {"start_job_run": "compute.submit"},
    "batch": {"submit_job": "compute.submit"},
    "sagemaker": {"create_training_job": "compute.submit", "create_transform_job": "compute.submit"},
    "stepfunctions": {"start_execution": "compute.submit"},
}  # fmt: skip
NAMED = (
    "QueueUrl",
    "TopicArn",
    "StreamName",
    "TableName",
    "FunctionName",
    "EndpointName",
    "SecretId",
    "Name",
    "WorkGroup",
    "JobName",
    "jobQueue",
)
LOCAL = frozenset(
    "close generate_presigned_url generate_presigned_post get_waiter meta Table Queue Bucket Object client resource can_paginate".split()
)
# Where a client takes bucket and key.
PLACES = {"upload_file": (1, 2), "upload_fileobj": (1, 2), "download_file": (0, 1), "download_fileobj": (0, 1)}
PARTS = frozenset({"Bucket", "Object", "ObjectSummary"})  # of a resource: they name a bucket, and perhaps a key


def on_aws(call: Call) -> Touch | None:
    """An operation of a client, or of a resource."""
    maker = call.maker()
    if maker is None or call.method in LOCAL:
        return None
    service = maker.text(0, "service_name") or ""
    if service in ("s3", "s3control"):
        op = S3.get(call.method, "http.request")
        return op, s3_address(call)
    known = SERVICES.get(service, {})
    op = known.get(call.method) or known.get("*") or "http.request"
    named = call.text(-1, *NAMED)
    return op, f"aws://{service}/{call.method}" + (f" {named}" if named else "")


def s3_address(call: Call) -> str:
    """`s3://bucket/key`, from the arguments or from the resource's `Bucket(…)` and `Object(…)`."""
    bucket, key = s3_arguments(call)
    step: Call | None = call
    while step is not None and bucket is None:
        step = on_what(step)
        if step is not None and step.method in PARTS:
            key = key or (step.text(0 if step.method == "Object" and len(step.node.args) == 1 else 1, "key"))
            bucket = step.text(0, "name", "bucket_name") if step.method == "Bucket" or len(step.node.args) != 1 else None
    return f"s3://{bucket or '{…}'}" + (f"/{key}" if key else "")


def on_what(call: Call) -> Call | None:
    """The call that gave the object this one is called on: one step only."""
    return call.made_in_one_step(call.receiver) if call.receiver is not None else None


def s3_arguments(call: Call) -> tuple[str | None, str | None]:
    """Bucket and key of an operation of a client."""
    bucket, key = call.text(-1, "Bucket"), call.text(-1, "Key", "Prefix")
    receiver = call.kind(call.receiver) if call.receiver is not None else ""
    on_client = receiver.endswith(".client()") or receiver == "boto3.client()"
    order = PLACES.get(call.method)
    if order is None:
        return bucket, key
    if not on_client:  # Bucket(…).upload_file(name, key)
        return bucket, key or call.text(order[0], "Key")
    return bucket or call.text(order[0]), key or call.text(order[1])


def unknown_s3(op: str) -> Rule:
    """On an object of unknown type: S3 if a `Bucket=` is passed, or bucket and key in their places."""

    def rule(call: Call) -> Touch | None:
        bucket, key = call.text(-1, "Bucket"), call.text(-1, "Key", "Prefix")
        if bucket is None and call.method in PLACES and len(call.node.args) == 3:
            bucket, key = (call.text(index) for index in PLACES[call.method])
        return (op, f"s3://{bucket}" + (f"/{key}" if key else "")) if bucket is not None else None

    return rule


def chained(scheme: str, op: str, *parts: str) -> Rule:
    """`client.bucket("b").blob("k").upload_…()`: what the methods named `parts` were called with makes the address."""

    def rule(call: Call) -> Touch:
        found: dict[str, str | None] = {}
        step: Call | None = call
        while step is not None:
            step = on_what(step)
            if step is not None and step.method in ADDRESSED:
                found.update({name: step.text(index, name) for index, name in enumerate(ADDRESSED[step.method])} | found)
        names = [found[part] for part in parts if found.get(part)]
        return op, f"{scheme}://" + "/".join(str(name) for name in names) if names else None

    return rule


# Methods that name a part of an address, and what their arguments are.
ADDRESSED = {
    "bucket": ("bucket",), "get_bucket": ("bucket",), "blob": ("blob",), "get_blob": ("blob",),
    "get_container_client": ("container",), "get_blob_client": ("container", "blob"),
}  # fmt: skip


def _bucket(call: Call) -> str | None:
    touch = chained("gs", "object.list", "bucket")(call)
    return touch[1] if touch is not None else None


def google_list(call: Call) -> Touch:
    """`client.list_blobs("bucket", prefix="…")`, or on a bucket."""
    on_bucket = call.method == "list_blobs" and call.receiver is not None and call.kind(call.receiver).endswith("bucket()")
    bucket, prefix = None if on_bucket else call.text(0, "bucket_or_name"), call.text(-1, "prefix")
    base = _bucket(call) if on_bucket else f"gs://{bucket or ''}"
    return "object.list", f"{base or 'gs://'}" + (f"/{prefix}" if prefix else "")


def azure(op: str) -> Rule:
    """A blob, or a container with the blob as first argument."""
    plain = chained("az", op, "container", "blob")

    def rule(call: Call) -> Touch:
        touch = plain(call) or (op, None)
        name = call.text(0, "name", "blob") if touch[1] and touch[1].count("/") == 2 else None
        return op, f"{touch[1]}/{name}" if name else touch[1]

    return rule


def filesystem(op: str, scheme: str = "", index: int = 0) -> Rule:
    """A method of an fsspec file system; its paths may do without the scheme."""

    def rule(call: Call) -> Touch:
        path = call.text(index, "path", "rpath", "urlpath", "path1")
        kind = scheme or _protocol(call)
        whole = f"{kind}://{path.lstrip('/')}" if path and kind and not targets.scheme(path) else path
        actual = op
        if call.method == "open":
            actual = "object.write" if set(call.known(1, "mode") or "r") & set("wax+") else "object.read"
        return actual, whole

    return rule


def _protocol(call: Call) -> str:
    maker = call.maker()
    return (maker.text(0, "protocol") or "") if maker is not None else ""


def fsspec_open(call: Call) -> Touch:
    """`fsspec.open("s3://…", "w")`."""
    path = call.text(0, "urlpath", "url")
    op = "file.write" if set(call.known(1, "mode") or "r") & set("wax+") else "file.read"
    return targets.op_by_scheme(op, path), path


def filesystem_methods(scheme: str = "") -> dict[str, Rule]:
    """What an fsspec file system can do."""
    return {
        **each("", "open cat cat_file get get_file download read_text read_bytes head info exists", filesystem("object.read", scheme)),
        **each("", "pipe pipe_file rm rm_file delete touch write_text write_bytes", filesystem("object.write", scheme)),
        **each("", "put put_file upload cp copy mv move", filesystem("object.write", scheme, 1)),
        **each("", "ls glob find walk du", filesystem("object.list", scheme)),
    }


GOOGLE = {
    **each("", "upload_from_filename upload_from_string upload_from_file delete rewrite", chained("gs", "object.write", "bucket", "blob")),
    **each(
        "", "download_to_filename download_as_bytes download_as_text download_as_string download_to_file open reload exists",
        chained("gs", "object.read", "bucket", "blob"),
    ),
    "list_blobs": google_list,
}  # fmt: skip
AZURE = {
    **each("", "upload_blob delete_blob", azure("object.write")),
    "download_blob": azure("object.read"),
    **each("", "list_blobs list_containers", chained("az", "object.list", "container")),
}

CALLS: dict[str, Rule] = {"fsspec.open": fsspec_open, "fsspec.open_files": fsspec_open}

ON: dict[str, dict[str, Rule]] = {
    "boto3.client": {"*": on_aws},
    "boto3.resource": {"*": on_aws},
    "google.cloud.storage.Client": GOOGLE,
    "azure.storage.blob.BlobServiceClient": AZURE,
    "azure.storage.blob.ContainerClient": AZURE,
    "azure.storage.blob.BlobClient": AZURE,
    "fsspec.filesystem": filesystem_methods(),
    "s3fs.S3FileSystem": filesystem_methods("s3"),
    "gcsfs.GCSFileSystem": filesystem_methods("gs"),
    "adlfs.AzureBlobFileSystem": filesystem_methods("az"),
}

METHODS: dict[str, Rule] = {
    **each("", "get_object download_file download_fileobj head_object", unknown_s3("object.read")),
    **each("", "put_object upload_file upload_fileobj copy_object delete_object", unknown_s3("object.write")),
    **each("", "list_objects list_objects_v2 paginate", unknown_s3("object.list")),
    **each("", "upload_from_filename upload_from_string upload_from_file", chained("gs", "object.write", "bucket", "blob")),
    **each("", "download_to_filename download_as_bytes download_as_text", chained("gs", "object.read", "bucket", "blob")),
    "upload_blob": azure("object.write"),
    "download_blob": azure("object.read"),
}

# Sessions give clients as the module does.
SAME: dict[str, str] = {
    **dict.fromkeys("boto3.Session().client boto3.session.Session().client aioboto3.Session().client".split(), "boto3.client"),
    **dict.fromkeys("boto3.Session().resource boto3.session.Session().resource aioboto3.Session().resource".split(), "boto3.resource"),
    "azure.storage.blob.BlobServiceClient.from_connection_string()": "azure.storage.blob.BlobServiceClient()",
    "google.cloud.storage.Client.from_service_account_json()": "google.cloud.storage.Client()",
    "s3fs.core.S3FileSystem": "s3fs.S3FileSystem",
}

HANDLES = frozenset("boto3.client boto3.resource fsspec.open fsspec.filesystem s3fs.S3FileSystem gcsfs.GCSFileSystem".split()) | frozenset(
    ("google.cloud.storage.Client", "azure.storage.blob.BlobServiceClient")
)
