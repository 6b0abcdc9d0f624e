"""What an attempt is made of: found out while the job runs where that can be, the rest at its end. Imports nothing heavy."""

from __future__ import annotations

from offduty.transactions import origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.runs.attempts import Attempt
    from offduty.wiring.evidence import Evidence

OFFDUTY = __file__.rpartition("/wiring/")[0]


class Origin:
    """What one attempt is made of. `told`: whether its line is in the log."""

    def __init__(self, attempt: Attempt, environ: Mapping[str, str]) -> None:
        self.told = False
        self._attempt, self._environ = attempt, environ
        self._code: dict[str, Any] | None = None

    @property
    def code(self) -> dict[str, Any]:
        """Commit and state of the job's folder, looked at once."""
        if self._code is None:
            self._code = origin.code(self._attempt.record["cwd"])
        return self._code

    @property
    def is_looked_at(self) -> bool:
        """Whether the job ran long enough for that."""
        return self._code is not None

    def line(self, evidence: Evidence | None) -> str:
        """`code     a1b2c3d (clean)     python 3.11.7`, as far as it is known."""
        commit, python = origin.version(self.code), _hello(evidence, self._attempt).get("python")
        parts = [f"code     {commit}" if commit else "", f"{'' if commit else 'code     '}python {python}" if python else ""]
        return "     ".join(part for part in parts if part)

    def fingerprint(self, evidence: Evidence | None, last: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the record holds it. `last`: that of a good run: its files are looked at, too, as one that breaks off may not tell its own."""
        record, job = self._attempt.record, self._attempt.job
        hello = _hello(evidence, self._attempt)
        files = [file for file in (evidence.files if evidence else ()) if not file.startswith(f"{OFFDUTY}/")]
        files += ((last or {}).get("code") or {}).get("files") or ()
        sources = [*([job.notebook] if job.notebook else origin.sources_in(record["command"], record["cwd"])), *files]
        return {
            "code": {**self.code, "files": origin.digests(dict.fromkeys(sources), record["cwd"])},
            "packages": origin.packages(hello.get("site") or ()),
            "python": hello.get("python"),
            "host": record["host"],
            "command": record["command"],
            "environment": origin.variables({**self._environ, **job.env}),
        }


def _hello(evidence: Evidence | None, attempt: Attempt) -> Mapping[str, Any]:
    """What the Python process said that the job's code runs in: of a notebook the kernel, else the first."""
    hellos = [event for event in (evidence.events if evidence else ()) if event["kind"] == "hello"]
    kernels = [event for event in hellos if attempt.job.notebook and any("ipykernel" in word for word in event.get("argv") or ())]
    return next(iter([*kernels, *(event for event in hellos if event.get("main")), *hellos]), {})
