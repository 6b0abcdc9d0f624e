"""Kafka through confluent-kafka: its classes are written in C, so the library's names get classes of ours, derived from them.

What is sent is delivered by a thread of the library: that it failed is known where the job waits for it, by `flush`.
"""

from __future__ import annotations

import sys

from offduty_probe.capture.kafka import failure, said
from offduty_probe.capture.wrapping import Patches, argument, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

SERVERS, TOPICS, ORIGINAL = "_offduty_servers", "_offduty_topics", "_offduty_original"


class Same(type):
    """Of a class of ours: whatever is an instance of the original is one of ours too. Classes that the job derives are as ever."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1]) if ORIGINAL in vars(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1]) if ORIGINAL in vars(cls) else super().__subclasscheck__(other)

    @property
    def __signature__(cls) -> object:
        if ORIGINAL in vars(cls):
            raise ValueError("no signature found")  # as `inspect` says of classes written in C
        raise AttributeError("__signature__")


def install(record: Ledger) -> Callable[[], None]:
    """`Producer` and `Consumer`."""
    library = sys.modules["confluent_kafka"]
    patches = Patches(record)
    producing = {"__init__": (_made, None), "produce": (_produced, None), "flush": (_flushed, _left)}
    consuming = {"__init__": (_made, None), "subscribe": (_subscribed, None), "poll": (_polled, _got), "consume": (_polled, _got)}
    for name, methods in (("Producer", producing), ("Consumer", consuming)):
        patches.put(library, name, lambda original, methods=methods: _derived(record, original, methods))  # type: ignore[misc]
    return patches.undo


def _derived(record: Ledger, base: Any, methods: dict[str, Any]) -> Any:
    members: dict[str, Any] = {"__module__": base.__module__, "__doc__": base.__doc__, "__qualname__": base.__qualname__, ORIGINAL: base}
    for name, (describe, known) in methods.items():
        members[name] = wrapped(record, getattr(base, name), describe, known, failure)
    return Same(base.__name__, (base,), members)


def _made(args: Any, kwargs: Any) -> None:
    """It connects later: only where to is kept."""
    config = dict(args[1] if len(args) > 1 and isinstance(args[1], dict) else {}, **kwargs)
    setattr(args[0], SERVERS, config.get("bootstrap.servers") or config.get("metadata.broker.list") or "")


def _subscribed(args: Any, kwargs: Any) -> None:
    setattr(args[0], TOPICS, tuple(argument(args, kwargs, 1, "topics", ())))


def _produced(args: Any, kwargs: Any) -> Said:
    return said("queue.publish", getattr(args[0], SERVERS, ""), [argument(args, kwargs, 1, "topic")])


def _flushed(args: Any, kwargs: Any) -> Said:
    return said("queue.publish", getattr(args[0], SERVERS, ""))


def _left(result: Any, args: Any, kwargs: Any) -> Known:
    """How many messages have still not been delivered."""
    return {"attributes": {"offduty.undelivered": result}} if type(result) is int else {}


def _polled(args: Any, kwargs: Any) -> Said:
    return said("queue.consume", getattr(args[0], SERVERS, ""), getattr(args[0], TOPICS, ()))


def _got(result: Any, args: Any, kwargs: Any) -> Known:
    """Messages; one that stands for an error gives its code."""
    messages = result if isinstance(result, list) else [result] if result is not None else []
    errors = [message.error().name() for message in messages if message.error() is not None]
    return {"rows": len(messages) - len(errors), **({"status": errors[0]} if errors else {})}
