"""What the words of an error suggest where no signature explains it: a careful guess of the category, never more.

Two small vocabularies make the guess, so that it needs no library's wording. A *sign* is what went wrong (absent, broken, held, used up);
a *thing* is what it went wrong with (a column, a module, a lock). Each sign says which category it means for which thing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from offduty.triage.categories import CATEGORIES
from offduty.triage.reading.statements import Statement

_JUDGED = 4  # statements of errors; what else is said counts only where there is none
_SAID = ("said", "warning", "info")
_CHARS = 1500


class Sign(NamedTuple):
    """`words`: beginnings of words or phrases that show it; `weight`: how telling; `means`: category by thing, `""` for any other."""

    words: tuple[str, ...]
    weight: int
    means: Mapping[str, str]


@dataclass(frozen=True)
class Guess:
    """`sign` and `thing`: the words it rests on, as they are in the statement; `thing` empty if none was named."""

    category: str
    statement: Statement
    sign: str
    thing: str


def guess(statements: Sequence[Statement]) -> Guess | None:
    """The category that most words of the deepest errors vote for; among equals the taxonomy's first. None if no word says anything."""
    votes: Counter[str] = Counter()
    best: dict[str, tuple[int, Guess]] = {}
    for place, statement in enumerate(_judged(statements)):
        for weight, found in _votes(statement):
            weight = weight * _JUDGED - min(place, _JUDGED - 1)
            votes[found.category] += weight
            if weight > best.get(found.category, (0, found))[0]:
                best[found.category] = (weight, found)
    order = {name: number for number, name in enumerate(CATEGORIES)}
    return best[min(votes, key=lambda name: (-votes[name], order[name]))][1] if votes else None


def _judged(statements: Sequence[Statement]) -> list[Statement]:
    """Errors, the deepest first; where there is none, the last that was said."""
    errors = sorted((one for one in statements if one.kind in ("raised", "error", "transaction")), key=lambda one: one.order)
    said = sorted((one for one in statements if one.kind in _SAID), key=lambda one: (-_SAID.index(one.kind), one.number))
    return [*errors[:_JUDGED], *said[: -_JUDGED - 1 : -1]]


def _votes(statement: Statement) -> list[tuple[int, Guess]]:
    """Each sign that the statement shows, for each thing that it names."""
    text = words_of(statement)
    things = {name: word for name, words in THINGS.items() if (word := _first(words, text))}
    found = []
    for sign in SIGNS:
        if word := _first(sign.words, text):
            named = [thing for thing in sign.means if thing in things]
            for thing in named or [""]:
                if category := sign.means.get(thing):
                    found.append((sign.weight + bool(thing), Guess(category, statement, word, things.get(thing, ""))))
    return found


def words_of(statement: Statement) -> str:
    """What a statement says in plain words with a space around each: names of classes and variables are taken apart."""
    trace = " ".join(f"{frame.function or ''}" for frame in statement.frames[-2:])
    capitals = " environ" if _CAPITALS.search(statement.text) else ""
    apart = _HUMP.sub(" ", f"{statement.text[:_CHARS]} {trace}{capitals}")
    return f" {' '.join(_WORD.findall(apart.lower()))} "


_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CAPITALS = re.compile(r"KeyError: ['\"][A-Z][A-Z0-9]*_[A-Z0-9_]+['\"]")  # so only variables of the environment are written
_WORD = re.compile(r"[^\W_]+(?:'t)?")


def _first(words: Sequence[str], text: str) -> str:
    """The first of the words that the text has: at the beginning of a word, or a whole one if it ends in a space."""
    return next((word.strip() for word in words if f" {word}" in text), "")


