"""Values that are secret because of the key before them: `password=…`, `"api_key": "…"`, `--token …`, `Cookie: …`.

The key is kept and the value masked, unless the value is plainly none (`None`, `str`, a placeholder, a name in code, prose).
"""

from __future__ import annotations

import re

from offduty.secrets.formats import Found, compiled
from offduty.secrets.names import NOT_SECRET, SURELY, secrecy

# What every secret key contains; without its first letter a stem serves `token` and `Token` alike.
_STEMS = """assword asswd asswort assphrase ecret oken pi_key pi-key pikey piKey piKey ccess_key ccess-key ccesskey ccessKey rivate_key
rivate-key rivatekey rivateKey ccount_key ccountkey ccountKey uth_key uth-key uthkey igning_key ncryption_key aster_key ernet_key
torage_key redential uthorization ookie ession_id essionid essid ession_key csrf xsrf ignature pwd""".split()  # fmt: skip
_MIXED_CASE = "pi-Key ccess-Key ccountKey uth-Key Pwd SessionId ubscription-Key".split()
_WITH_SEPARATOR = [f"{word}{mark}" for word in ("auth", "AUTH", "_pass", "_PASS") for mark in ("=", ":", '"', "'", " =")]
LITERALS = sorted({form.encode() for stem in _STEMS for form in (stem, stem.upper())} | {w.encode() for w in _MIXED_CASE + _WITH_SEPARATOR})

_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_NAME = rb"[\w.-]{1,128}+"
_CLOSING = rb"(?:\\{0,3}+[\"'`])?+\]?+[ \t]{0,8}+"
_SEPARATOR = rb"(?:=>|:=|={1,2}+|:(?!:)|%3[Dd])[ \t]{0,8}+"
# What may follow a key, from somewhere inside it: a separator; in XML `>`; in SQL `PASSWORD '`.
_NOTATION = rb"[\w.-]{1,128}+(?:(?P<any>" + _CLOSING + _SEPARATOR + rb")|(?P<xml>>)|(?P<sql>[ \t]{1,2}+(?=')))"
_BEHIND_FLAG = rb"(?:[\"'],[ \t]{0,2}+(?=[\"'])|[ \t]{1,8}+)"
_QUOTE = rb"[bBuU]?(\\{0,3}+)([\"'`])"
_BARE_BYTE = rb"[^\s,;&\"'`<>\\]"
_BARE = _BARE_BYTE + rb"{1,512}+"  # enough to judge a value by; all of it is only looked for when it is one
_NOT_YET = rb"(?:\\{1,3}|\\{0,3}[\"'`])?\]?[ \t]{0,8}(?:(?:=>?|:=?|==|%|%3[Dd]?)[ \t]{0,8}(?:[bBuU]?\\{0,3}[\"'`]?)?|,[ \t]{0,2}|>)?\Z"

# The values in signatures, schemas and examples.
_NO_VALUES = frozenset(
    b"none null nil true false yes no on off str string bytes int integer bool boolean optional required any text varchar secretstr"
    b" undefined missing empty hidden redacted masked removed filtered changeme example password secret token key basic bearer"
    b" digest".split()
)
# How a sentence goes on behind `password: ` or `--token `.
_PROSE = _NO_VALUES | frozenset(
    b"incorrect invalid wrong expired unknown unset set changed reset accepted rejected denied disabled enabled ok failed error valid"
    b" default a an the is are was were be must may can cannot could should will not has have had for from to of in at by with and or if as"
    b" please your this that it only too use using used enter found loaded stored read more least option flag instead".split()
)
_PLACEHOLDER = (
    rb"\$\{[^}\s]{0,80}\}?|\$[A-Z_][A-Z0-9_]*|\$\d+|%s|%\(\w{1,40}\)s|:[a-z_]+|\?|\{[^}\s]{0,80}\}*|<[^>]{0,80}>?"
    rb"|\[[A-Za-z ]{0,40}\]?|[*xX\xe2\x80\xa2.#-]+"
)
_COOKIES = (b"cookie", b"setcookie")
_CODE = rb"(?:await )?[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+"
_NUMBER = rb"[-+0-9.,eE:/%_T Z]*"
_PATH = rb"(?:~|\.{1,2})?(?:/[\w.@+-]+)+/?|[A-Za-z]:\\.*|(?:file|https?)://.*"


