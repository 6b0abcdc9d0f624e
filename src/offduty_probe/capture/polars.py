"""Tables that polars reads and writes, at once or when a lazy frame is collected."""

from __future__ import annotations

import sys
from time import perf_counter_ns

from offduty_probe.capture.shapes import MOST_COLUMNS
from offduty_probe.capture.statements import database_of, queried, refused, unreadable
from offduty_probe.capture.targets import at, is_path, reads, target_of, writes
from offduty_probe.capture.wrapping import Patches, argument, looking_like
from offduty_probe.guard import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Iterator

    from offduty_probe.capture.ledger import Describe, Known, Ledger, Said

READERS = """read_csv read_csv_batched read_parquet read_json read_ndjson read_ipc read_ipc_stream read_avro read_excel read_ods read_delta
 read_lines""".split()
SCANS = "scan_csv scan_parquet scan_ndjson scan_ipc scan_delta scan_lines scan_iceberg scan_pyarrow_dataset".split()
WRITERS = "write_csv write_parquet write_json write_ndjson write_ipc write_ipc_stream write_avro write_excel write_delta".split()
SINKS = "sink_csv sink_parquet sink_ndjson sink_ipc sink_delta".split()
GROUPINGS = ("group_by", "group_by_dynamic", "rolling")
GROUPED = (
    "agg",
    "head",
    "tail",
    "all",
    "len",
    "count",
    "first",
    "last",
    "max",
    "min",
    "mean",
    "median",
    "sum",
    "n_unique",
    "quantile",
    "map_groups",
)
JOINS = ("join", "join_asof", "join_where", "merge_sorted", "update")
SOURCES = "_offduty_sources"  # on a lazy frame: where it is scanned from
MOST_SOURCES = 16


def install(record: Ledger) -> Callable[[], None]:
    """What is scanned counts when it is collected or sunk; the targets are handed on from one lazy frame to the next."""
    polars = sys.modules["polars"]
    patches = Patches(record)
    homes = ["polars.io", "polars.functions"]
    lazy = polars.LazyFrame
    patches.wrap(polars, READERS, _read, _measure, also=homes, failure=unreadable)
    patches.wrap(polars, "read_database", _queried("connection"), _measure, also=homes, failure=refused)
    patches.wrap(polars, "read_database_uri", _queried("uri"), _measure, also=homes, failure=refused)
    patches.wrap(polars.DataFrame, WRITERS, _written, _measure_written)
    patches.wrap(polars.DataFrame, "write_database", _inserted, _measure_self, failure=refused)
    patches.wrap(lazy, "collect", _collected, _measure, failure=unreadable)
    patches.wrap(polars, "collect_all", _collected_all, also=homes, failure=unreadable)
    patches.wrap(lazy, SINKS, _sunk, _measure_sunk, failure=unreadable)
    for name in SCANS:
        if hasattr(polars, name):
            patches.put(polars, name, lambda original: _scanning(record, original), homes)
    _hand_on(patches, polars, lazy)
    return patches.undo


def _hand_on(patches: Patches, polars: Any, lazy: Any) -> None:
    """From a lazy frame to those that are made of it."""
    made = vars(lazy).get("_from_pyldf")
    if isinstance(made, classmethod):
        lazy._from_pyldf = handing_on = HandingOn(made)  # noqa: SLF001
        patches.undos.append(lambda: setattr(lazy, "_from_pyldf", made) if vars(lazy)["_from_pyldf"] is handing_on else None)
    grouped = getattr(sys.modules.get("polars.lazyframe.group_by"), "LazyGroupBy", None)
    for owner, names in ((lazy, GROUPINGS + JOINS), (grouped, GROUPED)):
        for name in names:
            if owner is not None and name in vars(owner):
                patches.put(owner, name, _tagging)
    patches.put(polars, "concat", _tagging, ["polars.functions", "polars.functions.eager"])


class HandingOn:
    """In the place of the class method by which each method of a lazy frame makes its result: `instance` is the frame it is made of."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        make = self.original.__get__(instance, owner)
        sources = instance.__dict__.get(SOURCES) if instance is not None else None
        return make if sources is None else lambda ldf: _tag(make(ldf), sources)


def _tag(frame: Any, sources: tuple[str, ...]) -> Any:
    if sources and hasattr(frame, "__dict__"):
        frame.__dict__[SOURCES] = sources
    return frame


def _tagging(original: Any) -> Any:
    """A wrapper for what makes one frame out of several, or groups."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        quietly(_tag_with_all, result, args, kwargs)
        return result

    return looking_like(original, wrapper)


def _tag_with_all(result: Any, args: Any, kwargs: Any) -> None:
    things = [*args, *kwargs.values()]
    things += things[0] if things and isinstance(things[0], (list, tuple)) else []
    _tag(result, _sources(things))


def _sources(things: Iterable[Any]) -> tuple[str, ...]:
    """Where all these frames come from, each once."""
    found: dict[str, None] = {}
    for thing in things:
        found.update(dict.fromkeys(getattr(thing, "__dict__", {}).get(SOURCES, ())))
    return tuple(found)[:MOST_SOURCES]


