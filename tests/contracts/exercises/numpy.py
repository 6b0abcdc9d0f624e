"""Arrays."""

from __future__ import annotations

from pathlib import Path

LIBRARIES = ["numpy"]
NAMES = "numpy.load numpy.fromfile numpy.loadtxt numpy.genfromtxt numpy.save numpy.savez numpy.savez_compressed numpy.savetxt".split()


def prepare(folder: Path) -> None:
    """Files of three kinds."""
    import numpy

    numpy.save(folder / "a.npy", numpy.array([["CANARY", "x"]]))
    numpy.savez(folder / "a.npz", x=numpy.arange(3))
    (folder / "a.txt").write_text("1 2\n3 4\n")
    (folder / "a.csv").write_text("region,n\nCANARY,1\nx,2\n")


def _save(folder: Path) -> None:
    import numpy

    numpy.save(str(folder / "b"), numpy.eye(3))


def _genfromtxt(folder: Path) -> object:
    import numpy

    return numpy.genfromtxt(folder / "a.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")


def _np(name: str, file: str, *args: object, **kwargs: object) -> object:
    def call(folder: Path) -> object:
        import numpy

        return getattr(numpy, name)(folder / file, *args, **kwargs)

    return call


GOOD = [
    ("file.read", "a.npy", _np("load", "a.npy")),
    ("file.read", "a.txt", _np("loadtxt", "a.txt")),
    ("file.read", "a.csv", _genfromtxt),
    ("file.read", "a.txt", _np("fromfile", "a.txt", dtype="u1")),
    ("file.write", "b.npy", _save),
    ("file.write", "b.npz", _np("savez", "b.npz", x=[1, 2])),
    ("file.write", "b.txt", _np("savetxt", "b.txt", [[1, 2]])),
]
BAD = [
    _np("load", "missing.npy"),
    _np("loadtxt", "a.csv"),
    _np("loadtxt", "a.csv", delimiter=",", skiprows=1),
    _np("save", "missing/b.npy", [1]),
    _np("fromfile", "missing.bin"),
]
