"""Libraries that come by another one's capture: s3fs by fsspec's, cloudpickle by pickle's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bucket(aws_port: int) -> Any:
    """S3 by s3fs, with a table."""
    s3fs = pytest.importorskip("s3fs")
    place = {"endpoint_url": f"http://127.0.0.1:{aws_port}", "region_name": "eu-west-1"}
    options = {"key": "hunter2", "secret": "hunter2", "client_kwargs": place}
    plain = s3fs.S3FileSystem(**options)
    if not plain.exists("families"):
        plain.mkdir("families")
    plain.pipe("families/sales.csv", b"region,sales\nhunter2,1\n")
    return options


def test_s3fs_tells_reading_writing_and_listing(watch: Any, bucket: dict[str, Any]) -> None:
    """Each call of the job's once, whatever the library does for it in a thread of its own. gcsfs and adlfs go the same way: untried."""
    import s3fs

    watch.install("fsspec", "fsspec_asyn", "botocore")
    files = s3fs.S3FileSystem(**bucket, skip_instance_cache=True)
    files.pipe("families/out.csv", b"hunter2")
    assert files.cat("families/out.csv") == b"hunter2"
    assert len(files.ls("families")) == 2
    with files.open("families/sales.csv") as file:
        file.read()
    with pytest.raises(FileNotFoundError):
        files.cat("families/missing.csv")
    assert watch.lines() == [
        "object.write s3://families/out.csv",
        "object.read s3://families/out.csv",
        "object.list s3://families",
        "object.read s3://families/sales.csv",
        "object.read s3://families/missing.csv",
    ]


def test_read_csv_from_s3_counts_once(watch: Any, bucket: dict[str, Any]) -> None:
    """The outermost is pandas: an object that is read, with its rows."""
    import pandas

    watch.install("fsspec", "fsspec_asyn", "botocore", "pandas")
    pandas.read_csv("s3://families/sales.csv", storage_options=bucket)
    (told,) = watch.told()
    assert (told["op"], told["target"], told["rows"]) == ("object.read", "s3://families/sales.csv", 1)


def test_cloudpickle_loads_models(watch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `load` is pickle's own."""
    cloudpickle = pytest.importorskip("cloudpickle")
    monkeypatch.setattr("offduty_probe.capture.pickles.is_noise", lambda _: False)  # or a folder for tests may be one
    (tmp_path / "model.cloudpickle").write_bytes(cloudpickle.dumps(lambda: "hunter2"))
    plain = cloudpickle.load
    watch.install("pickles")
    with (tmp_path / "model.cloudpickle").open("rb") as file:
        assert cloudpickle.load(file)() == "hunter2"
    assert watch.lines() == [f"model.load {tmp_path}/model.cloudpickle"]
    watch.uninstall()
    assert cloudpickle.load is plain