THINGS: dict[str, tuple[str, ...]] = {
    "certificate": (
        "certificate", "cert ", "ssl ", "tls ", "x509", "pkix",
    ),
    "column": (
        "column", "field", "feature name", "header", "schema", "dataframe", "usecols", "attribute not", "columns",
    ),
    "pandas": (
        "pandas", "get loc", "getitem axis", "loc ", "index engine",
    ),
    "table": (
        "table", "relation ", "view ", "constraint", "foreign key", "primary key", "duplicate key", "unique key",
    ),
    "database": (
        "sql", "database", "postgres", "mysql", "mariadb", "oracle", "mongo", "redis", "kafka", "broker", "cassandra", "psycopg", "amqp",
        "rabbit", "elastic", "db ", "jdbc", "odbc", "clickhouse", "snowflake", "server has gone", "query", "statement", "cursor",
    ),
    "lock": (
        "lock", "mutex", "semaphore",
    ),
    "transaction": (
        "transaction", "deadlock",
    ),
    "module": (
        "module", "package", "import", "plugin", "librar", "so ", "dll ", "jar ", "class ", "executable", "command", "binary", "java ",
        "jvm ", "symbol", "distribution", "interpreter", "program", "engine", "dependency", "install", "extension", "backend",
        "driver class", "which ", "bin ", "wheel", "conda", "pip ", "operator", "provider",
    ),
    "tool": (
        "sh ", "bash", "zsh", "env ", "line 1",
    ),
    "config": (
        "config", "setting", "option", "environ", "env ", "variable", "secret", "parameter", "argument", "property", "profile", "yaml",
        "yml ", "toml", "ini ", "cfg ", "dotenv", "credentials file", "connection id", "conn id", "section", "region", "flag",
        "project id",
    ),
    "model": (
        "model", "checkpoint", "weight", "pkl ", "pickle", "joblib", "pth ", "onnx", "safetensor", "state dict", "estimator", "artifact",
        "tokenizer", "embedding", "ckpt", "h5 ", "keras", "run id", "unpickl", "pt ", "classifier", "fitted", "registry", "gguf",
        "booster",
    ),
    "route": (
        "url", "endpoint", "route", "api ", "resource", "page", "method", "operation",
    ),
    "web": (
        "http", "https", "url", "host", "proxy", "socket", "request", "api ", "endpoint", "connection", "ssh", "ftp", "remote", "s3 ",
        "dns", "server", "connect", "webhook", "smtp", "grpc", "client", "gateway",
    ),
    "element": (
        "element", "selector", "xpath", "css ", "scrap", "tag ", "response", "payload", "json key", "attribute find", "attribute text",
        "attribute get", "attribute group", "soup",
    ),
    "gpu": (
        "cuda", "gpu", "cudnn", "nvidia", "nvml", "device", "nccl", "rocm", "cublas",
    ),
    "memory": (
        "memory", "heap", "ram ", "alloc", "buffer", "oom",
    ),
    "disk": (
        "disk", "space", "storage", "volume", "device", "tmp ", "filesystem", "file system", "inode", "partition",
    ),
    "handles": (
        "file descriptor", "open files", "thread", "process", "fork", "shm", "shared memory", "semaphore", "inotify", "pids", "ulimit",
    ),
    "data": (
        "file", "path", "object", "key ", "bucket", "blob", "dataset", "data", "directory", "partition", "csv", "parquet", "json",
        "input", "zip", "gz ", "gzip", "xlsx", "excel", "archive", "tar ", "avro", "orc ", "hdf", "image", "stream", "block", "footer",
        "folder",
    ),
    "rows": (
        "row", "record", "value", "sample", "entry", "entries", "batch", "result", "date", "number", "line",
    ),
    "job": (
        "job", "task", "step", "dag ", "cell", "workflow", "pipeline", "function", "execution", "run ", "allocation", "process", "build",
    ),
    "node": (
        "pod", "node", "container", "worker", "executor", "image pull", "instance", "cluster", "spot", "scheduler", "heartbeat",
        "kubelet",
    ),
    "image": (
        "pull", "docker image", "image ",
    ),
    "kernel": (
        "kernel", "notebook", "papermill", "jupyter", "ipykernel",
    ),
    "port": (
        "port ", "address", "bind", "listen",
    ),
    "local": (
        "errno", "directory", "open ", "mkdir", "os error", "file", "folder", "chmod", "home ", "log ",
    ),
    "browser": (
        "browser", "chrome", "gecko", "selenium", "webdriver",
    ),
    "identity": (
        "token", "password", "credential", "login", "user", "key ", "api key", "session", "account", "signature", "grant", "auth",
    ),
    "shape": (
        "shape", "dimension", "size", "length", "rank", "axis", "axes", "feature", "dim ", "tensor", "matrix", "array", "operand",
    ),
    "check": (
        "check", "test", "expectation", "validat", "assert", "rule", "constraint", "quality", "schema error", "expect",
    ),
}  # fmt: skip

