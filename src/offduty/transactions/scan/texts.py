"""What texts in source code say: `{name}` stands for what is only known when it runs, `${NAME}` for an environment variable."""

from __future__ import annotations

import ast
import os.path
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence

from offduty.transactions.scan.names import DEEPEST, Names, Place
from offduty.transactions.scan.scopes import Context

LONGEST = 1000  # characters of a text that are kept
LONGEST_HOLE = 60
ENVIRONMENT = ("os.environ[]", "os.environ.get", "os.getenv", "os.environ.pop", "os.environ.setdefault")
SAME = frozenset(  # functions that give their first argument back, as far as a reader is concerned
    "str os.fspath os.path.abspath os.path.realpath os.path.expanduser os.path.expandvars os.path.normpath bytes bytearray"
    " os.fsdecode os.fsencode urllib.parse.quote urllib.request.Request sqlalchemy.text sqlalchemy.sql.text sqlalchemy.sql.expression.text"
    " psycopg.sql.SQL psycopg2.sql.SQL textwrap.dedent inspect.cleandoc yarl.URL httpx.URL sqlalchemy.make_url"
    " sqlalchemy.engine.make_url sqlalchemy.engine.url.make_url pydantic.SecretStr glob.glob".split()
)
SAME_METHODS = frozenset(
    "strip rstrip lstrip encode decode resolve absolute expanduser as_posix as_uri get_secret_value unwrap lower upper format_map".split()
)
OF_PATHS: Mapping[str, Callable[[str], str]] = {
    "os.path.dirname": lambda path: os.path.dirname(path) or ".",
    "os.path.basename": os.path.basename,
    "parent": lambda path: os.path.dirname(path) or ".",
    "name": os.path.basename,
    "stem": lambda path: os.path.splitext(os.path.basename(path))[0],
    "suffix": lambda path: os.path.splitext(path)[1],
}
PERCENT = re.compile(r"%(?:\((\w+)\))?[#0\- +]*(?:\d+|\*)?(?:\.\d+)?([a-zA-Z%])")
BRACES = re.compile(r"\{\{|\}\}|\{([^{}:!]*)[^{}]*\}")


