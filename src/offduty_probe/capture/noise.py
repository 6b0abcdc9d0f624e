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
CODE = (".py", ".pyc", ".pyi", ".so", ".pyx", ".nbi", ".nbc", "matplotlibrc", "/pyvenv.cfg")


def prefixes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """With what the paths begin that are left out. Temporary files are those that bear a name by `tempfile`."""
    temporary = (environ.get("TMPDIR") or "/tmp").rstrip("/")
    caches = [environ[name] for name in CACHES if environ.get(name, "").startswith("/")]
    caches += [prefix for prefix in (getattr(sys, "pycache_prefix", None),) if prefix]
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


def is_noise(path: str) -> bool:
    """Whether the file at `path` (as it was given, so it may be relative) is left out."""
    if path.startswith(PREFIXES) or path.endswith(CODE):
        return True
    for part in PARTS:
        if part in path:
            return True
    return "/." in path and any(map(path.__contains__, HIDDEN_PARTS))
