"""Targets: absolute paths and masked URLs; what is no path is a buffer; noise is left out."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from offduty_probe.capture.noise import is_noise, prefixes
from offduty_probe.capture.shapes import MOST_COLUMNS, shape_text
from offduty_probe.capture.targets import masked_text, reads, target_of, url, writes


@pytest.mark.parametrize(
    "given, masked",
    [
        ("https://api.example/v1/calls?day=2026-11-23&key=hunter2", "https://api.example/v1/calls?day=***&key=***"),
        ("https://user:hunter2@api.example:8080/v1#hunter2", "https://api.example:8080/v1"),
        ("https://hunter2@api.example", "https://api.example"),
        ("https://api.example/?hunter2", "https://api.example/?***"),
        ("https://api.example/?a=1;key=hunter2", "https://api.example/?a=***&key=***"),
        ("postgresql://me:hun/hunter2@dw.example:5432/sales", "postgresql://dw.example:5432/sales"),
        ("postgresql://me:hunter2@dw.example:5432/sales", "postgresql://dw.example:5432/sales"),
        ("postgresql://me:p@hunter2@dw.example/sales", "postgresql://dw.example/sales"),
        ("https://api.example/@someone/posts", "https://api.example/@someone/posts"),
        ("https://[::1]:8080/@someone", "https://[::1]:8080/@someone"),
        ("abfss://container@account.dfs.core.windows.net/a.parquet", "abfss://container@account.dfs.core.windows.net/a.parquet"),
        ("abfss://container:hunter2@account.dfs.core.windows.net/a", "abfss://account.dfs.core.windows.net/a"),
        ("s3://feeds/sales/2026-11-23.csv", "s3://feeds/sales/2026-11-23.csv"),
    ],
)
def test_urls_without_credentials_and_values(given: str, masked: str) -> None:
    """INV-12: what may be secret in a URL is never written, not even into the events file."""
    assert url(given) == masked
    assert masked_text(f"GET '{given}' failed ({given})") == f"GET '{masked}' failed ({masked})"


class Named:
    """As `open` gives them."""

    def __init__(self, name: Any) -> None:
        self.name = name


@pytest.mark.parametrize(
    "place, target",
    [
        ("a/b.csv", os.path.abspath("a/b.csv")),
        (Path("/data/../data/b.csv"), "/data/b.csv"),
        ("~/b.csv", os.path.expanduser("~/b.csv")),
        (Named("/data/b.csv"), "/data/b.csv"),
        (Named(3), "<buffer>"),
        (Named("<stdin>"), "<buffer>"),
        (io.StringIO("CANARY"), "<buffer>"),
        (b"CANARY,1", "<buffer>"),
        ('{"region": "CANARY"}', "<buffer>"),
        ("<table>CANARY</table>", "<buffer>"),
        ("region\nCANARY\n", "<buffer>"),
        (None, "<buffer>"),
        (7, "<buffer>"),
    ],
)
def test_what_a_place_is(place: Any, target: str) -> None:
    """Data in the place of a path is not taken for one."""
    assert target_of(place) == target


@pytest.mark.parametrize(
    "target, op",
    [("/a.csv", "file"), ("s3://b/a.csv", "object"), ("abfss://c@d/e", "object"), ("http://h/a", "http"), ("sftp://h/a", "transfer")],
)
def test_the_op_of_a_target(target: str, op: str) -> None:
    """A path is a file, a bucket holds objects, HTTP is a request either way."""
    assert op in reads(target)
    assert op in writes(target)


@pytest.mark.parametrize(
    "path, noise",
    [
        ("/data/sales.csv", False), ("sales.csv", False), ("/home/me/.secrets/key", False), ("/etc/job.conf", False),
        ("/tmp/sales.csv", False), ("/proc/self/maps", True), ("/dev/shm/x", True), (os.__file__.replace("os.py", "data.csv"), True),
        ("/v/site-packages/x/y.csv", True), ("/home/me/.cache/x", True), ("/a/__pycache__/x.pyc", True), ("module.py", True),
        ("/etc/localtime", True), ("/tmp/tmpab12cd34", True), ("/tmp/tmpab12cd34/deep/x.csv", True),
    ],
)  # fmt: skip
def test_noise(path: str, noise: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked twice, because folders are remembered."""
    monkeypatch.setattr("offduty_probe.capture.noise.PREFIXES", prefixes({}))
    monkeypatch.setattr("offduty_probe.capture.noise._folders", {})
    assert (is_noise(path), is_noise(path)) == (noise, noise)


def test_a_shape_is_bounded() -> None:
    """INV-11: 1,000 columns, names of 128 characters, 48 KiB: whatever comes first."""
    assert shape_text((str(n), "int64") for n in range(5000)).count("int64") == MOST_COLUMNS
    assert len(shape_text(("é" * 10_000, "x" * 10_000) for n in range(5000))) < 50_000


def test_names_of_columns_may_be_anything() -> None:
    """Numbers, tuples, quotes, what cannot be printed."""

    class Odd:
        def __str__(self) -> str:
            raise ValueError

    assert shape_text([(1, int), (("a", "b"), "x"), ('"', "y"), (Odd(), Odd())]).startswith('[["1","')
