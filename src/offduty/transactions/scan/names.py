"""What expressions denote, as dotted names: `pandas.read_csv`, `requests.Session().get`, `psycopg.connect().cursor()`.

`X()` is whatever calling X gives. `@X` is a function or class of the module itself. "" is: not known; `NOTHING` is the value None.
A name with several meanings has one only if all that can reach it agree.
"""

from __future__ import annotations

import ast
import builtins
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from offduty.transactions.scan.scopes import Binding, Block, Context, Module, Position, Scope, start

NOTHING = "None"
DEEPEST = 60  # expressions followed through names; a chain longer than that is not understood
MOST_MEANINGS = 20  # of a name; one that has more is not understood
MOST_SITES = 8  # calls of a function looked at to know what its parameters are
BUILTINS = frozenset(dir(builtins))
# What gives back what it is given: the name of its first argument counts.
TRANSPARENT = frozenset(
    "contextlib.closing contextlib.nullcontext contextlib.aclosing functools.partial typing.cast copy.copy iter next aiter anext".split()
)
LITERALS: dict[type, str] = {
    ast.JoinedStr: "str()", ast.List: "list()", ast.Tuple: "tuple()", ast.Dict: "dict()", ast.Set: "set()",
    ast.ListComp: "list()", ast.DictComp: "dict()", ast.SetComp: "set()", ast.GeneratorExp: "generator()",
}  # fmt: skip
UNKNOWN = Binding("opaque", Context(Scope("module", ""), Block(None)), (0, 0))
Place = tuple[ast.expr, Context]
Site = tuple[ast.Call, Context]


