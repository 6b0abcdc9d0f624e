"""Patching: the exact original comes back, imports go on as they were, and no frame of ours is in the way."""

from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import inspect
import pkgutil
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from offduty_probe import patching


class Owner:
    """Something to patch, of every sort."""

    def method(self, x: int = 1) -> tuple[str, int]:
        return ("method", x)

    @staticmethod
    def static(x: int = 1) -> tuple[str, int]:
        return ("static", x)

    @classmethod
    def cls(cls, x: int = 1) -> tuple[str, int]:
        return (cls.__name__, x)


class Heir(Owner):
    """Inherits all of it."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that can be imported and was not yet; the import hook is taken out in the end."""
    (tmp_path / "watched_module.py").write_text("value = 1\n")
    (tmp_path / "failing_module.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    yield "watched_module"
    patching.forget_imports()
    assert sys.meta_path == before
    sys.modules.pop("watched_module", None)


@pytest.mark.parametrize("owner", [Owner, Heir])
@pytest.mark.parametrize("name", ["method", "static", "cls"])
def test_the_exact_original_comes_back(owner: type, name: str) -> None:
    """Methods, static and class methods, own and inherited: callable as before while replaced, and the same object after `undo`."""
    before = dict(vars(owner))
    expected = getattr(owner(), name)(5)
    undo = patching.replace(owner, name, lambda original: lambda *a: ("wrapped", original(*a)))
    assert getattr(owner(), name)(5) == ("wrapped", expected)
    assert undo()
    assert dict(vars(owner)) == before


def test_somebody_elses_patch_is_left_alone() -> None:
    """`undo` after another patched the same attribute does nothing and says so."""
    module = ModuleType("m")
    module.f = len  # type: ignore[attr-defined]
    undo = patching.replace(module, "f", lambda original: lambda x: original(x))
    module.f = max  # type: ignore[attr-defined]
    assert not undo()
    assert module.f is max


def test_replacing_what_is_not_there() -> None:
    """An attribute that a version of a library lacks is an AttributeError, and nothing is left behind."""
    module = ModuleType("m")
    with pytest.raises(AttributeError):
        patching.replace(module, "f", lambda original: original)
    assert not hasattr(module, "f")


def test_an_announced_function_is_called_without_a_frame_of_ours() -> None:
    """INV-1: the original sees its caller as its direct caller, its arguments and its own mistakes."""
    seen: list[Any] = []
    module = ModuleType("m")
    module.f = lambda *a, **k: seen.append((inspect.currentframe().f_back.f_code.co_name, a, k))  # type: ignore[attr-defined, union-attr]
    undo = patching.replace(module, "f", patching.announced(lambda *a, **k: seen.append("announced")))
    module.f(1, b=2)
    assert seen == ["announced", ("test_an_announced_function_is_called_without_a_frame_of_ours", (1,), {"b": 2})]
    assert repr(module.f).startswith("<function ")
    assert undo()


def test_an_announcement_that_fails_changes_nothing() -> None:
    """A mistake of a hook is swallowed, and the original runs."""
    seen: list[int] = []
    module = ModuleType("m")
    module.f = seen.append  # type: ignore[attr-defined]
    patching.replace(module, "f", patching.announced(lambda _: 1 / 0))
    module.f(3)
    assert seen == [3]


def test_an_announced_method_gets_its_self() -> None:
    """Bound, called on the class, and by `super()` of a class that overrides it."""
    seen: list[Any] = []

    class Base:
        def emit(self, x: int) -> None:
            seen.append((type(self).__name__, x))

    class Child(Base):
        def emit(self, x: int) -> None:
            super().emit(x + 1)

    patching.replace(Base, "emit", patching.announced_method(lambda self, x: seen.append(x)))
    Base().emit(1)
    Base.emit(Base(), 2)
    Child().emit(3)
    assert seen == [1, ("Base", 1), 2, ("Base", 2), 4, ("Child", 4)]


def test_the_callback_comes_with_the_import(module: str) -> None:
    """Not before, once, and the loader shows no trace afterwards."""
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    assert seen == []
    imported = importlib.import_module(module)
    assert seen == [imported]
    assert "exec_module" not in vars(imported.__loader__)
    assert type(imported.__loader__).__name__ == "SourceFileLoader"


def test_the_callback_comes_at_once_for_an_imported_module(module: str) -> None:
    """A module that is there already is patched now."""
    imported = importlib.import_module(module)
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    assert seen == [imported]


def test_a_reload_is_patched_again(module: str) -> None:
    """`importlib.reload` works, and what it replaced is replaced again."""
    patching.when_imported(module, lambda m: patching.replace(m, "value", lambda original: original + 1))
    imported = importlib.import_module(module)
    assert imported.value == 2
    assert importlib.reload(imported).value == 2


def test_looking_is_not_importing(module: str) -> None:
    """`find_spec`, `pkgutil`, `importlib.resources` and `importlib.metadata` work and call nobody back."""
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert spec.origin.endswith("watched_module.py")
    assert module in {found.name for found in pkgutil.iter_modules()}
    assert importlib.resources.files("offduty_probe").is_dir()
    importlib.invalidate_caches()
    assert seen == []
    assert module not in sys.modules


def test_a_lazy_import_calls_back_when_it_happens(module: str) -> None:
    """`importlib.util.LazyLoader` delays the execution, and so the callback."""
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    sys.modules[module] = lazy
    spec.loader.exec_module(lazy)
    assert seen == []
    assert lazy.value == 1
    assert seen == [lazy]


def test_a_module_in_a_zip_file_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """zipimport: the import works; whether it can be patched or not."""
    with zipfile.ZipFile(tmp_path / "modules.zip", "w") as archive:
        archive.writestr("zipped_module.py", "value = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "modules.zip")
    patching.when_imported("zipped_module", lambda _: None)
    assert importlib.import_module("zipped_module").value == 1
    del sys.modules["zipped_module"]


class Delegating:
    """A finder of the job's that asks the whole import system itself, as instrumentation tools do."""

    def __init__(self) -> None:
        self.asking = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if self.asking:
            return None
        self.asking = True
        try:
            return importlib.util.find_spec(name)
        finally:
            self.asking = False


@pytest.mark.parametrize("position", [0, 1, 99])
def test_a_job_with_a_finder_of_its_own(module: str, position: int) -> None:
    """Another delegating finder before or after ours: no endless loop, and the callback comes."""
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    finder = Delegating()
    sys.meta_path.insert(position, finder)  # type: ignore[arg-type]
    try:
        assert seen == [importlib.import_module(module)]
    finally:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]


def test_a_callback_that_fails_breaks_no_import(module: str) -> None:
    """The module is there, and the next callback is called."""
    seen: list[ModuleType] = []
    patching.when_imported(module, lambda _: 1 / 0)
    patching.when_imported(module, seen.append)
    assert seen == [importlib.import_module(module)]


def test_a_module_that_fails_and_one_that_is_missing(module: str) -> None:
    """Their own errors, nothing in `sys.modules`, and no callback."""
    seen: list[ModuleType] = []
    for name, error in (("failing_module", ZeroDivisionError), ("missing_module", ModuleNotFoundError)):
        patching.when_imported(name, seen.append)
        for _ in range(2):
            with pytest.raises(error):
                importlib.import_module(name)
        assert name not in sys.modules
    assert seen == []


def test_threads_that_import_at_once(module: str) -> None:
    """Eight threads import a watched module: one execution, one callback."""
    seen: list[ModuleType] = []
    patching.when_imported(module, seen.append)
    threads = [threading.Thread(target=importlib.import_module, args=(module,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [sys.modules[module]]


def test_a_disguised_wrapper_passes_for_the_original() -> None:
    """File, name and module are the library's, for those who walk the stack; globals of the wrapper's module still work."""

    def make(original: Any) -> Any:
        def wrapper(value: Any) -> Any:
            frame = inspect.currentframe()
            assert frame is not None
            return original(value), frame.f_code.co_filename, frame.f_globals["__name__"], frame.f_code.co_name

        return patching.disguised(wrapper, original)

    module = ModuleType("m")
    module.dedent = inspect.cleandoc  # type: ignore[attr-defined]
    patching.replace(module, "dedent", make)
    assert module.dedent("x") == ("x", inspect.__file__, "inspect", "cleandoc")