class Keyed:
    """The finder of keyed values; `find` is called where one of `literals` stands."""

    title, literals = "keyed value", LITERALS

    def find(self, view: bytes, at: int) -> Found | None:
        """The value whose key contains the place `at`, or nothing; unfinished if more of it (or of its key) may follow."""
        notation = compiled(_NOTATION).match(view, at)
        if notation or b"-" in view[max(0, at - 24) : at] or len(view) - at < 160:
            return self._judged(view, at, notation)
        return None

    def _judged(self, view: bytes, at: int, notation: re.Match[bytes] | None) -> Found:
        start, name, behind = _key_at(view, at)
        value_at = _value_start(view, start, name, behind, notation)
        sureness = secrecy(name.decode("ascii"))
        if value_at >= 0 and sureness != NOT_SECRET:
            return _value(view, start, name, value_at, sureness)
        waits = behind == len(view) or (sureness != NOT_SECRET and len(view) - behind < 32 and compiled(_NOT_YET).match(view, behind))
        return Found(start, start, unfinished=True) if waits else Found(behind, behind)


def _key_at(view: bytes, at: int) -> tuple[int, bytes, int]:
    """(where the whole name begins, the name, where it ends)."""
    before = view[max(0, at - 64) : at]
    start = at - len(before) + len(before.rstrip(_NAME_BYTES))
    match = compiled(_NAME).match(view, start)
    name = match[0] if match else b""
    return start, name, start + len(name)


def _value_start(view: bytes, start: int, name: bytes, behind: int, notation: re.Match[bytes] | None) -> int:
    """Where the value begins; -1 if no separator follows the name."""
    if notation and notation.lastgroup == "any":
        return notation.end()
    if notation and (view[start - 1 : start] == b"<" if notation.lastgroup == "xml" else name.lower() == b"password"):
        return notation.end()
    match = compiled(_BEHIND_FLAG).match(view, behind) if name.startswith(b"-") else None
    return match.end() if match else -1


def _value(view: bytes, start: int, name: bytes, at: int, sureness: int) -> Found:
    low, end = at, -1
    quote = compiled(_QUOTE).match(view, at)
    if quote:
        low, end = quote.end(), _closing(view, quote)
    else:
        low, end = _unquoted(view, start, name, at)
    if end - low == 512 and not quote:
        end = _matched(_BARE_BYTE + rb"++", view, low) if _is_value(view, low, end, name, sureness) else end
    at_end = end == len(view)
    if at_end and end - low < 16 and not quote:
        return Found(low, end if _is_value(view, low, end, name, sureness) else low, context=start, unfinished=True)
    if end > low and _is_value(view, low, end, name, sureness, quoted=bool(quote)):
        return Found(low, end, context=start, unfinished=at_end)
    return Found(start, start, unfinished=True) if at_end else Found(low, low)


def _closing(view: bytes, opened: re.Match[bytes]) -> int:
    """Where the closing quote stands, or the end of the line or text without one."""
    escapes, mark = opened[1], opened[2]
    if escapes:
        inner = rb"(?:(?!" + re.escape(escapes + mark) + rb")[^\n])*+"
    else:
        inner = rb"(?:[^\\\n" + mark + rb"]++|\\[^\n]?)*+"
    match = compiled(inner).match(view, opened.end())
    return match.end() if match else opened.end()


