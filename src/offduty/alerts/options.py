"""What a channel's option may be: one type for each meaning. Settings read values with `read`, whose errors do not quote secrets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Self

from offduty import durations
from offduty.alerts import addresses
from offduty.errors import ConfigError, quoted
from offduty.secrets import Secret

MOST_RECIPIENTS = 50
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")
_NAMED = re.compile(r"([^<>@\"\r\n]*)<([^<>]+)>")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "content-type",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)


class Line(str):
    """A text of one line that is not empty."""

    wanted: ClassVar[str] = "a text of one line"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise TypeError
        return cls(value)


class FilePath(str):
    """A file; relative to the file that names it."""

    wanted: ClassVar[str] = "a path"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise TypeError
        return cls(value)


class Port(int):
    """1 to 65535."""

    wanted: ClassVar[str] = "a port, 1 to 65535"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
            raise TypeError
        return cls(value)


class Timeout(float):
    """How long one attempt may take, up to a minute."""

    wanted: ClassVar[str] = 'a duration up to a minute, like "10 s"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, UsageError E102."""
        seconds = durations.parse(value)
        if seconds > 60:
            raise TypeError
        return cls(seconds)


class Token(Secret):
    """A secret of one line."""

    __slots__ = ()
    wanted: ClassVar[str] = 'a secret: { env = "NAME" } or { file = "PATH" }'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E203, without the value."""
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or value.strip() != value:
            raise ConfigError("E203", "the secret is empty, or holds what no secret has", fix="copy it again")
        return cls(value)


class Url(Token):
    """The address of a receiver, which is a secret too: whoever knows it can post."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E221, without the value."""
        addresses.split(value if isinstance(value, str) else "")
        return cls(str(value))


class Proxy(Token):
    """`http://[user:password@]host:port`, or `environment` for what HTTPS_PROXY and NO_PROXY say."""

    __slots__ = ()
    wanted: ClassVar[str] = '"http://host:port" or "environment"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E221, without the value."""
        if value != "environment":
            text = value if isinstance(value, str) else ""
            scheme, _, rest = text.partition("://")
            userinfo, _, host = rest.rpartition("@")
            if scheme != "http" or any(c <= " " or c in "/\\" for c in userinfo):
                raise ConfigError("E221", "the proxy is not written as http://host:port", fix='write it so, or "environment"')
            addresses.split(f"http://{host}")
        return cls(str(value))


class SigningKey(Token):
    """`whsec_` and at least 24 bytes in base64, as Standard Webhooks has it."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E203, without the value."""
        key = super().read(value)
        if not 24 <= len(key.key()) <= 64:
            raise ConfigError(
                "E203", "the signing key is not 24 to 64 bytes in base64", fix='make one: echo "whsec_$(head -c 32 /dev/urandom | base64)"'
            )
        return key

    def key(self) -> bytes:
        """The bytes that sign; empty if they are none."""
        try:
            return base64.b64decode(self.reveal().removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return b""


class Mailbox(str):
    """`jobs@example.com`, or `Night jobs <jobs@example.com>`."""

    wanted: ClassVar[str] = "a mail address like jobs@example.com"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, str) or not value.isprintable():
            raise TypeError
        named = _NAMED.fullmatch(value)
        if not _ADDRESS.fullmatch(named[2].strip() if named else value):
            raise TypeError
        return cls(value)

    @property
    def address(self) -> str:
        """Without the name."""
        named = _NAMED.fullmatch(self)
        return named[2].strip() if named else str(self)

    @property
    def named(self) -> str:
        """The name, or nothing."""
        named = _NAMED.fullmatch(self)
        return named[1].strip() if named else ""


class Mailboxes(tuple[Mailbox, ...]):
    """One mail address or several."""

    wanted: ClassVar[str] = f"a mail address, or a list of up to {MOST_RECIPIENTS}"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        items = value if isinstance(value, list) else [value]
        if not 1 <= len(items) <= MOST_RECIPIENTS:
            raise TypeError
        return cls(map(Mailbox.read, items))


class Headers(Mapping[str, Token]):
    """Headers of a request; their values count as secrets."""

    wanted: ClassVar[str] = 'a table like { Authorization = { env = "NAME" } }'

    def __init__(self, values: Mapping[str, Token] | None = None) -> None:
        self._values = MappingProxyType(dict(values or {}))

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ConfigError E203 for a name or a value that no header may have."""
        if not isinstance(value, dict):
            raise TypeError
        for name in value:
            if not _HEADER.fullmatch(name) or name.lower() in _OURS:
                raise ConfigError("E203", f"{quoted(name)} cannot be a header here", fix="leave it out")
        return cls({name: Token.read(text) for name, text in value.items()})

    def __getitem__(self, name: str) -> Token:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._values)})"


class Arguments(tuple[str, ...]):
    """A program and its arguments, started without a shell."""

    wanted: ClassVar[str] = 'a list like ["/usr/local/bin/page", "--team", "etl"]'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(word, str) and "\0" not in word for word in value)
            or not value[0]
        ):
            raise TypeError
        return cls(value)
