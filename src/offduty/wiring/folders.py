"""Where the runs of a command without configuration are recorded. Used before the job starts: next to nothing is imported."""

from __future__ import annotations

import os

from offduty import places
from offduty.errors import OffdutyError
from offduty.settings import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from offduty.places import Places


def find_places(start: str, environ: Mapping[str, str], config: str | None) -> Places:
    """The folders for a command that is run in `start`. Only a configuration that names some is read, a broken one passed over.

    A file that was named (`config`, `OFFDUTY_CONFIG`) has to be there: raises ConfigError E201 or E202.
    """
    named = config is not None or bool(environ.get("OFFDUTY_CONFIG"))
    chosen = bool(environ.get("OFFDUTY_STATE_DIR") and environ.get("OFFDUTY_LOGS_DIR"))
    if chosen and not named:
        return places.find(environ)
    try:
        found = files.find(start, environ, config)
    except OffdutyError:
        if named:
            raise
        return places.find(environ)
    if chosen or not any("[offduty]" in file.text or "[tool.offduty]" in file.text for file in found):
        return places.find(environ)
    from offduty.settings.load import load

    try:
        return load(start, environ, config=config).places()
    except OffdutyError:
        return places.find(environ)


def here() -> str:
    """The current folder; one that was removed under our feet has no configuration."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
