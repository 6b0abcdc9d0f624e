"""What one statement shows, as short tags: `http:404`, `errno:ENOENT`, `file:model`, `peer:db`, `in:pandas`.

The catalogue's tie-breaks are written in these tags, so that they hold for every library and wording that shows the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache

from offduty.runs.tails.finding import Frame
from offduty.triage.compiled import compiled
from offduty.triage.patterns import PatternSet
from offduty.triage.reading.statements import Statement

DATABASES = frozenset(
    (
        "psycopg2 psycopg asyncpg pg8000 aiopg pymysql MySQLdb mysql aiomysql _mysql_exceptions mariadb oracledb cx_Oracle "
        "pyodbc pymssql sqlite3 snowflake duckdb _duckdb redis aioredis rediscluster pymongo motor mongoengine kafka "
        "confluent_kafka aiokafka cassandra pika kombu amqp celery elasticsearch elastic_transport opensearchpy sqlalchemy "
        "peewee clickhouse_driver clickhouse_connect neo4j influxdb trino pyhive impala ibm_db ibm_db_dbi vertica_python "
        "teradatasql psycopg2cffi asyncmy records pandas_gbq tortoise couchbase memcache pymemcache ldap3 etcd3 pymilvus "
        "bson "
    ).split()
)
WEB = frozenset(
    (
        "requests urllib3 httpx httpcore aiohttp urllib botocore boto3 s3transfer boto google googleapiclient azure openai "
        "anthropic tornado pycurl requests_oauthlib huggingface_hub s3fs gcsfs adlfs github praw tweepy spotipy stripe "
        "slack_sdk twilio gspread yfinance treq http minio wandb feedparser selenium playwright scrapy grpc oauthlib ccxt "
        "urllib2 httplib httplib2 msal hvac "
    ).split()
)
SCRAPERS = frozenset(
    (
        "yfinance praw tweepy spotipy gspread feedparser scrapy ccxt googleapiclient pytrends pytube yt_dlp youtube_dl instaloader "
        "snscrape alpha_vantage pandas_datareader nsepy investpy twint facebook_scraper github slack_sdk finnhub fredapi nba_api"
    ).split()
)
_STANDARD = re.compile(
    r"[\\/](?:lib(?:64)?[\\/])?python\d[\d.]*[\\/](?:lib[\\/])?(?P<name>\w+)|[\\/]lib[\\/](?P<other>\w+)(?:\.py|[\\/])", re.IGNORECASE
)
_PACKAGE = re.compile(r"(?:site|dist)-packages[\\/](?P<name>\w+)|\.egg[\\/](?P<egg>\w+)[\\/]|[\\/]pyspark\.zip[\\/](?P<zip>\w+)")
_STANDARD_NAMES = frozenset(
    (
        "os socket ssl json zipfile gzip pickle csv codecs subprocess importlib configparser ConfigParser urllib urllib2 "
        "http httplib tarfile shutil pathlib concurrent multiprocessing threading asyncio sqlite3 ctypes decimal datetime "
        "_strptime bz2 lzma zlib io struct xml tempfile statistics ast tomllib smtplib ftplib selectors locale encodings "
        "pkgutil random logging argparse unittest collections copy re "
    ).split()
)

_STATUS = re.compile(
    r"(?:HTTP Error|HTTPError:?|HttpError|HTTP(?:S)?/\d(?:\.\d)?\"?|HTTP(?: status(?: code)?| code| response(?: code)?)?[ :=]+"
    r"|(?:response |return(?:ed)? |http[_ ]?|error )?(?:status|stat|code)"
    r"(?:[_ ]?code)?['\"]?(?: of| is| was| returned)?\s{0,2}[:=]?\s{0,2}\(?['\"]?|statusCode ?[:=] ?|Error code:|responded with(?: a"
    r"| status)?|returned(?: a| an| with)?|response|got HTTP response code|"
    r"returned error:|Server error|Client error|ResponseError:?|rejected with|Received|too many|received (?:an )?(?:unexpected )?"
    r"|got(?: a| an)?|bad response:?|Request failed:?|server .{0,30}:|serveur .{0,60}:|zurückgegeben:|Response \[|<Response \["
    r"|StatusCode\.|APIError\(code=?|status \()"
    r"\s?['\"(\[]?(?P<code>[1-3]\d\d|4[0-5]\d|50\d|51[01]|52\d|530|59\d)\b(?!\s?(?:ms|s\b|bytes|rows|records|lines|results|seconds|GB|MB|KB|\.\d))",
    re.IGNORECASE,
)  # fmt: skip
_STATUS_WORDS = re.compile(
    r"\b(?P<code>[45]\d\d)[\]:,]? ?(?:-\s)?\(?(?:Client Error|Server Error|Bad Request|Unauthorized|Forbidden|Not Found"
    r"|Method Not Allowed|Request Time-?out|Conflict|Gone|"
    r"Unprocessable|Too Many Requests|Internal (?:Server )?Error|Not Implemented|Bad Gateway|Service (?:Temporarily )?Unavailable"
    r"|Gateway Time-?out|Proxy Authentication|"
    r"Payment Required|Origin|Web Server|error responses|GET|POST|PUT|DELETE|Payload|UNAUTHENTICATED|PERMISSION_DENIED"
    r"|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE|NOT_FOUND|Access Denied|Quota)",
    re.IGNORECASE,
)
_THREE_DIGITS = re.compile(r"[1-5]\d\d")
_GRPC = {
    "UNAUTHENTICATED": "401", "PERMISSION_DENIED": "403", "NOT_FOUND": "404",
    "RESOURCE_EXHAUSTED": "429", "INTERNAL": "500", "UNAVAILABLE": "503",
}  # fmt: skip
_GRPC_STATUS = re.compile(
    r"(?:StatusCode\.|status(?:['\"])?\s?[=:]\s?(?:['\"])?|code ?= ?)(?P<name>UNAUTHENTICATED|PERMISSION_DENIED|NOT_FOUND"
    r"|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE)\b"
)
_ERRNO = re.compile(
    r"\[(?:Errno|WinError) (?P<code>-?\d+)\]|\(os error (?P<os>\d+)\)|errno(?:\s?=|:| is)? ?(?P<named>\d+)\b"
    r"|\berror: \((?P<old>\d{1,3}), '",
    re.IGNORECASE,
)
_ERRNOS = {
    1: "EPERM", 2: "ENOENT", 5: "EIO", 8: "ENOEXEC", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 17: "EEXIST", 20: "ENOTDIR", 21:
    "EISDIR", 22: "EINVAL", 23: "EMFILE", 24: "EMFILE", 26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC", 30: "EROFS", 32: "EPIPE", 36:
    "ENAMETOOLONG", 39: "ENOTEMPTY", 48: "EADDRINUSE", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL", 101: "ENETUNREACH", 103: "ECONNABORTED",
    104: "ECONNRESET", 54: "ECONNRESET", 110: "ETIMEDOUT", 60: "ETIMEDOUT", 111: "ECONNREFUSED", 61: "ECONNREFUSED", 112: "EHOSTDOWN",
    113: "EHOSTUNREACH", 116: "ESTALE", 122: "EDQUOT", 10013: "EACCES", 10048: "EADDRINUSE", 10053: "ECONNABORTED", 10054:
    "ECONNRESET", 10060: "ETIMEDOUT", 10061: "ECONNREFUSED", 11001: "EAI", -2: "EAI", -3: "EAI", -5: "EAI", 35: "EAGAIN", 3: "ENOENT",
    1455: "ENOMEM", 7: "E2BIG",
}  # fmt: skip
_SQLSTATE = re.compile(r"(?:SQLSTATE[\[: =]{1,3}|sqlstate: |\('|\d{6} \()(?P<state>[0-9A-Z]{2}[0-9A-Z]{3})(?=[\])',:; ]|$)")
_ORA = re.compile(r"\b(?P<code>(?:ORA|TNS|DPY|DPI)-\d{4,5})\b")
_MYSQL = re.compile(r"\((?P<code>[12]\d{3}), u?['\"]|\bERROR (?P<shell>[12]\d{3}) \(")
_ABSENT = re.compile(r"not found|not exist|not a file", re.IGNORECASE)
_PATH = re.compile(r"[/\\.]|^[\w-]+$")
_BARE = re.compile(r"[\w+-]+(?:\.exe)?")
_POOL = re.compile(r"HTTPS?ConnectionPool", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://")
_QUOTED = re.compile(
    r"(?<!\w)['\"«»`“”‘’](?P<path>[^'\"«»`“”‘’]{1,300})['\"«»`“”‘’]|(?:: |file |path "
    r"|^)(?P<bare>[\w.~/\\:<>$%*-]*[/\\.][\w.~/\\:<>$%*-]+)"
)


class _Words:
    """The words of `facts.toml` that are looked for in one place."""

    def __init__(self, where: str) -> None:
        table = compiled()["facts"][where]
        self._names = list(table)
        self._patterns = PatternSet(self._names, table.values())

    def shown(self, text: str, only: Container[str] | None = None) -> set[str]:
        """The facts whose words occur in `text`; `only`: of these."""
        places = None if only is None else {place for place, name in enumerate(self._names) if name in only}
        return {self._names[place] for place in self._patterns.matches(text, places)} if text else set()


@cache
def _words(where: str) -> _Words:
    return _Words(where)


def facts_of(statement: Statement, near: frozenset[str] = frozenset()) -> frozenset[str]:
    """The tags of one statement; `near`: the peers that the rest of the log speaks of, for what only the neighbourhood tells."""
    text = statement.text
    found = {f"kind:{statement.kind}", *_libraries(statement), *_codes(text), *_words("statement").shown(text)}
    found |= _words("code").shown("\n".join(statement.code[-4:]))
    found |= _words("trace").shown(" ".join(f"{frame.function or ''} {_place(frame)}" for frame in statement.frames))
    if "errno:EACCES" in found:  # Java's FileNotFoundException is raised for both
        found.discard("errno:ENOENT")
    if found & {"errno:ENOENT", "errno:EACCES", "http:404"} or _ABSENT.search(text):
        found |= _file_kinds(text)
    return frozenset(found - {"peer:db", "peer:http"} | _peer(found, text, near))


def peers(log: str) -> frozenset[str]:
    """`peer:db` and `peer:http`, as far as a log speaks of either."""
    return frozenset(_words("statement").shown(log, ("peer:db", "peer:http")))


def known_facts(fact: str) -> bool:
    """Whether a tag is one that can be shown: a misspelt one would never hold."""
    place, _, name = fact.partition(":")
    if any(fact in compiled()["facts"][where] for where in ("statement", "path", "code", "trace")):
        return True
    return (place in _OPEN and bool(name)) or fact in _FIXED or (place == "errno" and name in _ERRNOS.values())


_OPEN = ("in", "at", "http", "exit", "signal", "outcome", "sqlstate", "ora", "mysql", "transaction", "waiting", "kind")
_FIXED = (
    "file:data",
    "file:unnamed",
    "file:bare-name",
    "near:db",
    "near:http",
    "near:both",
    "frames:none",
    "at:own",
    "oom",
    "no-oom",
    "check:failed",
    "not-started",
    "peer:file",
)


def _libraries(statement: Statement) -> set[str]:
    """Where it was raised: `in:pandas` for each library passed through, `at:` the deepest one, `own:last` if the job's own code is last."""
    named = [library_of(frame) for frame in statement.frames if frame.file]
    found = {f"in:{name}" for name in named if name}
    found.update(f"in:{name.partition('.')[0].lstrip('_')}" for name in statement.types if "." in name)
    found.update(f"in:{name.partition('.')[0]}" for name in statement.types if "." in name)
    if named:
        found.add(f"at:{named[-1]}" if named[-1] else "at:own")
        if named[-1] in SCRAPERS:
            found.add("at:scraper")
    else:
        found.add("frames:none")
    return found


