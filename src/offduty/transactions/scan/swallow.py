"""Whether a failure would be hidden: by an `except` that goes on as if nothing had happened, or by `contextlib.suppress`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from offduty.transactions.scan.names import Names
from offduty.transactions.scan.scopes import Context, Guard

ANYTHING = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})
OS_ERROR = frozenset({"OSError", "IOError", "EnvironmentError"})
REFUSALS = {  # the classes that hold every failure of a kind of transaction, by the first word of its op
    "file": OS_ERROR,
    "process": OS_ERROR | {"subprocess.SubprocessError"},
    "http": OS_ERROR | frozenset(
        "requests.RequestException requests.exceptions.RequestException httpx.HTTPError httpx.RequestError aiohttp.ClientError"
        " urllib.error.URLError urllib3.exceptions.HTTPError".split()
    ),
    "db": frozenset("sqlalchemy.exc.SQLAlchemyError pymongo.errors.PyMongoError".split()),
    "object": frozenset(
        "botocore.exceptions.ClientError google.api_core.exceptions.GoogleAPIError azure.core.exceptions.AzureError".split()
    ),
    "mail": OS_ERROR | {"smtplib.SMTPException"},
    "cache": frozenset({"redis.RedisError", "redis.exceptions.RedisError"}),
}  # fmt: skip
LOGGING = frozenset("debug info warn warning error exception critical fatal log print print_exc print_exception success".split())
HARMLESS = frozenset(  # calls that tell nobody and do nothing
    "print str repr len type format dict list set tuple int float bool isinstance getattr traceback.format_exc traceback.print_exc"
    " warnings.warn pandas.DataFrame pandas.Series numpy.array numpy.zeros time.sleep sys.exc_info".split()
)
EXITS = frozenset("sys.exit exit quit os._exit".split())


def is_swallowed(context: Context, op: str, names: Names) -> bool:
    """Whether a failure of a transaction `op` that stands in `context` gets past nobody who would raise, tell or act on it."""
    guard = context.guard
    while guard is not None:
        verdict = _verdict(guard, op, names)
        if verdict is not None:
            return verdict
        guard = guard.outer
    return False


def _verdict(guard: Guard, op: str, names: Names) -> bool | None:
    """True: hidden here. False: dealt with here. None: goes on to the next one outside."""
    node = guard.node
    if isinstance(node, ast.With | ast.AsyncWith):
        return True if any(_suppresses(item.context_expr, op, guard.context, names) for item in node.items) else None
    if any(isinstance(statement, ast.Return) for statement in node.finalbody):
        return True
    for handler in node.handlers:
        if handler.type is None or _catches(handler.type, op, guard.context, names):
            return _does(handler, guard.context, names)
    return None


def _does(handler: ast.ExceptHandler, context: Context, names: Names) -> bool | None:
    """What a handler makes of a failure, as `_verdict` says it."""
    parts = list(_parts(handler.body))
    if any(isinstance(part, ast.Raise | ast.Assert) for part in parts):
        return None
    calls = [part for part in parts if isinstance(part, ast.Call)]
    return not any(isinstance(part, ast.Delete | ast.Yield) for part in parts) and all(_is_harmless(call, context, names) for call in calls)


def _parts(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node of the statements, without what functions defined there would do."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))


def _is_harmless(call: ast.Call, context: Context, names: Names) -> bool:
    """A call that only prints, logs or makes a value, or leaves with status 0."""
    name = names.of(call.func, context)
    if name in EXITS:
        return not call.args or (isinstance(call.args[0], ast.Constant) and call.args[0].value in (0, None))
    if name.startswith("argparse."):
        return False  # parser.error() exits
    if name in HARMLESS or name.startswith(("str().", "datetime.")):
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr in LOGGING


def _suppresses(node: ast.expr, op: str, context: Context, names: Names) -> bool:
    if not isinstance(node, ast.Call) or names.of(node.func, context) != "contextlib.suppress":
        return False
    return any(_catches(argument, op, context, names) for argument in node.args)


def _catches(node: ast.expr, op: str, context: Context, names: Names) -> bool:
    """Whether `except node` gets every failure of such a transaction."""
    classes = node.elts if isinstance(node, ast.Tuple) else [node]
    wanted = ANYTHING | REFUSALS.get(op.partition(".")[0], frozenset())
    return any(_is_one_of(names.of(each, context), op, wanted) for each in classes)


def _is_one_of(name: str, op: str, wanted: frozenset[str]) -> bool:
    """A DBAPI module has its own `Error` at the top."""
    return name in wanted or (op.startswith("db.") and name.endswith(".Error") and name != "shutil.Error")
