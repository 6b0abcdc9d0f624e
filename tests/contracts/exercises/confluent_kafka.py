"""Kafka by confluent-kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["confluent_kafka"]
SERVERS = ["kafka_port"]
NAMES = ["confluent_kafka.Producer", "confluent_kafka.Consumer"]
kafka_port = 0


def prepare(folder: Path) -> None:
    """Topics are made as they are named."""


def _servers() -> dict[str, Any]:
    return {"bootstrap.servers": f"127.0.0.1:{kafka_port}", "log_level": 0}


def _produce(folder: Path) -> Any:
    import confluent_kafka

    producer = confluent_kafka.Producer(_servers())
    producer.produce("feeds", b"CANARY", key=b"CANARY")
    return producer


def _flush(folder: Path) -> Any:
    return _produce(folder).flush(5)


def _poll(folder: Path) -> Any:
    import confluent_kafka

    consumer = confluent_kafka.Consumer({**_servers(), "group.id": "CANARY", "auto.offset.reset": "earliest"})
    consumer.subscribe(["empty"])
    try:
        return consumer.poll(0.2)
    finally:
        consumer.close()


def _too_large(folder: Path) -> Any:
    import confluent_kafka

    confluent_kafka.Producer({**_servers(), "message.max.bytes": 1000}).produce("feeds", b"CANARY" * 1000)


GOOD = [
    ("queue.publish", "/feeds", lambda folder: bool(_produce(folder))),
    ("queue.publish queue.publish", "/", _flush),
    ("queue.consume", "/empty", lambda folder: _poll(folder) is None),
]
BAD = [_too_large]
