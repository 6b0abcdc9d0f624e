"""What a transaction is with, as text without secrets: an absolute path, or a URL without credentials and values."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Known = dict[str, Any]

BUFFER = "<buffer>"
MASK = "***"
REGULAR, KIND = 0o100000, 0o170000  # of `st_mode`
OBJECT_STORES = ("s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "az", "adl", "wasb", "wasbs", "oss")
CONTAINERS = ("abfs", "abfss", "wasb", "wasbs")  # what stands before their @ is the name of a container


def target_of(place: Any) -> str:
    """Of whatever readers and writers take: a path, a URL, an open file or buffer (what it wraps, or `<buffer>`). Never raises.

    Bytes are data to most readers, not a path.
    """
    if type(place) is str and place[:1] == "/" and "\n" not in place and "://" not in place:  # nearly always
        return path(place)
    if not isinstance(place, str):
        place = _text_of(place)
    if place is None or "\n" in place or place.lstrip()[:1] in ("{", "[", "<"):  # the data itself, which some readers take too
        return BUFFER
    return url(place) if "://" in place else path(place)


def reads(target: str) -> str:
    """The op of reading `target`."""
    return "file.read" if target[:1] == "/" else _op(target, "read")


def writes(target: str) -> str:
    """The op of writing `target`."""
    return "file.write" if target[:1] == "/" else _op(target, "write")


def _op(target: str, verb: str) -> str:
    scheme = target.partition("://")[0].lower() if "://" in target else ""
    if scheme in OBJECT_STORES:
        return f"object.{verb}"
    if scheme in ("http", "https"):
        return "http.request"
    return "file.transfer" if scheme in ("ftp", "sftp", "ftps") else f"file.{verb}"


def at(place: Any) -> Known:
    """For `known`: the ledger asks for `bytes` and `modified` of the file at `place` itself, when it tells of it."""
    return {"file": place}


def of_file(place: Any) -> Known:
    """`bytes` and `modified` of the file at `place` (as `target_of` takes it), if it is a plain file of this machine."""
    target = target_of(place)
    if not target.startswith("/"):
        return {}
    try:
        return facts(os.stat(target))
    except (OSError, ValueError):
        return {}


def is_path(place: Any) -> bool:
    """Whether `place` names a file, and is not one that is open: what is in the buffer of that is not in the file yet."""
    return isinstance(place, str) or hasattr(type(place), "__fspath__")


def facts(stat: os.stat_result) -> Known:
    """`bytes` and `modified` of a plain file; {} for anything else."""
    return {"bytes": stat.st_size, "modified": stat.st_mtime} if stat.st_mode & KIND == REGULAR else {}


def _text_of(place: Any) -> str | None:
    """The path of a path object, or the name of an open file; None if it has none (`name` may also be a number)."""
    try:
        found = os.fspath(place) if hasattr(type(place), "__fspath__") else getattr(place, "name", None)
        found = os.fsdecode(found) if isinstance(found, bytes) else found
    except Exception:
        return None
    return str(found) if isinstance(found, str) and found and not found.startswith("<") else None


def path(text: str) -> str:
    """`text`, a path, as an absolute one; a URL as it is. Raises nothing, also when the current folder is gone."""
    if "://" in text or text.startswith("<") or (text.startswith("/") and "/." not in text and "//" not in text):
        return text
    try:
        return os.path.abspath(os.path.expanduser(text) if text.startswith("~") else text)
    except (OSError, ValueError):
        return text


def url(text: str) -> str:
    """`https://user:word@host:8080/path?key=value#part` becomes `https://host:8080/path?key=***`."""
    scheme, _, rest = text.partition("://")
    rest = rest.partition("#")[0]
    rest, question, query = rest.partition("?")
    return f"{scheme}://{_without_user(scheme, rest)}{question}{_without_values(query)}"


def _without_user(scheme: str, rest: str) -> str:
    """A `/` in a password, which should have been written `%2F`, does not save it: a `:` that no port follows gives it away."""
    authority, slash, tail = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if at:
        return rest if scheme in CONTAINERS and ":" not in user else host + slash + tail
    port = authority.rpartition(":")[2] if ":" in authority and not authority.endswith("]") else ""
    if "@" in tail and port and not port.isdigit():
        return rest.rpartition("@")[2]
    return rest


def _without_values(query: str) -> str:
    parts = query.replace(";", "&").split("&") if query else []
    return "&".join([f"{part.partition('=')[0]}={MASK}" if "=" in part else MASK for part in parts])


def masked_text(text: str) -> str:
    """`text` (a message) with every URL in it masked."""
    if "://" not in text:
        return text
    return "".join([url(word) if "://" in word else word for word in _words(text)])


def _words(text: str) -> list[str]:
    """`text` in pieces, split behind and before what cannot stand in a URL."""
    pieces = [""]
    for character in text:
        if character.isspace() or character in "\"'<>()[]{},":
            pieces += [character, ""]
        else:
            pieces[-1] += character
    return pieces
