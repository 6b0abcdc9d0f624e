"""Where the runs of a command without configuration are recorded. Used before the job starts: next to nothing is imported."""

from __future__ import annotations

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
    if config is not None or environ.get("OFFDUTY_CONFIG"):
        files.find(start, environ, config)
    if environ.get("OFFDUTY_STATE_DIR") and environ.get("OFFDUTY_LOGS_DIR"):
        return places.find(environ)
    try:
        if any("[offduty]" in file.text or "[tool.offduty]" in file.text for file in files.find(start, environ, config)):
            from offduty.settings.load import load

            return load(start, environ, config=config).places()
    except OffdutyError:
        pass
    return places.find(environ)
