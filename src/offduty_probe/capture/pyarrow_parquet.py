"""Parquet files that pyarrow reads and writes: tables, and files that are opened or written piece by piece."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import file_at, of_argument, of_result, of_schema, reader, size, writer
from offduty_probe.capture.follow import Followed
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger


def install(record: Ledger) -> Callable[[], None]:
    """The functions live in `pyarrow.parquet.core`."""
    parquet = sys.modules["pyarrow.parquet"]
    patches = Patches(record)
    followed = Followed(record, patches)
    homes = ["pyarrow.parquet.core"]

    def opened_for_writing(result: Any, args: Any, kwargs: Any) -> Callable[..., None]:
        place = argument(args, kwargs, 1, "where")
        return followed.follow(args[0], lambda: file_at(place))

    patches.wrap(parquet, ["read_table", "read_pandas"], reader(0, "source"), of_result(0, "source"), also=homes)
    patches.wrap(parquet, "write_table", writer(1, "where"), of_argument(0, "table", 1, "where"), also=homes)
    patches.wrap(parquet, "write_to_dataset", writer(1, "root_path"), of_argument(0, "table", 1, "root_path"), also=homes)
    patches.wrap(parquet.ParquetFile, "__init__", reader(1, "source"), _of_metadata)
    patches.wrap(parquet.ParquetDataset, "read", _dataset, of_result(99, ""))
    patches.wrap(parquet.ParquetWriter, "__init__", writer(1, "where"), opened_for_writing)
    followed.watch(parquet.ParquetWriter, ["write_table", "write_batch"], lambda _, args: size(args[1]))
    followed.watch(parquet.ParquetWriter, ["close"], lambda _, args: {}, last=True)
    return patches.undo


def _of_metadata(result: Any, args: Any, kwargs: Any) -> Known:
    """What the footer says: it has been read already."""
    file = args[0]
    return dict(file_at(argument(args, kwargs, 1, "source")), rows=file.metadata.num_rows, **of_schema(file.schema_arrow))


def _dataset(args: Any, kwargs: Any) -> Any:
    return reader(0, "")((args[0].files,), {})