class Texts:
    """The texts of one module's expressions. `path` is what `__file__` says."""

    def __init__(self, names: Names, path: str) -> None:
        self.names, self.path = names, path
        self._known: dict[int, str | None] = {}
        self._depth = 0

    def shown(self, node: ast.expr, context: Context) -> str:
        """The text of `node`; if nothing is known of it, `{itself}`."""
        text = self.known(node, context)
        return hole(node) if text is None else text

    def known(self, node: ast.expr, context: Context) -> str | None:
        """The text of `node`, perhaps with holes; None if nothing is known of it. Every expression is looked at once."""
        if id(node) in self._known:
            return self._known[id(node)]
        if self._depth >= DEEPEST:
            return None
        self._known[id(node)] = None
        self._depth += 1
        text = self._find(node, context)
        self._depth -= 1
        self._known[id(node)] = text = text if text is None else text[:LONGEST]
        return text

    def _find(self, node: ast.expr, context: Context) -> str | None:
        match node:
            case ast.Constant():
                return _constant(node.value)
            case ast.JoinedStr():
                return "".join(self._part(part, context) for part in node.values)
            case ast.Name(id="__file__"):
                return self.path
            case ast.Name():
                return self._agreed(self.names.values(node, context))
            case ast.Attribute():
                return self._of_attribute(node, context)
            case ast.BinOp():
                return self._of_operator(node, context)
            case ast.Subscript():
                return self._of_subscript(node, context)
            case ast.Call():
                return self._of_call(node, context)
            case ast.Await() | ast.NamedExpr():
                return self.known(node.value, context)
            case ast.IfExp():
                return self._agreed([(node.body, context), (node.orelse, context)])
            case ast.BoolOp(op=ast.Or()):
                return self.known(node.values[0], context)
        return None

    def _agreed(self, places: Sequence[Place]) -> str | None:
        texts = {self.known(node, context) for node, context in places if not is_none(node)}
        return texts.pop() if len(texts) == 1 else None

    def _part(self, part: ast.expr, context: Context) -> str:
        """A piece of an f-string."""
        return self.shown(part.value if isinstance(part, ast.FormattedValue) else part, context)

    def _of_attribute(self, node: ast.Attribute, context: Context) -> str | None:
        base = self.names.of(node.value, context)
        if base == "pathlib.Path()" and node.attr in OF_PATHS:
            return self._of_path(node.attr, node.value, context)
        return self._agreed(self.names.values(node, context))

    def _of_path(self, function: str, node: ast.expr, context: Context) -> str | None:
        """A part of a path; not of one that is a hole as a whole."""
        path = self.known(node, context)
        if path is None or (path[:1] in "{$" and "/" not in path):
            return None
        return OF_PATHS[function](path)

    def _of_operator(self, node: ast.BinOp, context: Context) -> str | None:
        if isinstance(node.op, ast.Mod):
            return self._of_percent(node, context)
        if not isinstance(node.op, ast.Add | ast.Div):
            return None
        parts = self._chain(node)
        if all(self.known(part, context) is None for part in parts):
            return None
        texts = [self.shown(part, context) for part in parts]
        return "".join(texts) if isinstance(node.op, ast.Add) else posixpath.join(*texts)

    def _chain(self, node: ast.BinOp) -> list[ast.expr]:
        """a + b + c as [a, b, c]: long sums lean to the left."""
        parts: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
            parts.append(left.right)
            left = left.left
        return [left, *reversed(parts)]

    def _of_percent(self, node: ast.BinOp, context: Context) -> str | None:
        template = self.known(node.left, context)
        if template is None:
            return None
        values = list(node.right.elts) if isinstance(node.right, ast.Tuple) else [node.right]
        keyed = items_of(node.right)
        rest = iter(values)

        def fill(match: re.Match[str]) -> str:
            if match[2] == "%":
                return "%"
            value = keyed.get(match[1]) if match[1] else next(rest, None)
            return self.shown(value, context) if value is not None else f"{{{match[1] or ''}}}"

        return PERCENT.sub(fill, template)

    def _of_format(self, template: str, node: ast.Call, context: Context) -> str:
        keyed = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        rest = iter(node.args)

        def fill(match: re.Match[str]) -> str:
            field = match[1]
            if field is None:
                return match[0][0]
            value = next(rest, None) if not field else _nth(node.args, field) if field.isdigit() else keyed.get(field)
            return self.shown(value, context) if value is not None else f"{{{field}}}"

        return BRACES.sub(fill, template)

    def _of_subscript(self, node: ast.Subscript, context: Context) -> str | None:
        if self.names.of(node.value, context) == "os.environ":
            return variable(self.shown(node.slice, context))
        item = self.item(node.value, node.slice, context)
        return self.known(*item) if item is not None else None

    def item(self, node: ast.expr, key: ast.expr, context: Context) -> Place | None:
        """The expression that `node[key]` stands for, if `node` is a literal."""
        places = self.names.values(node, context) or [(node, context)]
        if len(places) != 1 or not isinstance(key, ast.Constant):
            return None
        whole, inside = places[0]
        if isinstance(whole, ast.List | ast.Tuple) and type(key.value) is int and 0 <= key.value < len(whole.elts):
            return whole.elts[key.value], inside
        value = items_of(whole).get(key.value) if isinstance(key.value, str) else None
        return (value, inside) if value is not None else None

    def _of_call(self, node: ast.Call, context: Context) -> str | None:
        name = self.names.of(node.func, context)
        first = node.args[0] if node.args else None
        if name in ENVIRONMENT and first is not None:
            return variable(self.shown(first, context))
        if name in ("os.path.join", "urllib.parse.urljoin", "pathlib.Path", "posixpath.join"):
            return self._joined(node.args, context)
        if name in SAME and first is not None:
            return self.known(first, context)
        if name in OF_PATHS and first is not None:
            return self._of_path(name, first, context)
        if name in ("os.getcwd", "pathlib.Path.cwd", "pathlib.Path.home"):
            return "~" if name.endswith("home") else "."
        if name.startswith("@"):
            function = self.names.module.functions.get(name[1:])
            return self._agreed(function.returns) if function is not None else None
        return self._of_method(node, name, context) if isinstance(node.func, ast.Attribute) else None

    def _of_method(self, node: ast.Call, name: str, context: Context) -> str | None:
        function = node.func
        if not isinstance(function, ast.Attribute):
            return None
        text = self.known(function.value, context)
        if function.attr == "joinpath":
            return self._joined([function.value, *node.args], context)
        if text is None:
            return None
        if function.attr == "format":
            return self._of_format(text, node, context)
        if function.attr == "join" and len(node.args) == 1 and isinstance(node.args[0], ast.List | ast.Tuple):
            return text.join(self.shown(item, context) for item in node.args[0].elts)
        if function.attr in ("with_suffix", "with_name") and node.args:
            base = os.path.splitext(text)[0] if function.attr == "with_suffix" else os.path.dirname(text)
            last = self.shown(node.args[0], context)
            return base + last if function.attr == "with_suffix" else posixpath.join(base, last)
        return text if function.attr in SAME_METHODS or name in SAME else None

    def _joined(self, parts: Sequence[ast.expr], context: Context) -> str | None:
        if not parts or all(self.known(part, context) is None for part in parts):
            return None
        return posixpath.join(*(self.shown(part, context) for part in parts)) if len(parts) > 1 else self.known(parts[0], context)


def variable(name: str) -> str:
    """How an environment variable is shown."""
    return f"${{{name}}}"


def hole(node: ast.expr) -> str:
    """`{args.path}`: what stands for something that is only known when it runs."""
    text = source(node)
    return f"{{{text}}}" if len(text) <= LONGEST_HOLE else "{…}"


def source(node: ast.expr) -> str:
    """A short expression as it is written; `…` for what is not short."""
    parts: list[str] = []
    while len(parts) < 12:
        match node:
            case ast.Name():
                return "".join([node.id, *reversed(parts)])
            case ast.Attribute():
                parts.append(f".{node.attr}")
                node = node.value
            case ast.Subscript():
                parts.append(f"[{_key(node.slice)}]")
                node = node.value
            case ast.Call():
                parts.append("()")
                node = node.func
            case ast.Await():
                node = node.value
            case _:
                break
    return "…"


def _key(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else "…"


def _constant(value: object) -> str | None:
    if isinstance(value, bytes):
        return value[:LONGEST].decode("latin-1")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() < 64 else None
    return value if isinstance(value, str) else None


def is_none(node: ast.expr) -> bool:
    """Whether it is written as None."""
    return isinstance(node, ast.Constant) and node.value is None


def items_of(node: ast.expr) -> dict[str, ast.expr]:
    """The items of `{"a": x}` or `dict(a=x)` by name."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _nth(nodes: Sequence[ast.expr], index: str) -> ast.expr | None:
    return nodes[int(index)] if len(index) < 4 and int(index) < len(nodes) else None