def _place(frame: Frame) -> str:
    """The path of a library's file; of the job's own its name alone: where people keep their jobs says nothing."""
    return frame.file if library_of(frame) else "/" + frame.file.replace("\\", "/").rpartition("/")[2]


def library_of(frame: Frame) -> str:
    """The installed package, or module of Python's own, that a frame is of; empty for the job's own code."""
    file = frame.file
    parts = [part.removesuffix(".py").removesuffix(".pyx") for part in file.replace("\\", "/").split("/")]
    if found := _PACKAGE.search(file):
        return found["name"] or found["egg"] or found["zip"] or ""
    if named := next((part for part in parts if part in _KNOWN), None):
        return named
    if found := _STANDARD.search(file):
        name = found["name"] or found["other"] or ""
        return name if name in _STANDARD_NAMES or not frame.own else ""
    return "" if frame.own else "python"


_SCIENCE = frozenset(
    (
        "pandas numpy scipy sklearn xgboost lightgbm catboost torch tensorflow keras statsmodels prophet pyarrow polars dask "
        "distributed ray pyspark py4j airflow prefect papermill nbclient nbconvert transformers datasets pydantic pandera "
        "great_expectations openpyxl xlrd fastparquet h5py tables joblib cloudpickle geopandas fiona rasterio xarray netCDF4 "
        "matplotlib mlflow yaml celery dbt shapely jsonschema marshmallow bs4 cupy jax optuna spacy nltk cv2 PIL "
    ).split()
)


