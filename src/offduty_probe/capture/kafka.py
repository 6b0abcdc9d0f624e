"""Kafka through kafka-python: connecting, sending, waiting for what was sent, polling; no keys, no messages."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`KafkaProducer` and `KafkaConsumer`; iterating over a consumer polls it."""
    kafka = sys.modules["kafka"]
    patches = Patches(record)
    for owner, op in ((kafka.KafkaProducer, "queue.publish"), (kafka.KafkaConsumer, "queue.consume")):
        patches.wrap(owner, "__init__", _made(op), failure=failure)
    patches.wrap(kafka.KafkaProducer, "send", _sent, failure=failure)
    patches.wrap(kafka.KafkaProducer, "flush", lambda args, kwargs: said("queue.publish", _servers(args[0])), failure=failure)
    patches.wrap(kafka.KafkaConsumer, "poll", _polled, _rows, failure=failure)
    return patches.undo


def said(op: str, servers: Any, topics: Any = ()) -> Said:
    """For `describe`: `op` of topics at the first of `servers`, a text with commas or a list."""
    listed = servers if isinstance(servers, (list, tuple)) else str(servers or "").split(",")
    first = str(listed[0]).rpartition("://")[2].strip() if listed else ""
    topic = ",".join(sorted(str(topic) for topic in topics))
    attributes: Known = {"messaging.system": "kafka", "server.address": first.rpartition(":")[0] or first}
    if topic:
        attributes["messaging.destination.name"] = topic
    return op, f"kafka://{first}/{topic}", attributes


def _servers(client: Any) -> Any:
    return client.config.get("bootstrap_servers")


def _made(op: str) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        return said(op, kwargs.get("bootstrap_servers", "localhost"), args[1:] if op == "queue.consume" else ())

    return describe


def _sent(args: Any, kwargs: Any) -> Said:
    return said("queue.publish", _servers(args[0]), [argument(args, kwargs, 1, "topic")])


def _polled(args: Any, kwargs: Any) -> Said:
    return said("queue.consume", _servers(args[0]), args[0].subscription() or ())


def _rows(result: Any, args: Any, kwargs: Any) -> Known:
    return {"rows": sum(len(records) for records in result.values())}


def failure(error: Any) -> Known:
    """What is said of brokers and time is told, without what is quoted."""
    text = str(error)
    return {"message": text if any(word in type(error).__name__ for word in ("Timeout", "Broker", "Connection")) else without_values(text)}
