"""Files that are not the job's doing: of the Python installation, of packages, caches, devices, and temporary ones."""

from __future__ import annotations

import os
import sys

from offduty_probe.chain import STANDARD_LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

SYSTEM = (
    "/proc", "/sys/", "/dev/", "/run/", "/usr/lib/", "/usr/share/zoneinfo", "/usr/share/mime", "/usr/share/fonts/", "/etc/ssl/",
    "/etc/localtime",
    "/etc/timezone", "/etc/mime.types", "/etc/os-release", "/etc/debian_version", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
)  # fmt: skip
CACHES = "XDG_CACHE_HOME MPLCONFIGDIR NUMBA_CACHE_DIR IPYTHONDIR JUPYTER_RUNTIME_DIR TORCHINDUCTOR_CACHE_DIR TRITON_CACHE_DIR".split()
PARTS = ("/site-packages/", "/dist-packages/", "/__pycache__")
HIDDEN_PARTS = "/.cache/ /.config/ /.matplotlib/ /.ipython/ /.jupyter/ /.local/share/jupyter/ /.git/ /.nv/ /.keras/".split()
CODE = (".py", ".pyc", ".pyi", ".so", ".pyx", ".pxi", ".pxd", ".nbi", ".nbc", "matplotlibrc", "pyvenv.cfg")


def prefixes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """With what the paths begin that are left out. Temporary files are those that bear a name by `tempfile`."""
    temporary = (environ.get("TMPDIR") or "/tmp").rstrip("/")
    caches = [environ[name] for name in CACHES if environ.get(name, "").startswith("/")]
    caches += [prefix for prefix in (getattr(sys, "pycache_prefix", None),) if prefix]
    caches += [entry for entry in sys.path if entry.endswith(".zip")]  # the import system looks for code in it, mostly in vain
    return (
        *SYSTEM,
        STANDARD_LIBRARY,
        f"{temporary}/tmp",
        f"{temporary}/pymp-",
        f"{temporary}/openpyxl.",
        f"{temporary}/joblib_memmapping",
        f"{temporary}/matplotlib-",
        *caches,
    )


PREFIXES = prefixes(os.environ)
MOST_FOLDERS = 4096
_folders: dict[str, bool] = {}  # what was found out about the folders: asking again takes a third of the time


def is_noise(path: str) -> bool:
    """Whether the file at `path` (as it was given, so it may be relative) is left out."""
    folder, _, name = path.rpartition("/")
    noise = _folders.get(folder)
    if noise is None:
        noise = _look_at(folder)
    return noise or name.endswith(CODE) or (name[:1] in INITIALS and path.startswith(PREFIXES))


INITIALS = frozenset(prefix.rpartition("/")[2][:1] for prefix in PREFIXES)  # a file's own name decides in folders like `/tmp`


def _look_at(folder: str) -> bool:
    if len(_folders) >= MOST_FOLDERS:
        _folders.clear()
    inside = f"{folder}/"
    noise = inside.startswith(PREFIXES) or any(part in inside for part in PARTS)
    _folders[folder] = noise = noise or ("/." in inside and any(part in inside for part in HIDDEN_PARTS))
    return noise