class Names:
    """The names of one module's expressions. `same`: names that mean another one, `requests.session()` is `requests.Session()`."""

    def __init__(self, module: Module, same: Mapping[str, str]) -> None:
        self.module, self.same = module, same
        self._known: dict[int, str] = {}
        self._sites: dict[str, dict[str, list[Site]]] = {}  # by word, then by what is called
        self._depth = 0

    def of(self, node: ast.expr, context: Context) -> str:
        """What `node` denotes; every expression is looked at once."""
        known = self._known.get(id(node))
        if known is not None:
            return known
        if self._depth >= DEEPEST:
            return ""
        self._known[id(node)] = ""  # what is defined by itself is not known
        self._depth += 1
        name = self._find(node, context)
        self._depth -= 1
        self._known[id(node)] = name = self.same.get(name, name)
        return name

    def _find(self, node: ast.expr, context: Context) -> str:
        match node:
            case ast.Name():
                return self._of_name(node, context)
            case ast.Attribute():
                return self._of_attribute(node, context)
            case ast.Call():
                return self._of_call(node, context)
            case ast.Subscript():
                base = self.of(node.value, context)
                return base + "[]" if base and not base.startswith("@") else ""
            case ast.Await() | ast.NamedExpr():
                return self.of(node.value, context)
            case ast.IfExp():
                return self._agreed([(node.body, context), (node.orelse, context)])
            case ast.BoolOp():
                return self._agreed([(value, context) for value in node.values])
            case ast.BinOp(op=ast.Div()):
                return "pathlib.Path()" if "pathlib.Path()" in (self.of(node.left, context), self.of(node.right, context)) else ""
            case ast.Constant():
                return NOTHING if node.value is None else f"{type(node.value).__name__}()"
        return LITERALS.get(type(node), "")

    def _agreed(self, places: Iterable[Place]) -> str:
        return _one(self.of(node, context) for node, context in places)

    def _of_name(self, node: ast.Name, context: Context) -> str:
        bindings = self.bindings(node.id, context, start(node))
        if bindings:
            return _one(map(self._of_binding, bindings))
        if self.module.stars and node.id not in BUILTINS:
            return f"{self.module.stars[-1]}.{node.id}"
        return node.id

    def _of_binding(self, binding: Binding) -> str:
        match binding.kind:
            case "import" | "from":
                return binding.path
            case "function" | "class" if binding.scope is not None:
                return f"@{binding.scope.name}"
            case "parameter":
                return self._of_parameter(binding)
        return self._agreed(self.values_of(binding))

    def _of_parameter(self, binding: Binding) -> str:
        owner = binding.context.scope.owner()
        if owner is not None and binding.index == 0 and binding.path in ("self", "cls"):
            return f"@{owner.name}" + ("()" if binding.path == "self" else "")
        annotated = self._of_annotation(binding.annotation, binding.context)
        return annotated or self._agreed(self.values_of(binding))

    def _of_annotation(self, node: ast.expr | None, context: Context) -> str:
        """`x: requests.Session` is what `requests.Session()` gives; of `X | None` the X counts. "" if it names nothing of use."""
        match node:
            case ast.Name() | ast.Attribute():
                name = self.of(node, context)
                return f"{name}()" if "." in name and not name.startswith("typing.") else ""
            case ast.BinOp(op=ast.BitOr()):
                return self._of_annotation(node.left, context) or self._of_annotation(node.right, context)
            case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional")):
                return self._of_annotation(node.slice, context)
        return ""

    def _of_attribute(self, node: ast.Attribute, context: Context) -> str:
        base = self.of(node.value, context)
        if not base or base == NOTHING:
            return ""
        if base.startswith("@"):
            return _one(map(self._of_binding, self.members(base, node.attr)))
        return f"{base}.{node.attr}"

    def _of_call(self, node: ast.Call, context: Context) -> str:
        name = self.of(node.func, context)
        if name.startswith("@"):
            return self._of_local(name)
        if name in TRANSPARENT and node.args:
            return self.of(node.args[-1 if name == "typing.cast" else 0], context)
        return f"{name}()" if name else ""

    def _of_local(self, name: str) -> str:
        """An instance of a class of ours, or what a function of ours returns."""
        if name[1:] in self.module.classes:
            return f"{name}()"
        function = self.module.functions.get(name[1:])
        return self._agreed(function.returns) if function is not None else ""

    # what names are bound to

    def bindings(self, name: str, context: Context, position: Position) -> list[Binding]:
        """Those that may be meant where `name` is used; [] for a builtin, or what is not defined here."""
        scope: Scope | None = context.scope
        here = True
        while scope is not None:
            found = scope.bindings.get(name)
            if found and (here or scope.kind != "class"):
                return _reaching(found, context, position) if here else _few(found)
            here = here and scope.kind == "inner"
            scope = scope.outer
        return []

    def members(self, owner: str, name: str) -> list[Binding]:
        """What `name` may be of an object or class of ours, `@Loader()`: set on self, or in the class body."""
        found = self.module.classes.get(owner[1:].removesuffix("()"))
        if found is None:
            return []
        some = slice(MOST_MEANINGS + 1)
        return _few([*found.attributes.get(name, [])[some], *found.bindings.get(name, [])[some]])

    def values(self, node: ast.expr, context: Context) -> list[Place]:
        """The expressions that a name or an attribute of self stands for; [] if that is not known of all."""
        match node:
            case ast.Name():
                bindings = self.bindings(node.id, context, start(node))
            case ast.Attribute():
                base = self.of(node.value, context)
                bindings = self.members(base, node.attr) if base.startswith("@") else []
            case _:
                return []
        values = [self.values_of(binding) for binding in bindings]
        return [place for places in values for place in places] if all(values) else []

    def values_of(self, binding: Binding) -> list[Place]:
        """The expressions that one binding gives its name; [] if it is not known."""
        if binding.kind == "value" and binding.value is not None:
            return [(binding.value, binding.context)]
        return self._passed(binding) if binding.kind == "parameter" else []

    def _passed(self, parameter: Binding) -> list[Place]:
        """What is passed for a parameter: by the calls in this module, or its default if there are none."""
        default = [(parameter.value, parameter.context)] if parameter.value is not None else []
        calls = self._calls_of(parameter.context.scope)
        if not calls:
            return default
        method = parameter.context.scope.owner() is not None
        passed = [_argument(call, parameter, method=method) or (parameter.value, parameter.context) for call in calls[:MOST_SITES]]
        places = [(node, context) for node, context in passed if node is not None]
        return places if len(places) == len(passed) and len(calls) <= MOST_SITES else []

    def _calls_of(self, function: Scope) -> list[Site]:
        """The calls of a function of ours in this module; of a class, if it is its `__init__`."""
        word = function.name.rpartition(".")[2]
        owner = function.owner()
        if word == "__init__" and owner is not None:
            word, wanted = owner.name.rpartition(".")[2], f"@{owner.name}"
        else:
            wanted = f"@{function.name}"
        if word not in self._sites:
            sites: dict[str, list[Site]] = {}
            self._sites[word] = sites  # before it is filled: what leads back here is not known
            for call, context in self.module.sites.get(word, ()):
                sites.setdefault(self.of(call.func, context), []).append((call, context))
        return self._sites[word].get(wanted, [])


def _one(names: Iterable[str]) -> str:
    """The name that all agree on; those that are None for now do not count."""
    distinct = set(names)
    if len(distinct) > 1:
        distinct.discard(NOTHING)
    return distinct.pop() if len(distinct) == 1 else ""


def _reaching(found: list[Binding], context: Context, position: Position) -> list[Binding]:
    """Of the bindings in this scope those that may be the last before `position`."""
    count = bisect_right(found, position, key=lambda binding: binding.position)
    first = max(0, count - MOST_MEANINGS)
    for index in range(count - 1, first - 1, -1):
        if found[index].context.block.holds(context.block):
            return found[index:count]
    return _few(found[:count] if count else found)


def _few(found: list[Binding]) -> list[Binding]:
    """Bindings, if they are few enough to hold against each other; else one that says nothing."""
    return found if len(found) <= MOST_MEANINGS else [UNKNOWN]


def _argument(call: Site, parameter: Binding, *, method: bool) -> Place | None:
    """What `call` passes for `parameter`, or None if it leaves it to the default."""
    node, context = call
    for keyword in node.keywords:
        if keyword.arg == parameter.path:
            return keyword.value, context
    index = parameter.index - (1 if method else 0)
    if 0 <= index < len(node.args) and not any(isinstance(argument, ast.Starred) for argument in node.args[: index + 1]):
        return node.args[index], context
    return None
