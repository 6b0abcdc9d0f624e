"""Kafka by kafka-python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["kafka"]
SERVERS = ["kafka_port"]
NAMES = "kafka.KafkaProducer.__init__ kafka.KafkaProducer.send kafka.KafkaProducer.flush kafka.KafkaConsumer.poll".split()
kafka_port = 0


def prepare(folder: Path) -> None:
    """Topics are made as they are named."""


def _servers() -> dict[str, Any]:
    return {"bootstrap_servers": f"127.0.0.1:{kafka_port}", "api_version": (2, 0)}  # the newest that this broker speaks with it


def _make(folder: Path) -> None:
    from kafka import KafkaConsumer

    consumer = KafkaConsumer("empty", **_servers())
    consumer.topics()  # or it would be closed while it still connects, and leave a socket open
    consumer.close()


def _send(folder: Path) -> Any:
    from kafka import KafkaProducer

    producer = KafkaProducer(**_servers())
    sent = producer.send("feeds", b"CANARY", key=b"CANARY")
    producer.close()  # which flushes
    return sent.get(5).topic


def _poll(folder: Path) -> Any:
    from kafka import KafkaConsumer

    consumer = KafkaConsumer("empty", **_servers())
    try:
        return consumer.poll(timeout_ms=200)
    finally:
        consumer.close()


def _too_large(folder: Path) -> Any:
    from kafka import KafkaProducer

    producer = KafkaProducer(**_servers(), max_request_size=1000)
    try:
        producer.send("feeds", b"CANARY" * 1000).get(5)
    finally:
        producer.close()


GOOD = [
    ("queue.consume", "/empty", _make),
    ("queue.publish queue.publish queue.publish", "/", _send),
    ("queue.consume queue.consume", "/empty", _poll),
]
BAD = [_too_large]