_KNOWN = DATABASES | WEB | _SCIENCE | {"configparser", "ConfigParser"}


def _codes(text: str) -> set[str]:
    found: set[str] = set()
    for code in _http_codes(text[:3000]):
        found.update((f"http:{code}", f"http:{code[0]}xx"))
    for match in _ERRNO.finditer(text):
        number = next(group for group in match.groups() if group is not None)
        if name := _ERRNOS.get(int(number)):
            found.add(f"errno:{name}")
    found.update(f"sqlstate:{match['state']}" for match in _SQLSTATE.finditer(text) if any(map(str.isdigit, match["state"])))
    found.update(f"ora:{match['code']}" for match in _ORA.finditer(text))
    found.update(f"mysql:{match['code'] or match['shell']}" for match in _MYSQL.finditer(text))
    return found


def _http_codes(text: str) -> set[str]:
    codes = {_GRPC[match["name"]] for match in _GRPC_STATUS.finditer(text)}
    if _THREE_DIGITS.search(text):  # found soon, the rest is slow
        codes.update(match["code"] for match in (*_STATUS.finditer(text), *_STATUS_WORDS.finditer(text)))
    return codes


_FILE_KINDS = ("socket", "library", "config", "model", "script")  # the first that one of the paths is


def _file_kinds(text: str) -> set[str]:
    """What kind of file is meant, by the paths that the text names; data unless it is another."""
    named = [(match["path"] or match["bare"]).strip() for match in _QUOTED.finditer(text[:1500])]
    paths = [path for path in named if _PATH.search(path) and not path.startswith(("[Errno", "<class"))]
    shown = {fact for path in paths for fact in _words("path").shown(path)}
    first = next((kind for kind in _FILE_KINDS if f"file:{kind}" in shown), None)
    if first is None and not paths:
        return {"file:unnamed"}
    bare = bool(paths) and all(_BARE.fullmatch(path) for path in paths)
    return {f"file:{first or 'data'}", *({"file:bare-name"} if bare else set())}


def _peer(found: set[str], text: str, near: frozenset[str]) -> set[str]:
    """Who was spoken to: a database or broker, or something like HTTP; what the statement says itself comes first."""
    libraries = {name[3:] for name in found if name.startswith("in:")}
    web, db = bool(libraries & WEB) or "peer:http" in found, bool(libraries & DATABASES) or "peer:db" in found
    if _POOL.search(text) or (web and db and _ADDRESS.search(text) and not libraries & DATABASES):
        return {"peer:http"}
    if db or web:
        return {"peer:db"} if db else {"peer:http"}
    return {"near:both"} if len(near) == 2 else {peer.replace("peer", "near") for peer in near}
