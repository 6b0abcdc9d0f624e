"""Transactions that outlive the call that began them: readers that give one chunk after the other, writers that take them."""

from __future__ import annotations

from _weakref import ref
from time import perf_counter_ns

from offduty_probe.capture.wrapping import looking_like
from offduty_probe.guard import swallow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Transaction
    from offduty_probe.capture.wrapping import Patches

    Measure = Callable[[Any, Any], Known]

MOST_FOLLOWED = 256


class Followed:
    """The readers or writers of one library that are in use. They are not kept alive: one that is forgotten ends its transaction."""

    def __init__(self, record: Ledger, patches: Patches) -> None:
        self.known: dict[int, Use] = {}
        self.patches = patches
        record.before_flush.append(self.end_all)
        record.at_forget.append(self.known.clear)
        patches.undos.append(self.end_all)

    def follow(self, thing: Any, known: Callable[[], Known] = dict) -> Callable[[Transaction], None]:
        """For `known` of a wrapper: the transaction goes on as long as `thing` is in use; `known()` is asked at its end."""

        def begin(transaction: Transaction) -> None:
            if len(self.known) >= MOST_FOLLOWED:
                transaction.done(known)
                return
            me = id(thing)
            self.known[me] = Use(transaction, known, ref(thing, lambda _: self.end(me)))

        return begin

    def watch(self, owner: Any, names: list[str], measure: Measure, last: bool = False) -> None:
        """Every call of these methods adds `measure(result, args)`; its error, `StopIteration` or, if `last`, its return is the end."""
        for name in names:
            if name in vars(owner):
                self.patches.put(owner, name, lambda original: self._wrapper(original, measure, last))

    def _wrapper(self, original: Any, measure: Measure, last: bool) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            started = perf_counter_ns()
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                self.note(id(args[0]), perf_counter_ns() - started, dict, None if isinstance(error, StopIteration) else error, True)
                error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
                raise
            self.note(id(args[0]), perf_counter_ns() - started, lambda: measure(result, args), None, last)
            return result

        return looking_like(original, wrapper)

    def note(self, me: int, took: int, measure: Callable[[], Known], error: BaseException | None, last: bool) -> None:
        """One more call. Never raises."""
        use = self.known.get(me)
        if use is None:
            return
        try:
            use.add(took, measure())
        except Exception as problem:
            swallow(problem)
        if last:
            self.end(me, error)

    def end(self, me: int, error: BaseException | None = None) -> None:
        """Tell it."""
        use = self.known.pop(me, None)
        if use is None:
            return
        use.transaction.took = use.took
        if error is None:
            use.transaction.done(use.all_known)
        else:
            use.transaction.failed(error, use.sums)

    def end_all(self) -> None:
        """Tell of all that are in use."""
        for me in list(self.known):
            self.end(me)


class Use:
    """One that is in use: what it has given or taken so far."""

    __slots__ = ("known", "ref", "sums", "took", "transaction")

    def __init__(self, transaction: Transaction, known: Callable[[], Known], reference: Any) -> None:
        self.transaction, self.known, self.ref = transaction, known, reference
        self.sums: Known = {}
        self.took = perf_counter_ns() - transaction.started

    def add(self, took: int, measured: Known) -> None:
        """Sum up the rows; the columns are those of the first."""
        self.took += took
        rows = self.sums.get("rows", 0) + (measured.get("rows") or 0)
        if "columns" not in self.sums:
            self.sums = {name: list(value) if name == "shape" else value for name, value in measured.items()}
        self.sums["rows"] = rows

    def all_known(self) -> Known:
        """The sums, and what is known at the end."""
        return dict(self.sums, **self.known())
