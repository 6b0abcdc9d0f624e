"""Targets as the ledger of a run shows them: URLs without credentials, queries without literals."""

from __future__ import annotations

import re
from collections.abc import Mapping

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://")
OBJECT_STORES = frozenset("s3 s3a s3n gs gcs az abfs abfss adl wasb wasbs r2 oci oss".split())
TRANSFERS = frozenset("ftp ftps sftp scp ssh".split())
PARAMETER = re.compile(r"(?<=[?&;])([^=&#;]+)=([^&#;]*)")
ONLY_HOLE = re.compile(r"\$?\{[^{}]*\}\Z")
VERBS = frozenset(
    "select insert update delete merge replace upsert create drop alter truncate copy call exec execute begin commit rollback grant"
    " vacuum analyze explain show describe pragma attach load unload set use with values export import refresh lock from".split()
)
NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'[^']*'", re.DOTALL)  # comments and literals
WORD = re.compile(r"[\s(]*([A-Za-z]+)\b")
NAME = r"(?:[\w$.]|\{[^{}\s]*\}|\"[^\"]{1,80}\"|`[^`]{1,80}`|\[[^\]]{1,80}\])+"
TABLE = re.compile(
    rf"\b(?:from|join|into|update|table|overwrite|copy)\s+(?:only\s+|table\s+|if\s+(?:not\s+)?exists\s+)*({NAME})", re.IGNORECASE
)
NAMED_QUERY = re.compile(r"(?:\bwith|,)\s+(?:recursive\s+)?(\w+)\s*(?:\([^()]*\)\s*)?as\s*(?:not\s+)?(?:materialized\s*)?\(", re.IGNORECASE)
NOT_FROM = re.compile(r"\b(?:extract|trim|substring|position|overlay)\s*\([^()]*\)", re.IGNORECASE)
NOT_TABLES = frozenset("select set values if not exists only lateral unnest distinct stdin stdout as".split())
MOST_TABLES, LONGEST_QUERY = 5, 10_000
LONGEST = 300  # characters of a target
PAIR = re.compile(r"\s*([\w ]+?)\s*=\s*('[^']*'|\{[^{}]*\}|[^;\s]*)")
# What connection strings and keywords call the parts of an address.
HOSTS = ("host", "server", "hostname", "hosts", "account", "address", "data source", "server_hostname", "contact_points", "hostaddr")
DATABASES = ("dbname", "database", "db", "initial catalog", "service_name", "catalog", "path")


def scheme(target: str) -> str:
    """The scheme of a URL in lower case, or "" for a path."""
    match = SCHEME.match(target)
    return match[1].lower() if match else ""


def op_by_scheme(op: str, target: str | None) -> str:
    """`file.read` of `s3://…` is `object.read`, of `https://…` an `http.request`."""
    if target is None or not op.startswith("file."):
        return op
    kind = scheme(target)
    if kind in OBJECT_STORES:
        return "object.read" if op == "file.read" else "object.write"
    if kind in ("http", "https"):
        return "http.request"
    return "file.transfer" if kind in TRANSFERS else op


def clean(target: str) -> str:
    """One line of at most 300 characters, a URL without user, password and values of its query."""
    line = " ".join(target.split()).removeprefix("./")
    if "://" in line:
        start, mark, rest = line.partition("://")
        rest = _without_user(rest)
        line = PARAMETER.sub(_masked, f"{start}{mark}{rest}")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _without_user(rest: str) -> str:
    """`user:password@host/x` as `host/x`; a password may hold anything but the end of the URL's first part."""
    word, space, more = rest.partition(" ")
    authority = re.split(r"[/?#]", word, maxsplit=1)[0]
    if "@" not in authority and ":" in authority and "@" in word:  # a slash in the password
        authority = word.rpartition("@")[0] + "@"
    at = authority.rfind("@")
    return (word[at + 1 :] if at >= 0 else word) + space + more


def _masked(match: re.Match[str]) -> str:
    value = match[2]
    return match[0] if not value or ONLY_HOLE.match(value) else f"{match[1]}=***"


def statement(query: str | None) -> str:
    """`SELECT stores, sales`: the verb of a query and its tables. "" if it does not look like one."""
    if query is None:
        return ""
    text = NOISE.sub(_blank, query[:LONGEST_QUERY])
    match = WORD.match(text)
    verb = match[1].lower() if match else ""
    if verb not in VERBS:
        return ""
    named = {name.lower() for name in NAMED_QUERY.findall(text)} if verb == "with" else set()
    if verb == "with":
        verb = next(iter(re.findall(r"\b(insert|update|delete|merge)\b", text, re.IGNORECASE)), "select")
    found = (name.strip('"`[]') for name in TABLE.findall(NOT_FROM.sub(" ", text)))
    tables = list(dict.fromkeys(name for name in found if name.lower() not in named | NOT_TABLES))[:MOST_TABLES]
    return " ".join([verb.upper(), ", ".join(tables)]).strip()


def _blank(match: re.Match[str]) -> str:
    return "''" if match[0].startswith("'") else " "


def address(kind: str, host: str | None, port: str | None, database: str | None) -> str:
    """`postgresql://dw:5432/sales`, of which anything may be missing."""
    place = (host or "") + (f":{port}" if port and host and ":" not in host else "")
    return f"{kind}://{place}" + (f"/{database}" if database else "")


def from_connection_string(kind: str, text: str) -> str:
    """The address in `host=dw dbname=sales`, `DRIVER=…;SERVER=dw;DATABASE=sales` or a URL."""
    if "://" in text:
        return text
    parts = {key.lower(): value.strip("'") for key, value in PAIR.findall(text)}
    if not parts:
        return address(kind, text, None, None)
    return address(odbc_kind(kind, parts), first(parts, HOSTS), parts.get("port"), first(parts, DATABASES))


def odbc_kind(kind: str, parts: Mapping[str, str]) -> str:
    """Which database an ODBC driver is for."""
    driver = parts.get("driver", "").lower()
    words = {"sql server": "mssql", "postgres": "postgresql", "mysql": "mysql", "oracle": "oracle", "snowflake": "snowflake"}
    return next((name for word, name in words.items() if word in driver), kind)


def first(parts: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first of `names` that is there."""
    return next((parts[name] for name in names if parts.get(name)), None)