def _scanning(record: Ledger, original: Any) -> Any:
    """A wrapper for `scan_…`: it reads nothing yet, but it may fail."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        started = perf_counter_ns()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            quietly(_refused, record, args, kwargs, perf_counter_ns() - started, error)
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        quietly(_tag, result, tuple(_targets(_source(args, kwargs))))
        return result

    return looking_like(original, wrapper)


def _refused(record: Ledger, args: Any, kwargs: Any, took: int, error: BaseException) -> None:
    transaction = record.transaction("file.read", target_of_all(_source(args, kwargs)), None, False)
    if transaction is not None:
        transaction.took = took
        transaction.failed(error)


def _source(args: Any, kwargs: Any) -> Any:
    return args[0] if args else next((kwargs[name] for name in ("source", "table") if name in kwargs), None)


def _targets(place: Any) -> list[str]:
    places = list(place[:MOST_SOURCES]) if isinstance(place, (list, tuple)) else [place]
    return [target_of(one) for one in places] or [target_of(None)]


def target_of_all(place: Any) -> str:
    """The target; of several the first, and how many others there are."""
    first = _targets(place)[0]
    others = len(place) - 1 if isinstance(place, (list, tuple)) else 0
    return f"{first} and {others} more" if others > 0 else first


def _read(args: Any, kwargs: Any) -> Said | None:
    target = target_of_all(_source(args, kwargs))
    return reads(target), target


def _collected(args: Any, kwargs: Any) -> Said | None:
    return _of_sources(_sources(args))


def _collected_all(args: Any, kwargs: Any) -> Said | None:
    frames = argument(args, kwargs, 0, "lazy_frames")
    return _of_sources(_sources(frames)) if isinstance(frames, (list, tuple)) else None


def _of_sources(sources: tuple[str, ...]) -> Said | None:
    """A lazy frame that comes from no file is computing, which is the job's own business."""
    if not sources:
        return None
    attributes: Known = {"offduty.lazy": True}  # rows and columns are those of the result
    if len(sources) > 1:
        attributes["offduty.also_read"] = ", ".join(sources[1:])
    return reads(sources[0]), sources[0], attributes


def _place(args: Any, kwargs: Any) -> Any:
    return args[1] if len(args) > 1 else next((kwargs[name] for name in ("file", "path", "workbook", "target") if name in kwargs), None)


def _written(args: Any, kwargs: Any) -> Said | None:
    """Without a place the text is returned (and an Excel file has a name of its own)."""
    place = _place(args, kwargs)
    if place is None:
        return None
    target = target_of(place)
    return writes(target), target


def _sunk(args: Any, kwargs: Any) -> Said | None:
    if kwargs.get("lazy"):
        return None
    target = target_of(_place(args, kwargs))
    sources = _sources(args[:1])
    return writes(target), target, {"offduty.read_from": ", ".join(sources)} if sources else None


def _measure(result: Any, args: Any, kwargs: Any) -> Known:
    """Of what `collect` gives the place is not an argument: its size on disk is known by its sources."""
    target = target_of(_source(args, kwargs)) if args and isinstance(args[0], str) else next(iter(_sources(args[:1])), "")
    return dict(at(target), **size(result))


def _measure_self(result: Any, args: Any, kwargs: Any) -> Known:
    return size(args[0])


def _measure_written(result: Any, args: Any, kwargs: Any) -> Known:
    place = _place(args, kwargs)
    return dict(at(target_of(place)) if is_path(place) else {}, **size(args[0]))


def _measure_sunk(result: Any, args: Any, kwargs: Any) -> Known:
    place = _place(args, kwargs)
    return at(target_of(place)) if is_path(place) else {}


def size(frame: Any) -> Known:
    """Rows, columns and their types; of a dict of frames (sheets) the sum of the rows."""
    if isinstance(frame, dict):
        return {"rows": sum(size(one).get("rows", 0) for one in frame.values()), "attributes": {"offduty.tables": len(frame)}}
    shape = getattr(frame, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != 2:
        return {}
    return {"rows": shape[0], "columns": shape[1], "shape": _columns(frame), "nulls": _nulls(frame)}


def _nulls(frame: Any) -> list[int] | None:
    """How many values each column lacks, None if it is no frame that is there: polars keeps count, or counts one bit a value."""
    get_columns = getattr(frame, "get_columns", None)
    return [column.null_count() for column in get_columns()[:MOST_COLUMNS]] if get_columns is not None else None


def _columns(frame: Any) -> Iterator[tuple[Any, Any]]:
    yield from zip(frame.columns, frame.dtypes)


def _queried(parameter: str) -> Describe:
    def describe(args: Any, kwargs: Any) -> Said | None:
        return "db.query", queried(argument(args, kwargs, 1, parameter), argument(args, kwargs, 0, "query"))

    return describe


def _inserted(args: Any, kwargs: Any) -> Said | None:
    return "db.query", f"{database_of(argument(args, kwargs, 2, 'connection'))} INSERT {argument(args, kwargs, 1, 'table_name')}"
