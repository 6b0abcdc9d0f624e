"""What is wrong with a configuration: one `Mistake` each, and the error that carries all of them."""

from __future__ import annotations

from dataclasses import dataclass

from offduty.errors import ConfigError, OffdutyError, ScheduleError, quoted

Path = tuple[str | int, ...]

STOPS, STOPS_JOB, DEGRADES, WARNS = "stops", "stops the job", "degrades", "warns"
_ONLY_WARN = ("E106", "E206", "E213", "E225", "E227")


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with the setting `path`, like `("job", "forecast", "retries")`.

    `where`: the line that says it, `offduty.toml:14`, or the name of the variable.
    """

    code: str
    path: Path
    what: str
    why: str = ""
    fix: str = ""
    where: str = ""

    @property
    def weight(self) -> str:
        """What it keeps from working: everything, its own job, an optional part, or nothing."""
        if self.code in _ONLY_WARN:
            return WARNS
        if not self.path or self.path[0] == "offduty":
            return STOPS
        return STOPS_JOB if self.path[0] == "job" and len(self.path) > 1 and self.code != "E207" else DEGRADES

    def as_error(self) -> ConfigError:
        """The mistake as it is raised and printed: `E203 offduty.toml:14: job.forecast.retries: expected an integer, …`."""
        place = ": ".join(part for part in (self.where, dotted(self.path)) if part)
        kind = ScheduleError if self.code.startswith("E3") else ConfigError
        return kind(self.code, self.what, where=place, why=self.why, fix=self.fix)

    def as_json(self) -> dict[str, str]:
        """The mistake in the `--json` forms: `code`, `setting`, `where`, `what`, `why`, `fix`, `weight`."""
        return {
            "code": self.code,
            "setting": dotted(self.path),
            "where": self.where,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "weight": self.weight,
        }


class ConfigErrors(ConfigError):
    """All mistakes of a configuration at once: `mistakes`, and the same as `errors`."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        first = mistakes[0].as_error()
        super().__init__(first.code, first.what, where=first.where, why=first.why, fix=first.fix)
        self.mistakes = mistakes
        self.errors = [mistake.as_error() for mistake in mistakes]


def from_error(error: OffdutyError, path: Path = ()) -> Mistake:
    """An error raised about the value at `path`, as a mistake; `where` is kept if it names a file."""
    return Mistake(error.code, path, error.what, error.why, error.fix, error.where)


def dotted(path: Path) -> str:
    """`("triage", 0, "when")` as `triage[0].when`; what is no bare key is quoted."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if is_bare(key) else f".{quoted(key)}"
    return text.removeprefix(".")


def is_bare(key: str) -> bool:
    """Whether TOML takes `key` without quotes."""
    return bool(key) and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)


def nearest(word: str, known: list[str]) -> str:
    """`did you mean X?` for the known word that looks most like `word`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""
