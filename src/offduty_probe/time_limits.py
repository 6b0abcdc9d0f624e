"""Whether a call waits for a limited time, as the library itself would say: by its arguments, its objects, or its defaults.

In a drill, a call without a limit is not answered with an exception that would never come: it hangs, and that is the result.
What is not known here counts as limited. docs/explanation/drills.md lists the defaults, and where each library says so.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Tuple

    Args = Tuple[Any, ...]
    Named = Dict[str, Any]
    Has = Callable[[Args, Named], bool]

NONE_YET = object()


def has_time_limit(module: str, op: str, args: Args, kwargs: Named) -> bool:
    """`module`: of the function that is called; `op`: of the transaction."""
    known = LIMITS.get((module.partition(".")[0], op))
    if known is None:
        return True
    try:
        return known(args, kwargs)
    except Exception:  # another version keeps it elsewhere
        return True


def _usual() -> bool:
    """What sockets do where nothing is said: wait for ever, unless somebody has set a default."""
    socket = sys.modules.get("socket")
    return socket is not None and socket.getdefaulttimeout() is not None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _requests(args: Args, kwargs: Named) -> bool:
    """`timeout` of the call; of a pair the second is for the answer."""
    said = kwargs.get("timeout")
    return said[-1] is not None if isinstance(said, tuple) else said is not None


def _urllib(args: Args, kwargs: Named) -> bool:
    return any(_is_number(value) for value in (kwargs.get("timeout"), *args[2:])) or _usual()


def _urllib3(args: Args, kwargs: Named) -> bool:
    """Of the call, else of the pool, else of the manager that makes pools."""
    said = kwargs.get("timeout", NONE_YET)
    if said is NONE_YET:
        owner = args[0]
        said = owner.timeout if hasattr(owner, "timeout") else owner.connection_pool_kw.get("timeout")
    return _is_number(said) or _is_number(getattr(said, "read_timeout", None)) or _usual()


def _httpx(args: Args, kwargs: Named) -> bool:
    """Five seconds, unless somebody says `timeout=None`; it goes with the request."""
    request = args[1] if len(args) > 1 else kwargs["request"]
    return request.extensions.get("timeout", {}).get("read", 5.0) is not None


def _aiohttp(args: Args, kwargs: Named) -> bool:
    """Five minutes in total, unless somebody says otherwise, for the call or for the session."""
    said = kwargs.get("timeout", NONE_YET)
    if said is NONE_YET or type(said).__name__ == "_SENTINEL":
        said = args[0].timeout
    return any(getattr(said, name, None) for name in ("total", "sock_read")) or (_is_number(said) and said > 0)


def _psycopg(args: Args, kwargs: Named) -> bool:
    """`statement_timeout`, wherever it was set: the session is asked, unless it is in the midst of something."""
    connection = args[0].connection.pgconn
    if connection.transaction_status not in (0, 2):  # idle, or in a transaction that is well
        return True
    return bool(connection.exec_(b"SHOW statement_timeout").get_value(0, 0) != b"0")


def _psycopg2(args: Args, kwargs: Named) -> bool:
    extensions, connection = sys.modules["psycopg2.extensions"], args[0].connection
    if connection.get_transaction_status() not in (0, 2) or connection.async_:
        return True
    with extensions.cursor(connection) as cursor:  # the library's own class, which nobody watches
        cursor.execute("SHOW statement_timeout")
        return bool(cursor.fetchone()[0] != "0")


def _psycopg2_connect(args: Args, kwargs: Named) -> bool:
    """libpq waits for ever without `connect_timeout`, in the words of the connection or in PGCONNECT_TIMEOUT."""
    from os import environ

    said = sys.modules["psycopg2.extensions"].parse_dsn(args[0]) if args and args[0] else {}
    value = kwargs.get("connect_timeout", said.get("connect_timeout", environ.get("PGCONNECT_TIMEOUT")))
    return value is not None and int(value) > 0


def _pymysql(args: Args, kwargs: Named) -> bool:
    """`read_timeout` of the connection; connecting is limited to ten seconds."""
    return args[0].connection._read_timeout is not None  # noqa: SLF001


def _redis(args: Args, kwargs: Named) -> bool:
    """`socket_timeout`; five seconds in version 8, none where there is no `_defaults`."""
    said = args[0].connection_pool.connection_kwargs
    return said.get("socket_timeout", NONE_YET if "redis._defaults" in sys.modules else None) is not None


def _of_socket(args: Args, kwargs: Named) -> bool:
    """smtplib and ftplib: `timeout` of the object, else what sockets do."""
    said = args[0].timeout
    return said is not None and (_is_number(said) or _usual())


def _ftp_connect(args: Args, kwargs: Named) -> bool:
    said = args[3] if len(args) > 3 else kwargs.get("timeout", -999)
    return _of_socket(args, kwargs) if said == -999 else said is not None


def _ftp(args: Args, kwargs: Named) -> bool:
    return _ftp_connect(args, kwargs) if args[0].sock is None else _of_socket(args, kwargs)


def _sftp(args: Args, kwargs: Named) -> bool:
    """A channel waits for ever unless `settimeout` says otherwise; connecting is limited by the time for the banner, 15 s."""
    return not hasattr(args[0], "get_channel") or args[0].get_channel().gettimeout() is not None


LIMITS: dict[tuple[str, str], Has] = {
    ("requests", "http.request"): _requests,
    ("urllib", "http.request"): _urllib,
    ("urllib3", "http.request"): _urllib3,
    ("httpx", "http.request"): _httpx,
    ("aiohttp", "http.request"): _aiohttp,
    ("psycopg", "db.query"): _psycopg,
    ("psycopg2", "db.query"): _psycopg2,
    ("psycopg2", "db.connect"): _psycopg2_connect,
    ("pymysql", "db.query"): _pymysql,
    ("redis", "cache.call"): _redis,
    ("smtplib", "mail.send"): _of_socket,
    ("ftplib", "file.transfer"): _ftp,
    ("paramiko", "file.transfer"): _sftp,
}
"""By the module of the function and the transaction. What has a limit whatever is said (botocore: 60 s) is not here."""
