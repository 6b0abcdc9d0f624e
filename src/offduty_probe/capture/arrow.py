"""What the captures of pyarrow share: its modules are imported one by one, and each has a capture of its own."""

from __future__ import annotations

from offduty_probe.capture.shapes import MOST_COLUMNS
from offduty_probe.capture.targets import at, is_path, reads, target_of, writes
from offduty_probe.capture.wrapping import argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    from offduty_probe.capture.ledger import Describe, Known, Said


def first(place: Any) -> Any:
    """Of a list of places the first."""
    return place[0] if isinstance(place, (list, tuple)) and place else place


def reader(position: int, name: str) -> Describe:
    """`describe` of a function that reads what it is given at `position` or as `name`."""

    def describe(args: Any, kwargs: Any) -> Said | None:
        place = argument(args, kwargs, position, name)
        target = target_of(first(place))
        several = {"offduty.places": len(place)} if isinstance(place, (list, tuple)) else None
        return reads(target), target, several

    return describe


def writer(position: int, name: str) -> Describe:
    """`describe` of a function that writes to what it is given at `position` or as `name`."""

    def describe(args: Any, kwargs: Any) -> Said | None:
        target = target_of(argument(args, kwargs, position, name))
        return writes(target), target

    return describe


def of_result(position: int, name: str) -> Callable[..., Known]:
    """`known` of a reader: the size of what it gives, and of the file."""
    return lambda result, args, kwargs: dict(file_at(argument(args, kwargs, position, name)), **size(result))


def of_argument(position: int, name: str, place: int, place_name: str) -> Callable[..., Known]:
    """`known` of a writer: the size of the table it is given, and of the file."""
    return lambda _, args, kwargs: dict(file_at(argument(args, kwargs, place, place_name)), **size(argument(args, kwargs, position, name)))


def file_at(place: Any) -> Known:
    """`bytes` and `modified`, if `place` is the path of a plain file."""
    place = first(place)
    return at(target_of(place)) if is_path(place) else {}


def size(table: Any) -> Known:
    """Rows, columns and types of a table, a batch or a frame of pandas; of a schema the columns and types."""
    schema, rows = getattr(table, "schema", None), getattr(table, "num_rows", None)
    if rows is None and hasattr(table, "dtypes"):
        shape = table.shape
        return {"rows": shape[0], "columns": shape[1], "shape": zip(table.columns, table.dtypes)}
    known: Known = of_schema(schema) if schema is not None else {}
    if not isinstance(rows, int):
        return known
    columns = getattr(table, "columns", None)  # of a batch and of a table; arrow keeps count, or counts one bit a value
    return dict(known, rows=rows, nulls=[one.null_count for one in columns[:MOST_COLUMNS]] if isinstance(columns, list) else None)


def of_schema(schema: Any) -> Known:
    """Columns and types."""
    return {"columns": len(schema), "shape": _columns(schema)} if hasattr(schema, "types") else {}


def _columns(schema: Any) -> Iterator[tuple[Any, Any]]:
    yield from zip(schema.names, schema.types)
