"""How an attempt to deliver an alert can end badly, as far as the outbox has to know."""

from __future__ import annotations


class DeliveryError(Exception):
    """A channel's one attempt did not deliver. Its text goes into the record and onto screens: one line, no secret, no address with one.

    `permanent`: trying the same message again will not help. `retry_after`: seconds the receiver asked for, as it said them (the outbox
    clamps). `ambiguous`: it may have arrived all the same, since the request was sent and no whole answer came back.
    `shrink`: a smaller, plainer message may be taken (413, 400 invalid_payload). `broken`: it is the channel, not the message, that is
    refused (401, 403, 404, 410, invalid_token). `gone`: and the receiver says that this is for good (410).
    `status`: the HTTP status, SMTP code or exit status, if there was one.
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool,
        retry_after: float | None = None,
        ambiguous: bool = False,
        shrink: bool = False,
        broken: bool = False,
        gone: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(text)
        self.permanent, self.retry_after, self.ambiguous = permanent, retry_after, ambiguous
        self.shrink, self.broken, self.gone, self.status = shrink, broken or gone, gone, status
