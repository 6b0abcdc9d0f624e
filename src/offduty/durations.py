"""Durations and sizes as people write them, in and out: `2 h 30 min`, `PT2H30M`, `1.5 GiB`.

Read character by character: the run command needs this before the job starts, and `re` alone costs 5 ms there.
"""

from __future__ import annotations

from offduty.errors import UsageError, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 365 * 86400.0
LARGEST = 1 << 50

_SPELLINGS = {
    1e-3: "ms millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "m min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
    604800.0: "w week weeks",
}
_SECONDS = {word: seconds for seconds, words in _SPELLINGS.items() for word in words.split()}
_ISO_DATE = {"W": 604800.0, "D": 86400.0}
_ISO_TIME = {"H": 3600.0, "M": 60.0, "S": 1.0}
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}  # fmt: skip

_DIGITS = frozenset("0123456789")
_LONGEST_NUMBER = 15


def parse(value: object, *, zero: bool = False) -> float:
    """Seconds in `value`: a number of seconds, or text like `90`, `90s`, `2h30m`, `1 h 30 min`, `PT2H30M`.

    `zero`: whether 0 is allowed (else it is a mistake, never "no limit"). Raises UsageError E102.
    """
    seconds = float(value) if _is_number(value) else _text_seconds(value) if isinstance(value, str) else None  # type: ignore[arg-type]
    if seconds is None:
        raise _refused(value, "not a duration", 'write a number of seconds, or text like "90 s", "2h30m" or "1 d"')
    if not 0 <= seconds <= LONGEST:
        raise _refused(value, "not between 0 and 365 days", "write a shorter one" if seconds > LONGEST else "write one that is positive")
    if seconds == 0 and not zero:
        raise _refused(value, "0 is no duration here", "write a positive one, or leave the setting out")
    return seconds


def parse_size(value: object) -> int:
    """Bytes in `value`: a whole number of bytes, or text like `500 MB` or `1 GiB`. Raises UsageError E102."""
    size = value if isinstance(value, int) and not isinstance(value, bool) else _text_size(value) if isinstance(value, str) else None
    if size is None:
        raise _refused(value, "not a size", 'write a whole number of bytes, or text like "500 MB" or "1 GiB"')
    if not 0 < size <= LARGEST:
        raise _refused(value, "not between 1 byte and 1024 TiB", "write one in between")
    return size


def spoken(seconds: float) -> str:
    """`seconds` for people, in at most two units: `0.61 s`, `2 min 14 s`, `2 h 30 min`, `3 d 4 h`."""
    if seconds < 0:
        return f"-{spoken(-seconds)}"
    if seconds < 59.95:
        return _short(seconds)
    if round(seconds) < 3600:
        return _two(round(seconds), 60, "min", "s")
    if round(seconds / 60) < 1440:
        return _two(round(seconds / 60), 60, "h", "min")
    return _two(round(seconds / 3600), 24, "d", "h")


def spoken_size(size: int) -> str:
    """`size` bytes for people: `812 B`, `1.5 MiB`, `1 GiB`."""
    for unit in ("GiB", "MiB", "KiB"):
        if size >= _BYTES[unit]:
            return f"{_trimmed(f'{size / _BYTES[unit]:.1f}')} {unit}"
    return f"{size} B"


def _refused(value: object, why: str, fix: str) -> UsageError:
    return UsageError("E102", f"{quoted(value)} cannot be used", why=why, fix=fix)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e18 < value < 1e18  # neither inf nor NaN pass


def _text_seconds(text: str) -> float | None:
    text = text.strip(" ")
    if text.startswith("P"):
        return _iso_seconds(text[1:])
    number = _number(text)
    return number if number is not None else _sum(_pairs(text), _SECONDS)


def _iso_seconds(text: str) -> float | None:
    """ISO 8601 without years and months, which have no length: `P1DT2H`, `PT0.5S`."""
    date, mark, time = text.partition("T")
    if bool(mark) != bool(time):
        return None
    days = _sum(_pairs(date), _ISO_DATE) if date else 0.0
    hours = _sum(_pairs(time), _ISO_TIME) if time else 0.0
    return None if days is None or hours is None or not text else days + hours


def _text_size(text: str) -> int | None:
    number = _number(text.strip(" "))
    if number is not None:
        return int(number) if number.is_integer() else None
    pairs = _pairs(text)
    if pairs is None or len(pairs) != 1 or pairs[0][1] not in _BYTES:
        return None
    return int(pairs[0][0] * _BYTES[pairs[0][1]])


def _sum(pairs: list[tuple[float, str]] | None, units: dict[str, float]) -> float | None:
    """The parts added up; None unless each has a known unit, each unit smaller than the one before (`1s 1h` is a slip, not a sum)."""
    if not pairs or any(unit not in units for _, unit in pairs):
        return None
    sizes = [units[unit] for _, unit in pairs]
    if any(after >= before for before, after in zip(sizes, sizes[1:], strict=False)):
        return None
    return sum(number * size for (number, _), size in zip(pairs, sizes, strict=True))


def _pairs(text: str) -> list[tuple[float, str]] | None:
    """`2h 30 min` → [(2.0, "h"), (30.0, "min")]; None if the text is anything else."""
    pairs: list[tuple[float, str]] = []
    at = 0
    while at < len(text):
        start, at = at, _while(text, at, lambda c: c in _DIGITS or c == ".")
        number = _number(text[start:at])
        start = at = _while(text, at, lambda c: c == " ")
        at = _while(text, at, lambda c: "a" <= c <= "z" or "A" <= c <= "Z")
        if number is None or start == at:
            return None
        pairs.append((number, text[start:at]))
        at = _while(text, at, lambda c: c == " ")
    return pairs or None


def _while(text: str, at: int, wanted: Callable[[str], bool]) -> int:
    while at < len(text) and wanted(text[at]):
        at += 1
    return at


def _number(text: str) -> float | None:
    """An unsigned decimal in ASCII digits; `float()` alone would take `1e99`, `inf`, `1_0` and Arabic digits too."""
    whole, dot, part = text.partition(".")
    digits = whole + part
    if not whole or bool(dot) != bool(part) or len(digits) > _LONGEST_NUMBER or not _DIGITS.issuperset(digits):
        return None
    return float(text)


def _short(seconds: float) -> str:
    if 0 < seconds < 0.01:
        return f"{_trimmed(f'{seconds * 1000:.1f}')} ms"
    return f"{_trimmed(f'{seconds:.2f}' if seconds < 10 else f'{seconds:.1f}')} s"


def _two(count: int, base: int, large: str, small: str) -> str:
    return f"{count // base} {large}" + (f" {count % base} {small}" if count % base else "")


def _trimmed(decimal: str) -> str:
    return decimal.rstrip("0").rstrip(".")
