"""What the families' tables are made of: a rule looks at one call and says what it touches, if anything."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from offduty.transactions.scan import targets
from offduty.transactions.scan.names import NOTHING, TRANSPARENT, Place
from offduty.transactions.scan.scopes import Context
from offduty.transactions.scan.texts import Texts, is_none, items_of

Touch = tuple[str, str | None]  # op, target
MADE_BY = 30  # steps from an object back to the call that made it


class Call:
    """One call: its arguments, their texts, and what the object is that it is called on."""

    def __init__(self, node: ast.Call, context: Context, texts: Texts, tables: Tables) -> None:
        self.node, self.context, self.texts, self.tables = node, context, texts, tables
        self.names = texts.names
        self.name = self.names.of(node.func, context)

    @property
    def method(self) -> str:
        """The last word of what is called."""
        function = self.node.func
        return function.attr if isinstance(function, ast.Attribute) else self.name.rpartition(".")[2]

    @property
    def receiver(self) -> ast.expr | None:
        """What stands before the dot."""
        return self.node.func.value if isinstance(self.node.func, ast.Attribute) else None

    def given(self, index: int, *keywords: str) -> ast.expr | None:
        """The argument at `index` (-1: none), or the first of `keywords` that is passed, also through `**settings` of this module."""
        arguments = self.node.args
        if 0 <= index < len(arguments) and not any(isinstance(each, ast.Starred) for each in arguments[: index + 1]):
            return arguments[index]
        passed = {keyword.arg: keyword.value for keyword in self.node.keywords if keyword.arg}
        for keyword in self.node.keywords:
            if keyword.arg is None:
                passed = {**self._items(keyword.value), **passed}
        return next((passed[name] for name in keywords if name in passed), None)

    def _items(self, node: ast.expr) -> dict[str, ast.expr]:
        places = self.names.values(node, self.context) or [(node, self.context)]
        return items_of(places[0][0]) if len(places) == 1 else {}

    def text(self, index: int, *keywords: str) -> str | None:
        """The text of an argument, with holes; None if it is not passed or None."""
        node = self.given(index, *keywords)
        return None if node is None or is_none(node) else self.texts.shown(node, self.context)

    def known(self, index: int, *keywords: str) -> str | None:
        """The text of an argument, if anything is known of it."""
        node = self.given(index, *keywords)
        return None if node is None else self.texts.known(node, self.context)

    def kind(self, node: ast.expr) -> str:
        """What an argument denotes."""
        return self.names.of(node, self.context)

    def is_open(self, node: ast.expr) -> bool:
        """Whether an argument is something that was opened elsewhere, or lies in memory: the transaction was there."""
        root, call, _ = self.kind(node).partition("()")
        return bool(call) and root in self.tables.handles

    def maker(self) -> Call | None:
        """The call that made the object this one is called on: `psycopg.connect(…)` for `conn.cursor().execute(…)`."""
        return self.made(self.receiver) if self.receiver is not None else None

    def made(self, node: ast.expr) -> Call | None:
        """The call that made `node`, through names, attributes, items, methods and functions of the module."""
        place: Place | None = (node, self.context)
        for _ in range(MADE_BY):
            if place is None:
                return None
            node, context = place
            if isinstance(node, ast.Call):
                call = Call(node, context, self.texts, self.tables)
                place = None if call.name in self.tables.calls or call.name in self.tables.on else call.before()
                if place is None:
                    return call
            else:
                place = self._behind(node, context)
        return None

    def made_in_one_step(self, node: ast.expr) -> Call | None:
        """The last call that `node` is the result of."""
        place: Place | None = (node, self.context)
        for _ in range(MADE_BY):
            if place is None:
                return None
            if isinstance(place[0], ast.Call):
                return Call(place[0], place[1], self.texts, self.tables)
            place = self._behind(*place)
        return None

    def before(self) -> Place | None:
        """What a call only hands on: its object, its first argument, what a function of the module returns."""
        if self.name.startswith("@"):
            function = self.names.module.functions.get(self.name[1:])
            return function.returns[0] if function is not None and len(function.returns) == 1 else None
        if self.receiver is not None and "()" in self.name:
            return self.receiver, self.context
        return (self.node.args[0], self.context) if self.name in TRANSPARENT and self.node.args else None

    def _behind(self, node: ast.expr, context: Context) -> Place | None:
        """The one expression that a name stands for, or the object that an attribute or item is of."""
        if isinstance(node, ast.Await | ast.NamedExpr | ast.Subscript):
            return node.value, context
        places = [place for place in self.names.values(node, context) if self.names.of(*place) != NOTHING]
        if len(places) == 1:
            return places[0]
        return (node.value, context) if isinstance(node, ast.Attribute) else None

    def touch(self) -> Touch | None:
        """What this call touches, by the tables."""
        rule = self.tables.rule(self)
        return rule(self) if rule is not None else None


Rule = Callable[[Call], Touch | None]


class Tables:
    """The families' tables, put together.

    `calls`: functions and classes by name. `on`: methods of whatever a call gives, `*` for any. `methods`: of objects of unknown type.
    `same`: names that mean another one. `handles`: calls whose result is read from or written to as a file is.
    """

    def __init__(
        self,
        calls: Mapping[str, Rule],
        on: Mapping[str, Mapping[str, Rule]],
        methods: Mapping[str, Rule],
        same: Mapping[str, str],
        handles: frozenset[str],
    ) -> None:
        self.calls, self.on, self.methods, self.same, self.handles = calls, on, methods, same, handles

    def rule(self, call: Call) -> Rule | None:
        """The rule for a call, or None."""
        found = self.calls.get(call.name) or self._on(call.name)
        return found or (self._method(call) if call.method in self.methods else None)

    def _on(self, name: str) -> Rule | None:
        root, made, rest = name.partition("()")
        table = self.on.get(root) if made and rest else None
        return (table.get(name.rpartition(".")[2]) or table.get("*")) if table else None

    def _method(self, call: Call) -> Rule | None:
        """By the method's name alone: not for what is known to be a module, a literal, or a class of the module itself."""
        if call.receiver is None or call.name.startswith(("@", "str().", "list().", "dict().", "tuple().", "set().")):
            return None
        if call.name and "()" not in call.name and "[]" not in call.name and not self._is_imported_object(call):
            return None
        return self.methods[call.method]

    def _is_imported_object(self, call: Call) -> bool:
        """`from db import engine` may be an object, `import db` is a module."""
        node = call.receiver
        if not isinstance(node, ast.Name):
            return False
        bindings = call.names.bindings(node.id, call.context, (node.lineno, node.col_offset))
        return any(binding.kind == "from" for binding in bindings)


