"""AWS SNS: publish to a topic. botocore finds the credentials and signs; what is signed leaves like any other message (T12)."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from offduty.alerts import addresses, wording
from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.deadline import bounded
from offduty.alerts.delivery import DEADLINE, FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.options import FilePath, Line, Proxy, Timeout, Url
from offduty.errors import ConfigError
from offduty.secrets import Secret

MOST_BYTES, MOST_SUBJECT = 262_144, 99
_SPARE = 2_000  # the attributes count too
_BROKEN = (
    "AuthorizationError", "AuthorizationErrorException", "AccessDenied", "AccessDeniedException", "InvalidClientTokenId",
    "SignatureDoesNotMatch", "ExpiredToken", "UnrecognizedClientException", "NotFound", "NotFoundException", "EndpointDisabled",
    "OptInRequired", "KMSAccessDenied", "KMSDisabled", "KMSNotFoundException", "InvalidSecurity",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sns:
    """Publish to `topic` (an ARN; `.fifo` ones too). `region` follows from it. `endpoint`: another address than AWS's own.

    `allow`, `proxy`, `ca`: as of every channel that speaks HTTP. AWS's own names may lead to an endpoint within one's network.
    """

    requires: ClassVar[tuple[str, str]] = ("boto3", "aws")

    topic: Line
    region: Line | None = None
    endpoint: Url | None = None
    allow: Allowed = field(default=Allowed())
    proxy: Proxy | None = None
    ca: FilePath | None = None
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def __post_init__(self) -> None:
        parts = self.topic.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns" or not parts[5]:
            raise ConfigError("E223", "topic is no ARN of a topic", fix="write it like arn:aws:sns:eu-west-1:123456789012:alerts")
        if self.endpoint is not None:
            addresses.check(self.endpoint.reveal(), self.allow)

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One Publish. Raises DeliveryError."""
        boto3, (client_error, *others) = _libraries()
        seconds = min(attempt.seconds, self.timeout)
        arguments = request(wording.bare(alert) if attempt.minimal else alert, self.topic)
        failure: DeliveryError
        try:
            answer = bounded(lambda: self._client(boto3, seconds).publish(**arguments), seconds, (DeliveryError, client_error, *others))
            return Receipt(id=str(answer.get("MessageId", "")), detail="published")
        except TimeoutError:
            failure = DeliveryError("no answer in time", ambiguous=True)
        except DeliveryError as error:
            failure = error
        except client_error as error:
            failure = _refusal(error.response, minimal=attempt.minimal)
        except tuple(others) as error:
            failure = _trouble(type(error).__name__)
        raise failure

    def _client(self, boto3: Any, seconds: float) -> Any:
        """Made for each attempt: credentials of a session may have been renewed, and retries are the outbox's."""
        config = importlib.import_module("botocore.config").Config(
            connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True
        )
        region = self.region or self.topic.split(":")[3]
        endpoint = self.endpoint.reveal() if self.endpoint else None
        client = boto3.Session().client("sns", region_name=region, endpoint_url=endpoint, config=config)
        client.meta.events.register("before-send.sns.Publish", lambda request, **_: self._sent(request, seconds))
        return client

    def _sent(self, request: Any, seconds: float) -> Any:
        """What botocore has made and signed, sent our way; it takes an answer for its own. Raises DeliveryError."""
        host = addresses.split(request.url).host
        allow = self.allow if self.endpoint else Allowed([*self.allow, host])
        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in ("content-length", "host")}
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        answer = post(Secret(request.url), body, headers, Route(allow=allow, proxy=self.proxy, ca=self.ca, timeout=self.timeout), seconds)
        response = importlib.import_module("botocore.awsrequest").AWSResponse
        return response(request.url, answer.status, answer.headers, _Body(answer.body))


class _Body:
    """As much of urllib3's answer as botocore asks for."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """All of it."""
        yield self._body


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def request(alert: Alert, topic: str) -> dict[str, Any]:
    """The arguments of Publish."""
    attributes = {"event": alert.event, "job": wording.line(alert.job) or "-", "severity": alert.severity, "status": alert.status}
    found: dict[str, Any] = {
        "TopicArn": topic,
        "Subject": subject(alert),
        "Message": wording.fitting(alert, wording.plain, lambda text: len(text.encode()), MOST_BYTES - _SPARE),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    }
    if topic.endswith(".fifo"):
        found["MessageGroupId"] = _digest(alert.incident or alert.job)
        found["MessageDeduplicationId"] = _digest(alert.key)
    return found


def subject(alert: Alert) -> str:
    """ASCII, less than 100 characters, beginning with a letter or digit, nothing that breaks the line."""
    text = wording.line(wording.headline(alert)).replace("…", "...").encode("ascii", "replace").decode("ascii")
    while text and not text[0].isalnum():
        text = text[1:]
    short = text if len(text) <= MOST_SUBJECT else f"{text[:60]}...{text[-(MOST_SUBJECT - 63) :]}"
    return short or "offduty"


def _libraries() -> tuple[Any, tuple[type[Any], ...]]:
    """boto3, and the errors it may raise, that of an answer which refuses first."""
    try:
        boto3, errors = importlib.import_module("boto3"), importlib.import_module("botocore.exceptions")
        parsers = importlib.import_module("botocore.parsers")
        return boto3, (errors.ClientError, errors.BotoCoreError, parsers.ResponseParserError, OSError, ValueError)
    except ImportError:
        pass
    raise DeliveryError("sns needs boto3: pip install 'offduty[aws]'", broken=True)


def _refusal(response: Any, *, minimal: bool) -> DeliveryError:
    code = wording.shorten(wording.line(str(response.get("Error", {}).get("Code", ""))), 60)
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    if code in _BROKEN:
        return DeliveryError(f"SNS refuses: {code}", broken=True)
    if code in ("InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"):
        return DeliveryError(f"SNS refuses: {code}", permanent=True, minimal=not minimal)
    return DeliveryError(f"SNS: {code or 'an answer that is none'}", ambiguous=status >= 500 or not status)


def _trouble(kind: str) -> DeliveryError:
    """botocore's own errors, by name: their texts quote addresses."""
    if "Credential" in kind or kind in ("NoRegionError", "ProfileNotFound", "InvalidRegionError"):
        return DeliveryError(f"no way to sign in to AWS ({kind})", broken=True)
    if kind == "ParamValidationError":
        return DeliveryError("the message does not fit SNS", permanent=True)
    return DeliveryError(f"SNS cannot be reached ({kind})", ambiguous=kind not in ("EndpointConnectionError", "ConnectTimeoutError"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