def _unquoted(view: bytes, start: int, name: bytes, at: int) -> tuple[int, int]:
    """(start, end) of a value without quotes: a word, or the rest of the line where the notation says so."""
    plain = _plain(name)
    if plain.endswith(b"authorization"):
        scheme = compiled(
            rb"(?:Bearer|Basic|Digest|Token|Negotiate|AWS4-HMAC-SHA256)[ \t]++",
        ).match(view, at)
        at = scheme.end() if scheme else at
        return at, _matched(rb"[^\r\n\"'`\\]*+", view, at)
    if plain in _COOKIES:
        return at, _matched(rb"[^\r\n\"'`\\]*+", view, at) if b"=" in view[at : at + 256] else at
    if _takes_the_line(view, start, name, at):
        return at, _matched(rb"[^\r\n]*[^\s]", view, at) if view[at : at + 1] not in (b"", b"\r", b"\n") else at
    end = _matched(_BARE, view, at)
    return at, at + len(_balanced(view[at:end]))


def _plain(name: bytes) -> bytes:
    return name.lower().replace(b"-", b"").replace(b"_", b"")


def _takes_the_line(view: bytes, start: int, name: bytes, at: int) -> bool:
    """`NAME=value` as `env` prints it, and `name: value` as YAML writes it, at the beginning of a line."""
    line = view[max(0, start - 64) : start]
    indent = line[line.rfind(b"\n") + 1 :].strip(b" \t-\r")
    if indent or secrecy(name.decode("ascii", "replace")) != SURELY:
        return False
    return (name.isupper() and view[at - 1 : at] == b"=") or view[at - 2 : at] == b": "


def _matched(pattern: bytes, view: bytes, at: int) -> int:
    match = compiled(pattern).match(view, at)
    return match.end() if match else at


def _balanced(value: bytes) -> bytes:
    """`value` without closing brackets that were opened before it."""
    while value[-1:] in (b")", b"]", b"}") and value.count(value[-1:]) > value.count({b")": b"(", b"]": b"[", b"}": b"{"}[value[-1:]]):
        value = value[:-1]
    return value


def _is_value(view: bytes, start: int, end: int, name: bytes, sureness: int, *, quoted: bool = False) -> bool:
    """Whether the value may be a secret at all."""
    value = view[start:end]
    words = value.split(None, 1)
    if not words or value.lower() in _NO_VALUES or (not quoted and words[0].rstrip(b".,:;!)").lower() in _PROSE):
        return False
    if compiled(_PLACEHOLDER).fullmatch(value) or (name[-1:] in b"sS" and value.isdigit()):  # `secrets: 3`
        return False
    if not quoted and _is_code(view, start, end):
        return False
    if sureness == SURELY or (_plain(name) in _COOKIES and b"=" in value):
        return not (b"ass" not in name.lower() and len(value) != 40 and compiled(_PATH).fullmatch(value))
    return _looks_random(value)


def _is_code(view: bytes, start: int, end: int) -> bool:
    """A call, a subscript, or a name that is a secret's own (`password=self.password`)."""
    match = compiled(_CODE).match(view, start, end)
    if not match:
        return False
    if view[match.end() : match.end() + 1] in (b"(", b"["):
        return True
    last = match[0].rsplit(b".", 1)[-1].decode("ascii")
    return match.end() == end and is_key(last) and not any(c.isdigit() for c in last)


def _looks_random(value: bytes) -> bool:
    """For keys that are common words too (`token`, `session_id`): long, and letters mixed with digits, or very long."""
    if len(value) > 256 and b" " not in value:
        return True
    if len(value) < 8 or value[:1] in b"<[({/" or b" " in value or compiled(_NUMBER).fullmatch(value) or compiled(_PATH).fullmatch(value):
        return False
    letters = any(97 <= byte | 32 <= 122 for byte in value[:64])
    digits = any(48 <= byte <= 57 for byte in value[:64])
    return (letters and digits) or len(value) >= 20


def is_key(name: str) -> bool:
    """Whether a value behind the option, key or parameter `name` may be secret."""
    return secrecy(name) != NOT_SECRET


def is_value_of(name: str, value: str) -> bool:
    """Whether the argument behind the option `name` is its value: anything for `--password`, something random for `--token`."""
    return not value.startswith("-") and (secrecy(name) == SURELY or _looks_random(value.encode("utf-8", "replace")))
