"""Other programs by `subprocess`: the program, how long it ran, its exit code; never its arguments."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside
from offduty_probe.capture.programs import exit_code, spawn
from offduty_probe.capture.wrapping import Patches, argument, looking_like
from offduty_probe.guard import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

EXECUTABLE, SHELL = 2, 8  # their positions among the arguments of `Popen`


def install(record: Ledger) -> Callable[[], None]:
    """`run` and `call` as a whole; `Popen` until somebody has learned the exit code, the object is gone, or the job is over."""
    subprocess = sys.modules["subprocess"]
    running = Running()
    patches = Patches(record)
    patches.wrap(subprocess, "run", _described(0), _ran, failure=_failure)
    patches.wrap(subprocess, "call", _described(0), lambda code, args, kwargs: exit_code(code), failure=_failure)
    patches.wrap(subprocess.Popen, "__init__", _described(1), running.began, failure=_failure)
    for name in ("wait", "poll", "communicate", "__exit__"):
        patches.put(subprocess.Popen, name, running.looking)
    record.before_flush.append(running.end_all)
    record.at_forget.append(running.kept.clear)
    patches.undos += [running.end_all, lambda: record.before_flush.remove(running.end_all)]
    patches.undos.append(lambda: record.at_forget.remove(running.kept.clear))
    return patches.undo


class Running(Beside):
    """The programs that run, each with its transaction."""

    def began(self, result: Any, args: Any, kwargs: Any) -> Callable[[Any], object]:
        """For `known`: the transaction goes on."""
        return lambda transaction: self.put(args[0], transaction)

    def looking(self, original: Any) -> Any:
        """`original`, a method of `Popen` after which the exit code may be known."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            except BaseException as error:
                error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
                raise
            finally:
                if args and id(args[0]) in self.kept:
                    quietly(self.look, args[0])

        return looking_like(original, wrapper)

    def look(self, process: Any) -> None:
        """End its transaction if the exit code is known."""
        if process.returncode is not None:
            transaction = self.take(process)
            if transaction is not None:
                transaction.done(exit_code, process.returncode)

    def end_all(self) -> None:
        """Tell of all that still run."""
        for reference, transaction in list(self.kept.values()):
            process = reference()
            code = getattr(process, "returncode", None)
            if code is None:
                transaction.done()
            else:
                transaction.done(exit_code, code)
        self.kept.clear()

    def _forget(self, me: int, gone: Any) -> None:
        transaction = self.kept[me][1] if me in self.kept and self.kept[me][0] is gone else None
        super()._forget(me, gone)
        if transaction is not None:
            transaction.done()


def _described(first: int) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        shell = bool(argument(args, kwargs, first + SHELL, "shell"))
        executable = argument(args, kwargs, first + EXECUTABLE, "executable")
        command = argument(args, kwargs, first, "args")
        return spawn([executable] if executable is not None and not shell else command, shell)

    return describe


def _ran(completed: Any, args: Any, kwargs: Any) -> Known:
    return exit_code(completed.returncode)


def _failure(error: Any) -> Known:
    """Python quotes the whole command in messages about it."""
    if isinstance(error, OSError):
        return {}
    if not hasattr(error, "cmd"):
        return {"message": ""}
    message = f"Command *** {str(error).rpartition(chr(39) + ' ')[2]}"
    code = getattr(error, "returncode", None)
    return dict(exit_code(code) if code is not None else {}, message=message)
