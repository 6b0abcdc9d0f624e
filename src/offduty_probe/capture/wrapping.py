"""Wrap functions of libraries so that the job notices nothing: same result, same exception, same signature, no frame that counts.

A wrapper has a frame while the original runs. It bears the file name of Python's import machinery, whose frames `warnings.warn`
and `logging` leave out when they count levels. When an exception passes, the frame takes itself out of the traceback
(from Python 3.11 on; a bare `raise` of an older one brings it back).
"""

from __future__ import annotations

import sys

from offduty_probe.guard import quietly
from offduty_probe.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable

    from offduty_probe.capture.ledger import Describe, Known, Ledger

    After = Callable[..., "Known | Callable[..., object] | None"]
    Failure = Callable[[Any], "Known | None"]

UNSEEN = "<frozen importlib._bootstrap_external>"
COROUTINE = 0x80  # inspect.CO_COROUTINE


def unseen(name: str) -> Callable[[Any], Any]:
    """For a method that is a wrapper itself, of `name`: its frame does not count either."""

    def decorate(function: Any) -> Any:
        function.__code__ = function.__code__.replace(co_filename=UNSEEN, co_name=name)
        return function

    return decorate


class Patches:
    """The wrappers of one capture, and the way back."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.undos: list[Callable[[], object]] = []

    def wrap(
        self,
        owner: Any,
        names: str | Iterable[str],
        describe: Describe,
        known: After | None = None,
        also: Iterable[str] = (),
        failure: Failure | None = None,
    ) -> None:
        """Make a transaction of every call of the functions `names` (one, or several in a list) of `owner`, a module or class.

        `describe(args, kwargs)` gives `(op, target)` or `(op, target, attributes)`; None if the call is not a transaction.
        `known(result, args, kwargs)` gives what is known afterwards: `bytes`, `rows`, `columns`, `shape` …
        `failure(error)` gives what is known of an exception: `status`, and a `message`, if its own may hold values of the data.
        A name that is not there is left out: libraries come in versions. `also`: names of modules that show the same function.
        """
        for name in [names] if isinstance(names, str) else names:
            original = vars(owner).get(name) or getattr(owner, name, None)
            if original is None:
                continue
            self.put(owner, name, lambda original: wrapped(self.ledger, original, describe, known, failure), also)

    def put(self, owner: Any, name: str, make_wrapper: Callable[[Any], Any], also: Iterable[str] = ()) -> None:
        """Replace `owner.name`, and the same object where its own `__module__` (for pickling by name) and `also` show it."""
        original = vars(owner).get(name)
        self.undos.append(replace(owner, name, make_wrapper))
        if not isinstance(owner, type(sys)) or original is None:
            return
        wrapper = vars(owner)[name]
        for other in {getattr(original, "__module__", None), *also}:
            module = sys.modules.get(other) if other else None
            if module is not None and module is not owner and vars(module).get(name) is original:
                self.undos.append(replace(module, name, lambda _: wrapper))

    def undo(self) -> None:
        """Put the originals back, the last one first."""
        while self.undos:
            quietly(self.undos.pop())


def wrapped(ledger: Ledger, original: Any, describe: Describe, known: After | None = None, failure: Failure | None = None) -> Any:
    """`original`, a function, with a transaction around each call."""
    code = getattr(original, "__code__", None)
    call = original if ledger.drill is None else ledger.drill.around(original, describe)
    if code is not None and code.co_flags & COROUTINE:
        return looking_like(original, _around_coroutine(ledger, call, describe, known, failure))
    wrapper = looking_like(original, _around(ledger, call, describe, known, failure))
    return wrapper if hasattr(type(original), "__get__") else StandIn(original, wrapper)


def _around(ledger: Ledger, original: Any, describe: Describe, known: After | None, failure: Failure | None) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        transaction = ledger.start(describe, args, kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if transaction is not None:
                transaction.failed(error, None, failure)
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        if transaction is not None:
            transaction.done(known, result, args, kwargs)
        return result

    return wrapper


def _around_coroutine(ledger: Ledger, original: Any, describe: Describe, known: After | None, failure: Failure | None) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        transaction = ledger.start(describe, args, kwargs)
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            if transaction is not None:
                transaction.failed(error, None, failure)
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        if transaction is not None:
            transaction.done(known, result, args, kwargs)
        return result

    return wrapper


class StandIn:
    """Stands for a function written in C: like it, it does not become a method when a class has it as an attribute."""

    def __init__(self, original: Any, wrapper: Any) -> None:
        self.__wrapped__ = original
        self.__dict__.update({name: getattr(original, name) for name in ("__module__", "__name__", "__qualname__", "__doc__")})
        self.call = wrapper

    @unseen("call")
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.call(*args, **kwargs)
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> str:
        return str(self.__qualname__)  # pickled by name, as the original

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.__wrapped__  # `os.unlink in os.supports_dir_fd`

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)


def looking_like(original: Any, wrapper: Any) -> Any:
    """`wrapper`, a function, with the name, documentation and attributes of `original`, and a frame that does not count."""
    name = getattr(original, "__name__", wrapper.__name__)
    wrapper.__code__ = wrapper.__code__.replace(co_filename=UNSEEN, co_name=name)
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        if hasattr(original, attribute):
            setattr(wrapper, attribute, getattr(original, attribute))
    wrapper.__dict__.update(getattr(original, "__dict__", {}))
    wrapper.__wrapped__ = original
    return wrapper


def argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str, default: Any = None) -> Any:
    """The argument that was given at `position` or as `name`."""
    return args[position] if len(args) > position else kwargs.get(name, default)
