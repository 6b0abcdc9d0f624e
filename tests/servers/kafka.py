"""The broker that librdkafka has within itself for tests: real sockets, and topics made as they are named. Prints its port."""

from __future__ import annotations

import time

import confluent_kafka


def main() -> None:
    """Serve until killed."""
    holder = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 0})
    (broker,) = holder.list_topics(timeout=10).brokers.values()
    print(broker.port, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
