"""Arrays that numpy loads and saves."""

from __future__ import annotations

import sys

from offduty_probe.capture.statements import unreadable
from offduty_probe.capture.targets import at, is_path, reads, target_of, writes
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Describe, Known, Ledger, Said

READERS = {"load": "file", "fromfile": "file", "loadtxt": "fname", "genfromtxt": "fname"}
WRITERS = {"save": ("file", ".npy"), "savez": ("file", ".npz"), "savez_compressed": ("file", ".npz"), "savetxt": ("fname", "")}


def install(record: Ledger) -> Callable[[], None]:
    """`ndarray.tofile` and `memmap` are not captured."""
    numpy = sys.modules["numpy"]
    patches = Patches(record)
    homes = ["numpy.lib.npyio", "numpy.lib._npyio_impl", "numpy.core.multiarray", "numpy._core.multiarray"]
    for name, parameter in READERS.items():
        patches.wrap(numpy, name, _reader(parameter), _measure, also=homes, failure=unreadable)
    for name, (parameter, suffix) in WRITERS.items():
        patches.wrap(numpy, name, _writer(parameter, suffix), _measure_written(name, parameter, suffix), also=homes)
    return patches.undo


def _reader(parameter: str) -> Describe:
    def describe(args: Any, kwargs: Any) -> Said | None:
        target = target_of(_place(argument(args, kwargs, 0, parameter)))
        return reads(target), target

    return describe


def _writer(parameter: str, suffix: str) -> Describe:
    def describe(args: Any, kwargs: Any) -> Said | None:
        target = _written(args, kwargs, parameter, suffix)
        return writes(target), target

    return describe


def _place(place: Any) -> Any:
    """A list is lines of data."""
    return None if isinstance(place, (list, tuple)) else place


def _written(args: Any, kwargs: Any, parameter: str, suffix: str) -> str:
    """`numpy.save` puts the suffix behind names that have none."""
    place = argument(args, kwargs, 0, parameter)
    target = target_of(place)
    return target + suffix if is_path(place) and not target.endswith(suffix) else target


def _measure(result: Any, args: Any, kwargs: Any) -> Known:
    return dict(at(target_of(_place(next(iter(args or kwargs.values()), None)))), **_size(result))


def _measure_written(name: str, parameter: str, suffix: str) -> Callable[..., Known]:
    def measure(result: Any, args: Any, kwargs: Any) -> Known:
        array = argument(args, kwargs, 1, "arr" if name == "save" else "X") if not name.startswith("savez") else None
        named = is_path(argument(args, kwargs, 0, parameter))
        return dict(at(_written(args, kwargs, parameter, suffix)) if named else {}, **_size(array))

    return measure


def _size(array: Any) -> Known:
    """Of an array with rows; an archive of several is not opened for it."""
    shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
    if not isinstance(shape, tuple) or not shape or dtype is None:
        return {}
    names = dtype.names
    columns = len(names) if names else shape[1] if len(shape) > 1 else 1
    found = {"rows": shape[0], "columns": columns}
    if names:
        found["shape"] = [(name, dtype[name]) for name in names[:1000]]
    return dict(found, attributes={"offduty.array": f"{dtype if not names else 'record'} {shape}"})
