"""Walk a module's syntax tree once, without recursion: who binds which name where, and every call with what surrounds it.

Nothing is interpreted here; `names` does that when all bindings are known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Position = tuple[int, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Try = ast.Try | ast.TryStar
With = ast.With | ast.AsyncWith
LEAVES = (ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del, ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.Pass)


class Block:
    """Statements that run one after another; `outer` is the block that theirs stands in."""

    __slots__ = ("outer",)

    def __init__(self, outer: Block | None) -> None:
        self.outer = outer

    def holds(self, other: Block | None) -> bool:
        """Whether whoever is in `other` has come through this block."""
        while other is not None and other is not self:
            other = other.outer
        return other is self


class Guard:
    """A `try` or a `with suppress(…)` that a statement stands in, and the next one around it."""

    __slots__ = ("context", "node", "outer")

    def __init__(self, node: Try | With, context: Context) -> None:
        self.node, self.context, self.outer = node, context, context.guard


class Context:
    """Where a node stands: whose names it sees, in which block, guarded by what."""

    __slots__ = ("block", "guard", "scope")

    def __init__(self, scope: Scope, block: Block, guard: Guard | None = None) -> None:
        self.scope, self.block, self.guard = scope, block, guard

    def nested(self) -> Context:
        """The same in a block that may run or not."""
        return Context(self.scope, Block(self.block), self.guard)

    def guarded(self, node: Try | With) -> Context:
        """The same inside of `node`."""
        return Context(self.scope, self.block, Guard(node, self))


class Binding:
    """One place that gives a name its meaning.

    `kind`: "value" (`value` is the expression), "import" and "from" (`path` is the dotted name), "function" and "class" (`scope`),
    "parameter" (`value` is the default or None), "opaque" (anything else).
    """

    __slots__ = ("annotation", "context", "index", "kind", "path", "position", "scope", "value")

    def __init__(self, kind: str, context: Context, position: Position, value: ast.expr | None = None) -> None:
        self.kind, self.context, self.position, self.value = kind, context, position, value
        self.path = ""
        self.index = -1
        self.scope: Scope | None = None
        self.annotation: ast.expr | None = None


class Scope:
    """Names that are looked up together. `kind`: "module", "class", "function", or "inner" for a comprehension or lambda."""

    def __init__(self, kind: str, name: str, outer: Scope | None = None, node: ast.AST | None = None) -> None:
        self.kind, self.name, self.outer, self.node = kind, name, outer, node
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: dict[str, list[Binding]] = {}  # of a class: what its methods set on self
        self.returns: list[tuple[ast.expr, Context]] = []
        self.shared: dict[str, Scope] = {}  # declared global

    def qualified(self, name: str) -> str:
        """`name` as it is called from outside of the module."""
        return f"{self.name}.{name}" if self.name else name

    def owner(self) -> Scope | None:
        """The class whose method this is."""
        return self.outer if self.outer is not None and self.outer.kind == "class" else None


class Module:
    """What one walk collected. `sites`: calls by the last word of what they call; `stars`: modules of `from x import *`."""

    def __init__(self) -> None:
        self.scope = Scope("module", "")
        self.calls: list[tuple[ast.Call, Context]] = []
        self.sites: dict[str, list[tuple[ast.Call, Context]]] = {}
        self.classes: dict[str, Scope] = {}
        self.functions: dict[str, Scope] = {}
        self.stars: list[str] = []


def collect(tree: ast.Module) -> Module:
    """Walk the whole tree."""
    walk = _Walk()
    walk.run(tree)
    for scope in walk.scopes:
        for bindings in (*scope.bindings.values(), *scope.attributes.values()):
            bindings.sort(key=lambda binding: binding.position)
    walk.module.calls.sort(key=lambda call: start(call[0]))
    return walk.module


def start(node: Any) -> Position:
    """Line and column of its first character."""
    return node.lineno, node.col_offset


def end(node: Any) -> Position:
    """Line and column behind its last character."""
    return node.end_lineno, node.end_col_offset


class _Walk:
    def __init__(self) -> None:
        self.module = Module()
        self.scopes = [self.module.scope]
        self.todo: list[tuple[ast.AST, Context]] = []

    def run(self, tree: ast.Module) -> None:
        self.push(tree.body, Context(self.module.scope, Block(None)))
        while self.todo:
            node, context = self.todo.pop()
            visit = VISITS.get(type(node))
            if visit is not None:
                visit(self, node, context)
            else:
                self.push_children(node, context)

    def push(self, nodes: Iterable[ast.AST | None], context: Context) -> None:
        """What is pushed first is visited first: `global x` comes before `x = 1`."""
        self.todo += reversed([(node, context) for node in nodes if node is not None and not isinstance(node, LEAVES)])

    def push_children(self, node: ast.AST, context: Context, without: Sequence[str] = ()) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if name in without or value is None:
                continue
            if type(value) is list:
                self.push((item for item in value if isinstance(item, ast.AST)), context)
            elif isinstance(value, ast.AST) and not isinstance(value, LEAVES):
                self.todo.append((value, context))

    def new_scope(self, kind: str, name: str, context: Context, node: ast.AST) -> Scope:
        scope = Scope(kind, name, context.scope, node)
        self.scopes.append(scope)
        return scope

    # bindings

    def bind(self, name: str, binding: Binding) -> None:
        scope = binding.context.scope
        scope.shared.get(name, scope).bindings.setdefault(name, []).append(binding)

    def bind_target(self, target: ast.AST, value: ast.expr | None, context: Context, position: Position) -> None:
        """`target = value`; a value of None is one that nothing is known of."""
        todo = [(target, value)]
        while todo:
            target, value = todo.pop()
            if isinstance(target, ast.Name):
                self.bind(target.id, Binding("value" if value is not None else "opaque", context, position, value))
            elif isinstance(target, ast.Attribute):
                self.bind_attribute(target, value, context, position)
            elif isinstance(target, ast.Tuple | ast.List):
                todo += _pairs(target.elts, value)
            elif isinstance(target, ast.Starred):
                todo.append((target.value, None))

    def bind_attribute(self, target: ast.Attribute, value: ast.expr | None, context: Context, position: Position) -> None:
        """`self.x = value` in a method belongs to the class."""
        owner = context.scope.owner()
        if owner is not None and isinstance(target.value, ast.Name) and target.value.id in ("self", "cls"):
            binding = Binding("value" if value is not None else "opaque", context, position, value)
            owner.attributes.setdefault(target.attr, []).append(binding)

    # statements

    def function(self, node: Function, context: Context) -> None:
        scope = self.new_scope("function", context.scope.qualified(node.name), context, node)
        self.module.functions[scope.name] = scope
        binding = Binding("function", context, start(node))
        binding.scope = scope
        self.bind(node.name, binding)
        inside = Context(scope, Block(context.block))
        self.parameters(node.args, inside, context)
        self.push([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults], context)
        self.push(node.body, inside)

    def parameters(self, arguments: ast.arguments, inside: Context, outside: Context) -> None:
        """Each parameter with its place, its default and its annotation."""
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
        for index, (argument, default) in enumerate(zip(plain, defaults, strict=True)):
            self.parameter(argument, default, index, inside, outside)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            self.parameter(argument, default, -1, inside, outside)
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                self.bind(rest.arg, Binding("opaque", inside, start(rest)))

    def parameter(self, argument: ast.arg, default: ast.expr | None, index: int, inside: Context, outside: Context) -> None:
        binding = Binding("parameter", inside, start(argument), default)
        binding.path, binding.index, binding.annotation = argument.arg, index, argument.annotation
        binding.scope = outside.scope
        self.bind(argument.arg, binding)

    def class_(self, node: ast.ClassDef, context: Context) -> None:
        scope = self.new_scope("class", context.scope.qualified(node.name), context, node)
        self.module.classes[scope.name] = scope
        binding = Binding("class", context, start(node))
        binding.scope = scope
        self.bind(node.name, binding)
        self.push([*node.decorator_list, *node.bases, *node.keywords], context)
        self.push(node.body, Context(scope, context.block, context.guard))

    def import_(self, node: ast.Import, context: Context) -> None:
        for alias in node.names:
            binding = Binding("import", context, start(node))
            binding.path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.bind(alias.asname or binding.path, binding)

    def import_from(self, node: ast.ImportFrom, context: Context) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.module.stars.append(module)
                continue
            binding = Binding("from", context, start(node))
            binding.path = f"{module}.{alias.name}"
            self.bind(alias.asname or alias.name, binding)

    def assign(self, node: ast.Assign, context: Context) -> None:
        for target in node.targets:
            self.bind_target(target, node.value, context, end(node))
        self.push([*node.targets, node.value], context)

    def annotated(self, node: ast.AnnAssign, context: Context) -> None:
        if node.value is not None:
            self.bind_target(node.target, node.value, context, end(node))
        self.push([node.target, node.value], context)

    def augmented(self, node: ast.AugAssign, context: Context) -> None:
        """`x += y` is `x = x + y`, where the x of the right side is the one before."""
        whole: ast.expr | None = None
        if isinstance(node.target, ast.Name):
            before = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
            whole = ast.copy_location(ast.BinOp(before, node.op, node.value), node)
        self.bind_target(node.target, whole, context, end(node))
        self.push([node.target, node.value], context)

    def walrus(self, node: ast.NamedExpr, context: Context) -> None:
        self.bind_target(node.target, node.value, context, end(node))
        self.push([node.value], context)

    def for_(self, node: ast.For | ast.AsyncFor, context: Context) -> None:
        body = context.nested()
        self.bind_target(node.target, None, body, end(node.target))
        self.push([node.target, node.iter], context)
        self.push(node.body, body)
        self.push(node.orelse, context.nested())

    def branches(self, node: ast.If | ast.While, context: Context) -> None:
        self.push([node.test], context)
        self.push(node.body, context.nested())
        self.push(node.orelse, context.nested())

    def with_(self, node: With, context: Context) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, item.context_expr, context, end(item.optional_vars))
        self.push([item.context_expr for item in node.items], context)
        self.push(node.body, context.guarded(node) if any(map(_may_suppress, node.items)) else context)

    def try_(self, node: Try, context: Context) -> None:
        self.push(node.body, context.guarded(node))
        self.push(node.orelse, context)
        self.push(node.finalbody, context)
        for handler in node.handlers:
            inside = context.nested()
            if handler.name:
                self.bind(handler.name, Binding("opaque", inside, start(handler)))
            self.push([handler.type, *handler.body], inside)

    def case(self, node: ast.match_case, context: Context) -> None:
        inside = context.nested()
        for part in ast.walk(node.pattern):
            name = getattr(part, "rest" if isinstance(part, ast.MatchMapping) else "name", None)
            if isinstance(name, str):
                self.bind(name, Binding("opaque", inside, end(node.pattern)))
        self.push([node.guard, *node.body], inside)

    def global_(self, node: ast.Global, context: Context) -> None:
        context.scope.shared.update(dict.fromkeys(node.names, self.module.scope))

    # expressions

    def returned(self, node: ast.Return | ast.Yield, context: Context) -> None:
        if node.value is not None:
            context.scope.returns.append((node.value, context))
            self.push([node.value], context)

    def lambda_(self, node: ast.Lambda, context: Context) -> None:
        """It runs when it is called: what guards its definition does not guard it."""
        inside = Context(self.new_scope("inner", context.scope.name, context, node), context.block)
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            self.bind(argument.arg, Binding("opaque", inside, start(argument)))
        self.push([*node.args.defaults, *node.args.kw_defaults], context)
        self.push([node.body], inside)

    def comprehension(self, node: Any, context: Context) -> None:
        inside = Context(self.new_scope("inner", context.scope.name, context, node), context.block, context.guard)
        for part in node.generators:
            self.bind_target(part.target, None, inside, start(node))
            self.push([part.iter, *part.ifs], inside)
        self.push_children(node, inside, without=("generators",))

    def call(self, node: ast.Call, context: Context) -> None:
        self.module.calls.append((node, context))
        word = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if word:
            self.module.sites.setdefault(word, []).append((node, context))
        self.push_children(node, context)


def _pairs(targets: Sequence[ast.expr], value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """`a, b = x, y` binds one to one; anything else is not known."""
    same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets)
    starred = any(isinstance(target, ast.Starred) for target in targets)
    for index, target in enumerate(targets):
        yield target, value.elts[index] if same and not starred and isinstance(value, ast.Tuple | ast.List) else None


def _may_suppress(item: ast.withitem) -> bool:
    function = getattr(item.context_expr, "func", None)
    return "suppress" in (getattr(function, "attr", ""), getattr(function, "id", ""))


Visit = Callable[[_Walk, Any, Context], None]
VISITS: dict[type, Visit] = {
    ast.FunctionDef: _Walk.function,
    ast.AsyncFunctionDef: _Walk.function,
    ast.ClassDef: _Walk.class_,
    ast.Import: _Walk.import_,
    ast.ImportFrom: _Walk.import_from,
    ast.Assign: _Walk.assign,
    ast.AnnAssign: _Walk.annotated,
    ast.AugAssign: _Walk.augmented,
    ast.NamedExpr: _Walk.walrus,
    ast.For: _Walk.for_,
    ast.AsyncFor: _Walk.for_,
    ast.If: _Walk.branches,
    ast.While: _Walk.branches,
    ast.With: _Walk.with_,
    ast.AsyncWith: _Walk.with_,
    ast.Try: _Walk.try_,
    ast.TryStar: _Walk.try_,
    ast.match_case: _Walk.case,
    ast.Global: _Walk.global_,
    ast.Return: _Walk.returned,
    ast.Yield: _Walk.returned,
    ast.Lambda: _Walk.lambda_,
    ast.ListComp: _Walk.comprehension,
    ast.SetComp: _Walk.comprehension,
    ast.DictComp: _Walk.comprehension,
    ast.GeneratorExp: _Walk.comprehension,
    ast.Call: _Walk.call,
}
