"""Tables of polars: at once, and lazily."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["polars"]
NAMES = """polars.read_csv polars.read_parquet polars.scan_csv polars.scan_parquet polars.concat polars.DataFrame.write_csv
 polars.LazyFrame.collect polars.LazyFrame.sink_csv polars.LazyFrame.join polars.LazyFrame._from_pyldf""".split()


def frame() -> Any:
    """Three rows."""
    import polars

    return polars.DataFrame({"region": ["CANARY", "b", "b"], "sales": [1.5, 2.5, 3.5]})


def prepare(folder: Path) -> None:
    """The frame in two formats."""
    frame().write_csv(folder / "a.csv")
    frame().write_parquet(folder / "a.parquet")


def _retyped(folder: Path) -> Any:
    import polars

    return polars.scan_csv(folder / "a.csv", schema={"region": polars.Int64, "sales": polars.Float64}).collect()


def _pl(name: str, file: str) -> Any:
    def call(folder: Path) -> Any:
        import polars

        result = getattr(polars, name)(folder / file)
        return result.to_dicts() if hasattr(result, "to_dicts") else result.collect().to_dicts()

    return call


def _query(folder: Path) -> Any:
    import polars

    right = polars.scan_parquet(folder / "a.parquet").select("region")
    left = polars.scan_csv(folder / "a.csv").filter(polars.col("region") == "CANARY")
    return left.join(right, on="region").group_by("region").agg(polars.col("sales").sum()).collect().to_dicts()


def _sink(folder: Path) -> Any:
    import polars

    return polars.scan_csv(folder / "a.csv").sink_csv(folder / "b.csv")


GOOD = [
    ("file.read", "a.csv", _pl("read_csv", "a.csv")),
    ("file.read", "a.parquet", _pl("read_parquet", "a.parquet")),
    ("file.read", "a.csv", _pl("scan_csv", "a.csv")),
    ("file.read", "a.csv", _query),
    ("file.write", "b.csv", _sink),
    ("file.write", "c.csv", lambda folder: frame().write_csv(folder / "c.csv")),
]
BAD = [_pl("read_csv", "missing.csv"), _pl("scan_csv", "missing.csv"), _pl("read_parquet", "a.csv"), _retyped]
