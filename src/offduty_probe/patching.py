"""Replace an attribute when its module is imported, and put the exact original back.

- `when_imported(module_name, callback)`: call back with the module, now or as soon as it has been imported.
- `replace(owner, name, make_wrapper) -> undo`: put `make_wrapper(original)` in the place of `owner.name`.
- `announced(announce)` and `disguised`: make wrappers that the job cannot see in its stack. A frame of ours there would be
  more than ugly: loguru's recipe for taking over `logging` counts frames, structlog names the first frame it does not know,
  `traceback.print_stack` prints all. So an added frame changes what the job logs.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from offduty_probe.guard import quietly, swallow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Callable, Sequence

    Wrapper = Callable[..., Any]
    Undo = Callable[[], bool]

_MISSING = object()
_watched: dict[str, list[Callable[[ModuleType], object]]] = {}  # kept after the import: a reload must be patched again
_asking: set[tuple[int, str]] = set()


def when_imported(name: str, callback: Callable[[ModuleType], object]) -> None:
    """Call `callback(module)` after every execution of the module `name`; at once if it is imported already."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    _watched.setdefault(name, []).append(callback)
    module = sys.modules.get(name)
    if module is not None:
        quietly(callback, module)


def forget_imports() -> None:
    """Undo every `when_imported`; what was replaced stays replaced."""
    _watched.clear()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]


class Finder:
    """Finds nothing itself: lets the finders after it find a watched module, and has its loader tell when it is executed."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec the other finders give for a watched `name`; None for all others."""
        me = (get_ident(), name)
        if name not in _watched or me in _asking:  # asked again from within: another finder that delegates, like this one
            return None
        _asking.add(me)
        try:
            spec = self._ask_the_others(name, path, target)
        finally:
            _asking.discard(me)
        if spec is not None:
            quietly(_tell_when_executed, spec, name)
        return spec

    def _ask_the_others(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """As the import system would go on; None, and so left to it, when a finder is of the old kind."""
        finders = list(sys.meta_path)
        after = finders[finders.index(self) + 1 :] if self in finders else finders
        for finder in after:
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is None:
                return None
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


def _tell_when_executed(spec: ModuleSpec, name: str) -> None:
    """Shadow `exec_module` of this one loader until it is called: no proxy is left for the job to see.

    Loaders that serve several modules (zip files, frozen and built-in modules) are left alone: those modules are not patched.
    """
    loader: Any = spec.loader
    if getattr(loader, "name", None) != name or not hasattr(loader, "exec_module"):
        return
    original = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        loader.__dict__.pop("exec_module", None)
        original(module)
        for callback in _watched.get(name, ()):
            quietly(callback, module)

    # Python leaves frames of this file name out of the traceback of a failing import.
    exec_module.__code__ = exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
    loader.exec_module = exec_module


_BoundMethod: Any = type(Finder().find_spec)  # `types.MethodType`, without the import


def replace(owner: Any, name: str, make_wrapper: Callable[[Any], Any]) -> Undo:
    """Put `make_wrapper(original)` at `owner.name`, `owner` being a module or a class; static and class methods stay such.

    `undo()` puts back the very object that was there (or nothing, if it was inherited) and is true;
    if somebody else has replaced the wrapper meanwhile it does nothing and is false. Raises AttributeError or TypeError.
    """
    before = vars(owner).get(name, _MISSING)
    found = _without_binding(owner, name)
    if isinstance(found, (staticmethod, classmethod)):
        wrapper = type(found)(make_wrapper(found.__func__))
    else:
        wrapper = make_wrapper(getattr(owner, name))
    setattr(owner, name, wrapper)

    def undo() -> bool:
        if vars(owner).get(name) is not wrapper:
            return False
        delattr(owner, name) if before is _MISSING else setattr(owner, name, before)
        return True

    return undo


def _without_binding(owner: Any, name: str) -> Any:
    """The attribute as it stands in `owner` or in the class it is inherited from."""
    for place in getattr(owner, "__mro__", (owner,)):
        if name in vars(place):
            return vars(place)[name]
    return None


def announced(announce: Callable[..., object]) -> Callable[[Any], Any]:
    """For `replace`: `announce(*args, **kwargs)` runs before each call of the original, and leaves no frame in the stack.

    The wrapper is a class. `__new__`, ours, is over before the interpreter calls `__init__`, the original. For functions whose
    result nobody uses (the result is not passed on), or that never return, as `sys.exit`. What `announce` raises is swallowed.
    """

    def make_wrapper(original: Any) -> Any:
        class Announced(metaclass=_Imitation):
            def __new__(cls, *args: Any, **kwargs: Any) -> Any:
                try:
                    announce(*args, **kwargs)
                except Exception as error:
                    swallow(error)
                return instance

            __init__ = staticmethod(original)

        instance = object.__new__(Announced)
        return _named_like(original, Announced)

    return make_wrapper


def announced_method(announce: Callable[..., object]) -> Callable[[Any], Any]:
    """`announced` for a function that is a method of a class: `announce` gets `self` first."""
    return lambda original: _Method(announced(announce)(original))


class _Imitation(type):
    """A class that prints as the function it stands for."""

    def __repr__(cls) -> str:
        return repr(getattr(cls, "__wrapped__", None))


class _Method:
    """A class does not turn into a bound method by itself, as a function does."""

    def __init__(self, function: Any) -> None:
        self.function = self.__wrapped__ = function

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.function if instance is None else _BoundMethod(self.function, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def disguised(wrapper: Any, original: Any) -> Any:
    """`wrapper`, a function, as one that stack walkers take for `original`, a function of the library: its file, name and module.

    For wrappers that must stay in the stack because they need the result. Globals are copied: `wrapper` sees later changes of none.
    """
    code, theirs = wrapper.__code__, original.__code__
    code = code.replace(co_filename=theirs.co_filename, co_name=theirs.co_name, co_firstlineno=theirs.co_firstlineno)
    namespace = dict(wrapper.__globals__, __name__=original.__globals__.get("__name__"))
    function = type(wrapper)(code, namespace, original.__name__, wrapper.__defaults__, wrapper.__closure__)
    function.__kwdefaults__ = wrapper.__kwdefaults__
    return _named_like(original, function)


def _named_like(original: Any, wrapper: Any) -> Any:
    """What `functools.wraps` does, without its import."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    wrapper.__wrapped__ = original
    return wrapper
