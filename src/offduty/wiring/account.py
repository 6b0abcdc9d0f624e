"""What is known of one attempt beside its record: each thing is found out when it is first asked for, and once."""

from __future__ import annotations

from offduty.wiring.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from offduty.runs.attempts import Attempt
    from offduty.runs.beat import Beat
    from offduty.settings.load import Settings
    from offduty.transactions.check import Check
    from offduty.transactions.transaction import Transaction
    from offduty.wiring.evidence import Evidence
    from offduty.wiring.means import Means
    from offduty.wiring.notices import Notices
    from offduty.wiring.origin import Origin
    from offduty.wiring.past import GoodRuns
    from offduty.wiring.quality import Expected

EXPLAINED = 0.6  # share of the end's time in which a run may be explained


class Account:
    """One attempt. `deadline` is that of its end, `remarks` what was left out of it; `tell`: whom the end concerns.

    `is_taken_in`: whether the store has the end; `seen`: the evidence, if anybody asked for it; `expected`: what the configuration expects.
    """

    def __init__(self, attempt: Attempt, means: Means) -> None:
        self.attempt, self.means = attempt, means
        self.deadline = Deadline(means.world.clock, 0.0)
        self.remarks: list[str] = []
        self.tell: dict[str, Any] | None = None
        self.is_taken_in = False
        self.seen: Evidence | None = None
        self.expected: Expected | None = None
        self._settings: tuple[Settings | None] | None = None
        self._notices: Notices | None = None
        self._origin: Origin | None = None
        self._past: GoodRuns | None = None
        self._beat: Beat | None = None

    @property
    def settings(self) -> Settings | None:
        """What is configured; None where nothing is, and where it cannot be used."""
        if self._settings is None:
            self._settings = (self._load() if self.attempt.job.configured else None,)
        return self._settings[0]

    def _load(self) -> Settings | None:
        from offduty.errors import OffdutyError
        from offduty.settings.load import load

        try:
            return load(self.attempt.job.start, self.means.world.environ, config=self.means.options.get("config"))
        except OffdutyError as error:  # somebody is editing it: the run goes on without
            self.attempt.notes.append(f"configuration: {error}")
            return None

    @property
    def notices(self) -> Notices | None:
        """Who is told of this job's runs; None for a command that nobody configured."""
        if self._notices is None:
            settings, job = self.settings, self.attempt.job
            if settings is None or job.name not in settings.jobs:
                return None
            from offduty.wiring.notices import Notices

            duty = self.means.triage.duty(job.start, settings)
            self._notices = Notices(settings, job.name, duty, self.means.store.another, self.means.world.clock)
        return self._notices

    @property
    def evidence(self) -> Evidence:
        """What the run says of itself."""
        if self.seen is None:
            from offduty.wiring.evidence import Evidence

            attempt = self.attempt
            redactor = self.means.redactor(attempt.job)
            mask = redactor.text if redactor else None
            attempt.guard("expectations", self._expect)
            own_only = bool(attempt.job.notebook)
            self.seen = Evidence(
                attempt.events, attempt.token, mask, attempt.record["cwd"], own_only=own_only, expect=self._expected_of
            )  # fmt: skip
        return self.seen

    def _expect(self) -> None:
        """Read what the configuration expects of this job's runs."""
        job = self.attempt.job
        if job.configured:
            from offduty.wiring.quality import Expected

            self.expected = Expected(job.name, self.settings, self.attempt.record["cwd"])

    def _expected_of(self, one: Transaction) -> list[Check]:
        return self.expected.of(one) if self.expected is not None else []

    @property
    def origin(self) -> Origin:
        """What the attempt is made of."""
        if self._origin is None:
            from offduty.wiring.origin import Origin

            self._origin = Origin(self.attempt, self.means.world.environ)
        return self._origin

    @property
    def is_looked_at(self) -> bool:
        """Whether anybody found out what it is made of."""
        return self._origin is not None and self._origin.is_looked_at

    @property
    def past(self) -> GoodRuns:
        """The good runs before this one, read once for all who compare. Raises StoreError."""
        if self._past is None:
            from offduty.wiring.past import READING_TIME, GoodRuns

            seconds = min(READING_TIME, self.deadline.left(EXPLAINED) / 2)
            self._past = GoodRuns(self.means.store.opened(), self.attempt.record, self.means.world.clock, seconds)
        return self._past

    def look_again(self) -> None:
        """There may be more good runs now."""
        self._past = None

    @property
    def beat(self) -> Beat:
        """The sign of life."""
        if self._beat is None:
            from offduty.runs.beat import Beat

            self._beat = Beat(self.means.world.places.beats, self.attempt.record["id"], self.means.world.clock)
        return self._beat

    def end_beat(self) -> None:
        """Nobody need listen any more."""
        if self._beat is not None:
            self._beat.end()
