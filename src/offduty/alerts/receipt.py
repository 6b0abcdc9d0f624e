"""What a channel says about a message that it delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Receipt:
    """`reference`: the receiver's name for the message (a Slack ts, a Message-ID, a dedup key), for updates and for the record; or empty.

    `note`: what people should know, as "accepted for delivery" where the receiver tells no more, or that the text was shortened.
    """

    reference: str = ""
    note: str = ""
