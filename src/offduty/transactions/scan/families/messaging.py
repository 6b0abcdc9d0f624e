"""Messages and transfers: Kafka, RabbitMQ, mail, FTP, SSH."""

from __future__ import annotations

from offduty.transactions.scan import targets
from offduty.transactions.scan.rules import Call, Rule, Touch, each
from offduty.transactions.scan.texts import items_of


def on_kafka(op: str) -> Rule:
    """`producer.send(topic)`: the brokers stand where the producer was made."""

    def rule(call: Call) -> Touch:
        topic = call.text(0, "topic", "topics") if op == "queue.publish" or call.method == "subscribe" else None
        maker = call.maker()
        return op, _kafka(brokers(maker) if maker is not None else None, topic)

    return rule


def consumer(call: Call) -> Touch:
    """`KafkaConsumer("topic", bootstrap_servers=…)` reaches for its brokers at once."""
    return "queue.consume", _kafka(brokers(call), call.text(0, "topics") if call.name == "kafka.KafkaConsumer" else None)


def brokers(call: Call) -> str | None:
    """`bootstrap_servers=`, or `bootstrap.servers` in confluent's settings."""
    node = call.given(-1, "bootstrap_servers")
    if node is None and call.node.args:
        places = call.names.values(call.node.args[0], call.context) or [(call.node.args[0], call.context)]
        node = items_of(places[0][0]).get("bootstrap.servers")
    if node is None:
        return None
    elements = getattr(node, "elts", None)
    return ",".join(call.texts.shown(each, call.context) for each in elements) if elements else call.texts.shown(node, call.context)


def _kafka(servers: str | None, topic: str | None) -> str:
    return f"kafka://{servers or ''}" + (f"/{topic}" if topic else "")


def rabbit(op: str) -> Rule:
    """`channel.basic_publish(exchange, routing_key)`, `basic_consume(queue)`."""

    def rule(call: Call) -> Touch:
        exchange, key, queue = call.text(0, "exchange"), call.text(1, "routing_key"), call.text(0, "queue")
        maker = call.maker()
        host = rabbit_address(maker) if maker is not None and maker.name in CALLS else "amqp://"
        named = "/".join(part for part in ((exchange, key) if op == "queue.publish" else (queue,)) if part)
        return op, f"{host}/{named}" if named else host

    return rule


def rabbit_address(call: Call) -> str:
    """Host or URL in the connection's parameters."""
    node = call.given(0, "parameters")
    made = call.made(node) if node is not None else None
    if made is None:
        return "amqp://"
    host = made.text(0, "host", "url")
    return host if host and "://" in host else targets.address("amqp", host, made.text(1, "port"), None)


def connects_rabbit(call: Call) -> Touch:
    """It connects when it is made, whatever for."""
    return "queue.publish", rabbit_address(call)


def connects(op: str, kind: str) -> Rule:
    """`smtplib.SMTP(host, port)` connects if it is given a host."""

    def rule(call: Call) -> Touch | None:
        host = call.text(0, "host", "hostname", "server")
        return (op, targets.address(kind, host, call.text(1, "port"), None)) if host else None

    return rule


def sends(op: str, kind: str) -> Rule:
    """What is done on such a connection."""
    plain = connects(op, kind)

    def rule(call: Call) -> Touch:
        maker = call.maker()
        touch = plain(maker) if maker is not None and maker.node is not call.node else None
        return op, touch[1] if touch is not None else None

    return rule


def on_ftp(call: Call) -> Touch:
    """`ftp.retrbinary("RETR daily.csv", …)`: the file behind the command."""
    command = call.text(0, "cmd", "filename", "path", "dirname") or ""
    name = command.partition(" ")[2] if call.method.startswith(("retr", "stor")) else command
    base = sends("file.transfer", "ftp")(call)
    host = base[1] if base is not None else None
    return "file.transfer", f"{host or 'ftp://'}/{name.lstrip('/')}" if name else host


def on_ssh(call: Call) -> Touch:
    """`sftp.get(remote, local)`, `sftp.put(local, remote)`."""
    path = call.text(1 if call.method in ("put", "putfo") else 0, "remotepath", "filename", "path")
    return "file.transfer", f"sftp:{path}" if path else "sftp:"


def runs_remotely(call: Call) -> Touch:
    """A command on another machine; only its first word."""
    words = (call.text(0, "command") or "").split()
    return "process.spawn", "ssh: " + words[0] if words else "ssh:"


FTP = each("", "retrbinary retrlines storbinary storlines delete rename nlst mlsd dir", on_ftp) | {
    "connect": connects("file.transfer", "ftp")
}
SFTP = each("", "get getfo put putfo open file remove rename listdir listdir_attr", on_ssh)
SMTP = each("", "sendmail send_message", sends("mail.send", "smtp")) | {"connect": connects("mail.send", "smtp")}
RABBIT = {**each("", "basic_publish", rabbit("queue.publish")), **each("", "basic_consume basic_get consume", rabbit("queue.consume"))}
PUBLISHES, CONSUMES = on_kafka("queue.publish"), on_kafka("queue.consume")
RABBITS = ("pika.BlockingConnection", "pika.SelectConnection")

CALLS: dict[str, Rule] = {
    **dict.fromkeys(("kafka.KafkaConsumer", "confluent_kafka.Consumer"), consumer),
    "kafka.KafkaProducer": lambda call: ("queue.publish", _kafka(brokers(call), None)),
    **dict.fromkeys(RABBITS, connects_rabbit),
    **each("", "smtplib.SMTP smtplib.SMTP_SSL smtplib.LMTP", connects("mail.send", "smtp")),
    "aiosmtplib.send": lambda call: ("mail.send", targets.address("smtp", call.text(-1, "hostname"), call.text(-1, "port"), None)),
    **each("ftplib.", "FTP FTP_TLS", connects("file.transfer", "ftp")),
    "pysftp.Connection": connects("file.transfer", "sftp"),
    "paramiko.Transport": connects("file.transfer", "sftp"),
}

ON: dict[str, dict[str, Rule]] = {
    **dict.fromkeys(("kafka.KafkaProducer", "confluent_kafka.Producer"), each("", "send produce", PUBLISHES)),
    **dict.fromkeys(("kafka.KafkaConsumer", "confluent_kafka.Consumer"), each("", "poll consume subscribe", CONSUMES)),
    **dict.fromkeys(RABBITS, RABBIT),
    **dict.fromkeys(("smtplib.SMTP", "smtplib.SMTP_SSL", "smtplib.LMTP"), SMTP),
    **dict.fromkeys(("ftplib.FTP", "ftplib.FTP_TLS"), FTP),
    "paramiko.SSHClient": {**SFTP, "connect": connects("file.transfer", "sftp"), "exec_command": runs_remotely},
    **dict.fromkeys(("paramiko.SFTPClient.from_transport", "paramiko.Transport", "pysftp.Connection"), SFTP),
}

METHODS: dict[str, Rule] = {
    **RABBIT,
    **each("", "sendmail send_message", lambda call: ("mail.send", None)),
    **each("", "retrbinary storbinary", on_ftp),
}
del METHODS["consume"]

SAME: dict[str, str] = {"paramiko.client.SSHClient": "paramiko.SSHClient", "kafka.producer.KafkaProducer": "kafka.KafkaProducer"}

HANDLES = frozenset({"paramiko.SSHClient"})
