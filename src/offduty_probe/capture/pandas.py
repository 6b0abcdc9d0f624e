"""Tables that pandas reads and writes."""

# ruff: noqa: SLF001  # `_mgr` and `_path`: what is public costs ten times as much, or is not there
from __future__ import annotations

import sys

from offduty_probe.capture.follow import Followed
from offduty_probe.capture.statements import database_of, queried, refused, unreadable
from offduty_probe.capture.targets import at, is_path, reads, target_of, writes
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    from offduty_probe.capture.ledger import Known, Ledger, Said

READERS = """read_csv read_table read_fwf read_excel read_json read_parquet read_feather read_orc read_pickle read_hdf read_html read_xml
 read_sas read_spss read_stata""".split()
WRITERS = "to_csv to_json to_pickle to_hdf to_excel to_parquet to_feather to_orc to_stata to_xml to_html to_latex".split()
HOMES = """io.api io.parsers io.parsers.readers io.excel io.excel._base io.json io.json._json io.parquet io.feather_format io.orc io.pickle
 io.pytables io.html io.xml io.sas io.sas.sasreader io.spss io.stata io.sql""".split()
MOST_COLUMNS = 1000
MOST_REMEMBERED = 256

_read_before: dict[str, Said] = {}  # what was said of a path: asking again takes a third of the time


def install(record: Ledger) -> Callable[[], None]:
    """Readers by all the names they have; writers at the classes that define them."""
    pandas = sys.modules["pandas"]
    frame = pandas.DataFrame
    patches = Patches(record)
    followed = Followed(record, patches)
    homes = ["pandas." + home for home in HOMES]

    def measure_read(result: Any, args: Any, kwargs: Any) -> Any:
        if type(result) is frame:  # nearly always; the rest costs more
            found = size(result)
            found["file"] = _place(args, kwargs, 0)
            return found
        known = at(_target(args, kwargs, 0))
        if hasattr(type(result), "__next__"):  # chunks: TextFileReader, JsonReader …
            return followed.follow(result, lambda: known)
        return dict(known, **size(result))

    patches.wrap(pandas, READERS, _read, measure_read, also=homes, failure=unreadable)
    patches.wrap(pandas, ["read_sql", "read_sql_query", "read_sql_table"], _queried, _measure, also=homes, failure=refused)
    for owner in (pandas.core.generic.NDFrame, pandas.DataFrame, pandas.Series):
        patches.wrap(owner, [name for name in WRITERS if name in vars(owner)], _written, _measure_written, failure=unreadable)
        patches.wrap(owner, [name for name in ("to_sql",) if name in vars(owner)], _inserted, _measure_self, failure=refused)
    _watch_chunks(followed)
    patches.wrap(pandas.HDFStore, ["put", "append"], _stored, _measure_stored)
    patches.wrap(pandas.HDFStore, ["get", "select"], _fetched, _measure)
    return patches.undo


def _watch_chunks(followed: Followed) -> None:
    def measure(result: Any, args: Any) -> Known:
        return size(result)

    for module, name, methods in (
        ("pandas.io.parsers.readers", "TextFileReader", ["read"]),
        ("pandas.io.json._json", "JsonReader", ["__next__", "read"]),
        ("pandas.io.stata", "StataReader", ["read"]),
    ):
        owner = getattr(sys.modules.get(module), name, None)
        if owner is not None:
            followed.watch(owner, methods, measure)
            followed.watch(owner, ["close"], lambda result, args: {}, last=True)


def size(table: Any) -> Known:
    """Rows, columns and their types of a frame or series; the sums of several in a dict or list (sheets, tables of a page)."""
    axes: Any = getattr(getattr(table, "_mgr", None), "axes", ())
    if len(axes) == 2:
        return {"rows": len(axes[1]), "columns": len(axes[0]), "shape": _columns(table)}
    if isinstance(table, (dict, list)):
        several = [size(one) for one in (table.values() if isinstance(table, dict) else table)]
        return {"rows": sum(one.get("rows", 0) for one in several), "attributes": {"offduty.tables": len(several)}}
    shape = getattr(table, "shape", None)
    if not isinstance(shape, tuple) or not shape:
        return {}
    if len(shape) == 1:
        return {"rows": shape[0], "columns": 1, "shape": [(table.name, table.dtype)]}
    return {"rows": shape[0], "columns": shape[1], "shape": _columns(table)}


def _columns(frame: Any) -> Iterator[tuple[Any, Any]]:
    """Name and type of each column; a generator, so that it costs nothing when it is not told."""
    names = frame.columns
    names = names.tolist() if len(names) <= MOST_COLUMNS else names[:MOST_COLUMNS].tolist()  # a slice is slow
    try:
        blocks = frame._mgr.blocks
        types = [blocks[number].dtype for number in frame._mgr.blknos[:MOST_COLUMNS].tolist()]
    except AttributeError:
        types = list(frame.dtypes.values[:MOST_COLUMNS])
    yield from zip(names, types)


PLACES = ("filepath_or_buffer", "path_or_buf", "path_or_buffer", "path", "io", "excel_writer", "buf", "fname")


def _target(args: Any, kwargs: Any, position: int) -> str:
    return target_of(_place(args, kwargs, position))


def _place(args: Any, kwargs: Any, position: int) -> Any:
    """The first argument, under whatever name it goes. Of workbooks and stores the path they were opened by."""
    if len(args) > position:
        place = args[position]
        if type(place) is str:
            return place
    else:
        place = next((kwargs[name] for name in PLACES if name in kwargs), None)
    if type(place).__module__.startswith("pandas"):
        place = getattr(place, "_io", None) or getattr(place, "_path", None) or getattr(place, "path", None) or place
    return place


def _read(args: Any, kwargs: Any) -> Said | None:
    place = args[0] if args else None
    said = _read_before.get(place) if type(place) is str else None
    if said is None:
        target = _target(args, kwargs, 0)
        said = reads(target), target
        if target is place and target[:1] == "/":  # what others lead to depends on the current folder, and URLs hold secrets
            if len(_read_before) >= MOST_REMEMBERED:
                _read_before.clear()
            _read_before[target] = said
    return said


def _written(args: Any, kwargs: Any) -> Said | None:
    """Without a place the text is returned."""
    place = _place(args, kwargs, 1)
    if place is None:
        return None
    target = target_of(place)
    return writes(target), target


def _measure(result: Any, args: Any, kwargs: Any) -> Known:
    return size(result)


def _measure_self(result: Any, args: Any, kwargs: Any) -> Known:
    return size(args[0])


def _measure_written(result: Any, args: Any, kwargs: Any) -> Known:
    place = argument(args, kwargs, 1, "", next((kwargs[name] for name in PLACES if name in kwargs), None))
    return dict(at(target_of(place)) if is_path(place) else {}, **size(args[0]))


def _queried(args: Any, kwargs: Any) -> Said | None:
    statement = argument(args, kwargs, 0, "sql", kwargs.get("table_name"))
    return "db.query", queried(argument(args, kwargs, 1, "con"), statement)


def _inserted(args: Any, kwargs: Any) -> Said | None:
    return "db.query", f"{database_of(argument(args, kwargs, 2, 'con'))} INSERT {argument(args, kwargs, 1, 'name')}"


def _stored(args: Any, kwargs: Any) -> Said | None:
    return "file.write", target_of(args[0]._path)


def _fetched(args: Any, kwargs: Any) -> Said | None:
    return "file.read", target_of(args[0]._path)


def _measure_stored(result: Any, args: Any, kwargs: Any) -> Known:
    return size(argument(args, kwargs, 2, "value"))
