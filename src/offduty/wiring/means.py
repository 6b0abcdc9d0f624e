"""What all attempts of one command share: world, options, the store at hand, what masks their secrets, and the triage table."""

from __future__ import annotations

from offduty.wiring.storing import StoreAtHand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from offduty.runs.attempts import World
    from offduty.runs.job import Job
    from offduty.secrets import Redactor
    from offduty.wiring.triage import Triage


class Means:
    """`masking`: the redactor, once there is one."""

    def __init__(self, world: World, options: Mapping[str, Any]) -> None:
        self.world, self.options = world, options
        self.store = StoreAtHand(world)
        self.masking: Redactor | None = None
        self._triage: Triage | None = None

    def redactor(self, job: Job) -> Redactor | None:
        """What masks the job's secrets in its log; None if the job wants none."""
        if not job.redact:
            return None
        if self.masking is None:
            from offduty.secrets.redactor import Redactor

            self.masking = Redactor({**self.world.environ, **job.env}, names=job.secrets)
        return self.masking

    @property
    def triage(self) -> Triage:
        """The triage of this command's runs."""
        if self._triage is None:
            from offduty.wiring.triage import Triage

            self._triage = Triage(self.world.environ, self.options.get("config"))
        return self._triage

    def clean(self, job: Job, text: str) -> str:
        """`text`, of a mistake of ours, without secrets; where they cannot be masked, only what it was about."""
        try:
            redactor = self.redactor(job)
        except Exception:  # noqa: BLE001 - that may have been the mistake
            return text.partition(":")[0]
        return redactor.text(text) if redactor else text


def if_store_is_there(function: Callable[..., object], *args: object) -> None:
    """While the job runs: what cannot be done now is done at its end, or by whoever opens the store next."""
    from offduty.errors import StoreError

    try:
        function(*args)
    except StoreError:
        pass
