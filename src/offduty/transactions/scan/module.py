"""One file's places: its bytes are read, parsed and walked, and every call is held against the families' tables."""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from offduty.secrets import Redactor
from offduty.transactions.scan import targets
from offduty.transactions.scan.families import tables
from offduty.transactions.scan.found import Place, Problem
from offduty.transactions.scan.names import Names
from offduty.transactions.scan.notebook import notebook
from offduty.transactions.scan.rules import Call, Tables
from offduty.transactions.scan.scopes import Context, collect
from offduty.transactions.scan.source import LARGEST, LARGEST_NOTEBOOK, NotUnderstood, Source, script
from offduty.transactions.scan.swallow import is_swallowed
from offduty.transactions.scan.texts import Texts

PYTHON = (".py", ".pyw", ".pyi", "")


class Scanner:
    """Looks at files, one at a time; what does not change between them is made once."""

    def __init__(self) -> None:
        self._tables: Tables = tables()
        self._redactor = Redactor({})
        self._masked = lru_cache(maxsize=10_000)(self._redactor.url)

    def file(self, path: str) -> tuple[list[Place], list[Problem]]:
        """The places in a file, and what could not be looked at. A file that cannot be read or parsed is a Problem."""
        with _without_collecting():
            try:
                source = understand(path)
            except NotUnderstood as why:
                return [], [Problem(path, str(why))]
            places = list(self._places(source, path))
            return places, [Problem(path, why) for why in source.problems]

    def _places(self, source: Source, path: str) -> Iterator[Place]:
        module = collect(source.tree)
        names = Names(module, self._tables.same)
        texts = Texts(names, path)
        for node, context in module.calls:
            call = Call(node, context, texts, self._tables)
            touch = call.touch()
            if touch is not None:
                op, target = touch
                line, cell = source.where(node.lineno)
                swallowed = is_swallowed(context, op, names)
                yield Place(path, line, op, self._shown(target), _function(context), swallowed, _via(call), cell)

    def _shown(self, target: str | None) -> str | None:
        """Without what nobody should see."""
        return self._masked(targets.clean(target)) if target else None


@contextmanager
def _without_collecting() -> Iterator[None]:
    """While a tree grows there is no garbage in it, and looking for some takes longer than all the rest."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def understand(path: str) -> Source:
    """The syntax tree of a file. Raises NotUnderstood."""
    suffix = os.path.splitext(path)[1]
    if suffix == ".ipynb":
        return notebook(_read(path, LARGEST_NOTEBOOK))
    data = _read(path, LARGEST)
    if suffix not in PYTHON and b"python" not in data[:100].partition(b"\n")[0]:
        raise NotUnderstood("is neither Python nor a notebook")
    return script(data)


def _read(path: str, largest: int) -> bytes:
    """The bytes of an ordinary file, which nothing else can keep us waiting for."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NotUnderstood("is not an ordinary file")
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:
        raise NotUnderstood(f"cannot be read: {str(getattr(error, 'strerror', None) or error).lower()}") from None
    if len(data) > largest:
        raise NotUnderstood(f"is larger than {largest >> 20} MB")
    return data


def _function(context: Context) -> str | None:
    """The function that a call stands in; a class body counts as where the class stands."""
    scope = context.scope
    while scope.outer is not None and scope.kind != "function":
        scope = scope.outer
    return scope.name or None


def _via(call: Call) -> str:
    """`pandas.read_csv`, `requests.Session().get` (without the steps in between); `.to_csv` on something unknown."""
    root, made, _ = call.name.partition("()")
    return f"{root}().{call.method}" if made else root or f".{call.method}"