# makers of rules


def touches(op: str, index: int = -1, *keywords: str) -> Rule:
    """`op`, with the target at `index` or in one of `keywords`; nothing if what is passed there is open already."""

    def rule(call: Call) -> Touch | None:
        node = call.given(index, *keywords)
        if node is not None and (call.is_open(node) or call.kind(node) in ("int()", "list()")):
            return None
        target = call.text(index, *keywords)
        return targets.op_by_scheme(op, target), target

    return rule


def needs_target(op: str, index: int, *keywords: str) -> Rule:
    """Like `touches`, but nothing without a target: `frame.to_csv()` only makes a text."""
    plain = touches(op, index, *keywords)

    def rule(call: Call) -> Touch | None:
        touch = plain(call)
        return touch if touch is not None and touch[1] is not None else None

    return rule


def by_mode(index: int, keywords: tuple[str, ...], mode: int, mode_keyword: str = "mode") -> Rule:
    """`file.write` if the mode says so, else `file.read`."""
    read, write = touches("file.read", index, *keywords), touches("file.write", index, *keywords)

    def rule(call: Call) -> Touch | None:
        return (write if set(call.known(mode, mode_keyword) or "r") & set("wax+") else read)(call)

    return rule


def on_receiver(op: str) -> Rule:
    """`op`, the target being what it is called on: `path.read_text()`."""

    def rule(call: Call) -> Touch | None:
        target = call.texts.shown(call.receiver, call.context) if call.receiver is not None else None
        return targets.op_by_scheme(op, target), target

    return rule


def as_made(op: str) -> Rule:
    """`op`, the target being that of the call that made the object."""

    def rule(call: Call) -> Touch | None:
        maker = call.maker()
        touch = maker.touch() if maker is not None and maker.node is not call.node else None
        return op, touch[1] if touch is not None else None

    return rule


def nothing(_: Call) -> Touch | None:
    """No transaction; keeps a `*` from catching it."""
    return None


def each(prefix: str, names: str, rule: Rule) -> dict[str, Rule]:
    """The same rule for several names: `each("pandas.", "read_csv read_table", rule)`."""
    return {prefix + name: rule for name in names.split()}