SIGNS: tuple[Sign, ...] = (
    Sign((
        "certificate verif", "certificate has", "certificate", "self signed", "x509", "pkix", "sslcertverif", "ssl cert", "handshake",
    ), 9, {
        "": "tls_certificate",
    }),
    Sign((
        "name or service not", "resolve host", "getaddrinfo", "gaierror", "name resolution", "nodename", "unknown host", "unknownhost",
        "could not resolve", "temporary failure in name", "no such host", "nxdomain",
    ), 9, {
        "": "network_unreachable",
    }),
    Sign((
        "mapping values", "scanner error", "yaml", "toml ", "invalid url", "missing schema", "missing scheme", "no schema supplied",
        "invalid bucket", "invalid endpoint", "port could not", "rfc1738", "url from", "invalid region", "invalid host",
        "literal for int with base 10 5", "could not parse config", "bad configuration", "unknown url type", "no connection adapters",
    ), 7, {
        "": "bad_config",
    }),
    Sign((
        "server selection", "no brokers", "gone away", "could not connect to server", "too many clients", "too many connections",
        "server closed", "lost connection to my", "is the server running", "terminating connection", "can't connect to my", "queue pool",
        "no reachable servers", "database system is", "no hosts available", "remaining connection slots",
    ), 10, {
        "": "db_unavailable",
    }),
    Sign((
        "can't open lib", "cannot run program", "cannot load", "lib file", "dlopen", "java home", "java gateway",
        "no such file or directory java", "command not found", "no java",
    ), 6, {
        "model": "model_artifact", "": "dependency_missing",
    }),
    Sign((
        "0 sample", "no objects to concat", "zero size", "empty data", "no columns to parse", "0 rows", "n samples 0",
    ), 9, {
        "": "input_empty",
    }),
    Sign((
        "not in index", "feature names", "usecols", "cannot resolve", "given input columns", "unresolved column", "unseen at fit",
        "missing columns", "missing column", "unexpected column", "not in the columns", "column not found", "schema mismatch",
        "no such column",
    ), 6, {
        "": "schema_drift",
    }),
    Sign((
        "cannot import name", "only supports", "has no attribute", "undefined symbol", "unexpected keyword", "this version of",
        "compiled with", "compiled using",
    ), 7, {
        "element": "api_contract_change", "": "dependency_incompatible",
    }),
    Sign((
        "none type object", "nonetype", "none type",
    ), 6, {
        "element": "api_contract_change", "": "code_bug",
    }),
    Sign((
        "out of memory", "memory error", "oom", "unable to allocate", "bad alloc", "heap space", "gc overhead", "memory limit",
    ), 8, {
        "": "out_of_memory",
    }),
    Sign((
        "password auth", "authentication failed", "invalid grant", "access denied for user", "login failed", "401 ", "not authenticated",
        "invalid password", "token has expired", "expired token", "token expired", "invalid api key", "incorrect api key",
    ), 7, {
        "": "auth_failed",
    }),
    Sign((
        "waiting for execute", "timeout sending signal", "cell execution", "soft time limit", "cell timeout", "time limit",
    ), 6, {
        "": "job_timeout",
    }),
    Sign((
        "not unique", "are not unique", "one to one", "constraint error", "dirty data", "not be more than", "must hold", "primary key",
    ), 4, {
        "database": "db_query_error", "": "validation_failed",
    }),
    Sign((
        "already exists",
    ), 3, {
        "database": "db_query_error", "table": "db_query_error", "": "concurrency_lock",
    }),
    Sign((
        "connection aborted", "aborted",
    ), 4, {
        "web": "network_unreachable", "": "process_crashed",
    }),
    Sign((
        "tunnel connection", "proxy auth", "proxy error", "407 ",
    ), 6, {
        "": "network_unreachable",
    }),
    Sign((
        "no module named", "modulenotfound", "module not found", "cannot import", "import error", "cannot open shared",
        "command not found", "class not found", "no class def", "not installed", "is not recognized", "not on path", "please install",
        "pip install", "unable to locate", "library not loaded", "can't load", "no suitable driver", "executable file not found",
        "missing optional",
    ), 6, {
        "": "dependency_missing",
    }),
    Sign((
        "has no attribute", "no attribute", "unexpected keyword", "deprecat", "incompatib", "not compatible", "undefined symbol",
        "binary incompat", "requires version", "version mismatch", "unsupported version", "version conflict", "no longer support",
        "was removed", "has been removed", "requires python", "newer version", "older version", "only supports", "glibc", "abi ",
        "no such method", "unsupported class", "compiled against", "conflicting depend", "version ", "symbol not found",
    ), 4, {
        "model": "model_artifact", "": "dependency_incompatible",
    }),
    Sign((
        "not found", "notfound", "missing", "no such", "does not exist", "doesn't exist", "not exist", "cannot find", "can't find",
        "could not find", "couldn't find", "unable to find", "nosuch", "nonexist", "is not there", "absent", "no longer exist", "unknown",
        "not available", "undefined", "404 ", "not in index", "no file", "failed to find", "unable to locate", "cannot locate",
        "not present", "lacks", "not a valid file", "didn't find", "not in list", "no match", "required",
    ), 3, {
        "element": "api_contract_change", "column": "schema_drift", "module": "dependency_missing", "config": "config_missing",
        "model": "model_artifact", "table": "db_query_error", "route": "api_contract_change", "identity": "auth_failed",
        "data": "input_missing", "": "input_missing",
    }),
    Sign((
        "key error", "keyerror",
    ), 3, {
        "config": "config_missing", "pandas": "schema_drift", "element": "api_contract_change", "": "code_bug",
    }),
    Sign((
        "not set", "not defined in env", "not configured", "no section", "undefined variable", "not specified", "must be set",
        "must specify", "is required", "no default", "not provided", "unset", "improperly configured", "unable to locate cred", "environ",
        "please set", "please provide", "must provide", "no region", "no value for",
    ), 4, {
        "": "config_missing",
    }),
    Sign((
        "config", "setting", "option", "yaml", "toml", "usage ", "invalid value", "malformed", "bad request", "unrecognized",
        "invalid choice", "invalid url", "no host", "invalid bucket", "not a valid", "invalid argument", "unknown option", "illegal",
        "mapping values",
    ), 2, {
        "": "bad_config",
    }),
    Sign((
        "corrupt", "truncat", "unexpected end", "invalid header", "bad magic", "magic", "crc", "checksum", "not a zip", "badzip",
        "bad zip", "eof", "not a gzip", "end of file", "unreadable", "broken", "damaged", "incomplete", "not a parquet", "footer",
        "central directory", "bad archive", "cannot identify", "unpack", "invalid compressed", "compressed", "md5", "premature",
        "malformed file", "not recognized", "error tokenizing", "not an excel", "file format", "invalid file", "garbage",
        "does not match expected size", "unexpected eof", "smaller than the minimum",
    ), 5, {
        "model": "model_artifact", "": "input_corrupt",
    }),
    Sign((
        "could not convert", "cannot convert", "invalid literal", "cannot parse", "could not parse", "unable to parse", "failed to parse",
        "parse error", "parsing", "does not match format", "unparsable", "invalid date", "codec can't", "decode", "encode", "nan ",
        "inf ", "infinity", "null value", "out of bounds", "out of range", "invalid number", "cast", "malformed", "unconverted",
        "bad value", "invalid input", "invalid utf", "unterminated", "not a number", "expected fields", "saw ", "format", "negative",
        "non finite", "cannot be converted", "invalid byte",
    ), 3, {
        "database": "db_query_error", "": "bad_values",
    }),
    Sign((
        "empty", "no data", "no rows", "no record", "no objects", "zero size", "0 sample", "0 rows", "nothing to", "no columns to parse",
        "no results", "zero length", "is blank", "length 0", "size 0", "no samples", "no images", "at least one",
    ), 4, {
        "config": "bad_config", "": "input_empty",
    }),
    Sign((
        "schema", "column", "header", "dtype", "fields do not", "not in index", "usecols", "feature names", "unexpected field", "renamed",
        "data type", "type mismatch", "mismatched",
    ), 2, {
        "check": "validation_failed", "": "schema_drift",
    }),
    Sign((
        "get loc", "getitem axis", "hashtable", "not in columns", "are in the columns", "are in the index",
    ), 5, {
        "": "schema_drift",
    }),
    Sign((
        "validation", "validat", "expectation", "constraint fail", "assertion", "assert", "check failed", "test failed", "tests failed",
        "failed test", "failed check", "violat", "rule", "great expect", "pandera", "dbt ", "quality", "failure case", "unexpected value",
        "not valid", "failing row",
    ), 3, {
        "database": "db_query_error", "": "validation_failed",
    }),
    Sign((
        "unauthori", "unauthenticated", "authenticat", "401 ", "expired", "revoked", "invalid grant", "invalid token", "invalid api key",
        "login", "password", "bad credential", "invalid credential", "credential", "not logged in", "access key", "signature",
        "invalid key", "oauth", "api key", "invalid client", "token", "kerberos", "sign in", "jwt",
    ), 4, {
        "": "auth_failed",
    }),
    Sign((
        "denied", "forbidden", "403 ", "permission", "not authorized", "not permitted", "not allowed", "access denied", "privilege",
        "insufficient perm", "insufficient priv", "insufficient scope", "eacces", "read only", "lacks the", "does not have",
        "require role", "policy",
    ), 4, {
        "": "permission_denied",
    }),
    Sign((
        "429 ", "rate limit", "ratelimit", "throttl", "too many requests", "quota", "resource exhausted", "limit exceeded", "slow down",
        "usage limit", "billing", "per minute", "per second", "per day", "credits", "exceeded your", "rate exceeded",
    ), 6, {
        "memory": "out_of_memory", "": "rate_limited",
    }),
    Sign((
        "too many open", "too many files", "descriptor", "can't start new thread", "resource temporarily", "shm", "shared memory",
        "ulimit", "emfile", "enfile", "fork failed", "cannot fork", "unable to create native thread", "inotify", "argument list too long",
        "pthread", "bus error",
    ), 9, {
        "lock": "concurrency_lock", "": "os_limit",
    }),
    Sign((
        "no space", "disk full", "enospc", "disk quota", "space left", "out of disk", "disk is full", "edquot", "not enough space",
        "low disk", "enough free", "insufficient disk", "could not extend", "storage full", "errno 28", "oserror 28",
        "exceeds the file size", "full ",
    ), 8, {
        "": "disk_full",
    }),
    Sign((
        "out of memory", "memory error", "memoryerror", "oom", "unable to allocate", "bad alloc", "heap space", "cannot allocate",
        "memory limit", "java heap", "137 ", "memory", "killed", "alloc", "sigkill", "not enough memory",
    ), 4, {
        "": "out_of_memory",
    }),
    Sign((
        "segmentation", "sigsegv", "core dumped", "aborted core", "sigabrt", "sigill", "illegal instruction", "double free",
        "heap corruption", "fatal python", "139 ", "134 ", "132 ", "signal 11", "signal 6", "signal 4", "access violation",
        "stack smashing", "crash", "segfault", "terminate called", "floating point exception", "died unexpectedly",
    ), 5, {
        "kernel": "notebook_kernel_died", "": "process_crashed",
    }),
    Sign((
        "kernel died", "dead kernel", "kernel appears", "kernel died before", "kernel has died", "kernel was",
    ), 7, {
        "": "notebook_kernel_died",
    }),
    Sign((
        "evict", "preempt", "spot ", "sigterm", "143 ", "heartbeat", "lost worker", "worker lost", "unschedul", "image pull", "imagepull",
        "err image", "insufficient cpu", "node lost", "worker exited", "executor lost", "zombie", "lost task", "shut down", "shutdown",
        "drain", "terminated", "interrupted", "reclaim", "no longer running", "failedscheduling", "not ready", "low on resource",
        "pull image", "node fail", "backoff", "unable to schedule", "was deleted", "lost",
    ), 4, {
        "": "infra_evicted",
    }),
    Sign((
        "timed out", "timeout", "time out", "time limit", "deadline", "took too long", "etimedout", "exceeded the maximum time",
        "max run time", "exceeded time",
    ), 4, {
        "lock": "db_locked_or_deadlock", "database": "db_unavailable", "web": "network_unreachable", "job": "job_timeout",
        "": "network_unreachable",
    }),
    Sign((
        "time limit", "walltime", "execution time", "due to time", "max time", "exceeded the time", "cell timeout", "job timed",
        "task timed",
    ), 5, {
        "": "job_timeout",
    }),
    Sign((
        "refused", "unreachable", "reset by", "connection reset", "could not connect", "cannot connect", "can't connect",
        "failed to connect", "connection error", "disconnect", "broken pipe", "no route", "connection closed", "connection abort",
        "not connect", "gone away", "lost connection", "no brokers", "server selection", "closed the connection", "connection lost",
        "unable to connect", "connection fail", "connection timed", "not reachable", "econn", "hang up", "eof occurred",
        "terminating connection", "too many client", "too many connections", "connection terminated", "connection",
    ), 4, {
        "database": "db_unavailable", "": "network_unreachable",
    }),
    Sign((
        "500 ", "502 ", "503 ", "504 ", "internal server", "internal error", "bad gateway", "service unavailable", "server error",
        "unavailable", "overloaded", "backend error", "gateway time", "maintenance", "try again later", "temporarily unavailable",
        "expecting value", "doctype", "5xx",
    ), 4, {
        "database": "db_unavailable", "": "remote_server_error",
    }),
    Sign((
        "410 ", "no such element", "unexpected response", "not subscriptable", "unable to extract", "api has changed",
        "no longer available", "405 ", "unexpected format", "response did not", "endpoint", "stale element", "nonetype", "400 ",
    ), 2, {
        "element": "api_contract_change", "browser": "api_contract_change", "web": "api_contract_change",
    }),
    Sign((
        "deadlock", "lock wait", "database is locked", "database table is locked", "lock timeout", "could not serialize", "serializ",
        "wsrep", "lock not available", "concurrent update", "locked",
    ), 5, {
        "database": "db_locked_or_deadlock", "transaction": "db_locked_or_deadlock", "": "concurrency_lock",
    }),
    Sign((
        "lock", "already running", "in use", "conflict", "another instance", "another process", "eaddrinuse", "concurren", "busy",
        "already locked", "is running", "pid file", "pidfile", "being used", "already in progress", "overlap", "already open", "acquire",
    ), 3, {
        "transaction": "db_locked_or_deadlock", "database": "db_locked_or_deadlock", "": "concurrency_lock",
    }),
    Sign((
        "syntax error", "sql compilation", "invalid identifier", "duplicate key", "foreign key", "unique constraint", "not null",
        "integrity", "operational error", "programming error", "relation ", "duplicate entry", "violates", "sqlstate", "query failed",
        "ora ", "invalid query", "analysis", "ambiguous", "sql error", "undefined table", "undefined column", "psycopg", "database error",
    ), 3, {
        "": "db_query_error",
    }),
    Sign((
        "shape", "dimension", "size mismatch", "same length", "must match", "broadcast", "not aligned", "inconsistent number",
        "expecting features", "features but", "incompatible shape", "length mismatch", "lengths", "rank", "matmul", "expected axis",
        "cannot reshape", "expected input", "number of features", "mat1", "sizes of tensors", "number of dimensions", "conformable",
        "non matching", "does not match size", "expects n features", "same number",
    ), 5, {
        "model": "shape_mismatch", "": "shape_mismatch",
    }),
    Sign((
        "state dict", "unpickl", "pickle", "checkpoint", "load model", "loading model", "not fitted", "notfitted", "safetensor", "onnx",
        "mlflow", "registered model", "artifact", "tokenizer", "joblib", "torch load", "state_dict", "hub ", "from pretrained",
        "deserializ", "persistent load", "weights", "model ",
    ), 3, {
        "": "model_artifact",
    }),
    Sign((
        "converge", "singular", "svd ", "line search", "positive definite", "lin alg", "linalg", "infeasible", "ill conditioned",
        "perfect separation", "optimization", "optimizer", "overflow", "diverg", "step halving", "eigen", "solver", "iteration limit",
        "collinear", "gradient", "non finite", "hessian", "likelihood", "numerical", "cholesky", "leading minor", "max iter",
        "maximum number of iterations", "degenerate", "deviance",
    ), 5, {
        "": "numeric_convergence",
    }),
    Sign((
        "cuda", "cudnn", "nvml", "nvidia", "gpu", "cublas", "nccl", "rocm", "driver version", "no device", "device side",
    ), 6, {
        "memory": "out_of_memory", "": "gpu_or_driver",
    }),
    Sign((
        "type error", "typeerror", "name error", "nameerror", "unbound local", "zero division", "zerodivision", "index error",
        "attribute error", "not callable", "not iterable", "unsupported operand", "is not defined", "syntax error", "indentation",
        "null pointer", "before assignment", "recursion", "list index", "nonetype", "not implemented", "stopiteration", "object is not",
        "missing required positional", "must be str", "takes positional",
    ), 3, {
        "database": "db_query_error", "": "code_bug",
    }),
)  # fmt: skip
