"""What is to be run, and how: a `Job`, from a command line or from the configuration.

A plain class and not a dataclass: this module is imported before the job is started, and `dataclasses` alone costs 14 ms.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NAME_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
NAME_REST = NAME_FIRST | frozenset("._-")
NAME_LENGTH = 100
OVERLAPS = ("skip", "queue", "allow")
PTY_MODES = ("auto", "always", "never")
RUNNERS = (
    "python",
    "python2",
    "python3",
    "bash",
    "sh",
    "dash",
    "zsh",
    "Rscript",
    "R",
    "julia",
    "node",
    "perl",
    "ruby",
    "java",
    "make",
    "uv",
    "env",
)


def is_name(text: str) -> bool:
    """Whether `text` may name a job: it becomes part of file names, so an allow-list, no more."""
    return 0 < len(text) <= NAME_LENGTH and text[0] in NAME_FIRST and all(c in NAME_REST for c in text)


def slug(text: str) -> str:
    """The nearest allowed job name to `text`, possibly `job`."""
    lowered = "".join(c if c in NAME_REST else "-" for c in text.strip().lower()[:NAME_LENGTH])
    return lowered.lstrip("._-").rstrip(".-") or "job"


def name_for(command: Sequence[str]) -> str:
    """The name of a job without configuration: its script if an interpreter runs one, else its program.

    `python -u forecast.py --date …` is `forecast`; `python -m pkg.train` is `pkg.train`; `/opt/bin/nightly` is `nightly`.
    """
    program = _stem(command[0])
    if program not in RUNNERS and not program.startswith("python3."):
        return slug(program)
    rest = list(command[1:])
    if "-m" in rest[:-1]:
        return slug(rest[rest.index("-m") + 1])
    scripts = [word for word in rest if not word.startswith("-") and "=" not in word]
    return slug(_stem(scripts[0]) if scripts and "-c" not in rest else program)


def _stem(path: str) -> str:
    base = path.rstrip("/").rpartition("/")[2]
    stem, dot, ending = base.rpartition(".")
    return stem if dot and stem and ending in ("py", "sh", "R", "r", "jl", "ipynb", "js", "pl", "rb", "bash", "exe", "sql") else base


class Job:
    """One job, ready to start. Durations are seconds; `None` means there is no such limit.

    `name`; `command`: argument list; `cwd`: folder to start in, or `None` for here; `env`: variables to add; `trigger`;
    `retries`: further attempts after a failure, the first after `retry_delay` s, doubling up to `retry_max_delay` s;
    `max_duration`: longer is overdue; `kill_after`: so much later the job is stopped; `stop_grace`: from TERM to KILL;
    `overlap`: what a second start does; `pty`; `kill_leftovers`: end processes the job leaves behind; `survive`: go on if offduty dies;
    `redact`: mask secrets; `secrets`: further variables whose values are secret; `log_max_size`: bytes, the middle is dropped beyond;
    `keep_s`, `keep_runs`, `keep_bytes`: retention of logs; `notebook`: path of the notebook that `command` runs, or empty;
    `min_duration`; `strict`; `configured`: whether it comes from a configuration, looked for from `start`; `schedule`: for display;
    `tells`: whether the configuration has channels, to tell people of its runs; `metrics`: names of those that it may print;
    `remember`: what keeps what was parsed to start it, given the environment, for the next time; None where nothing was.
    """

    __slots__ = (
        "command", "configured", "cwd", "env", "keep_bytes", "keep_runs", "keep_s", "kill_after", "kill_leftovers", "log_max_size",
        "max_duration", "metrics", "min_duration", "name", "notebook", "overlap", "pty", "redact", "remember", "retries", "retry_delay",
        "retry_max_delay", "schedule", "secrets", "start", "stop_grace", "strict", "survive", "tells", "trigger",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        trigger: str = "manual",
        retries: int = 0,
        retry_delay: float = 30.0,
        retry_max_delay: float = 900.0,
        max_duration: float | None = None,
        kill_after: float | None = None,
        min_duration: float | None = None,
        stop_grace: float = 25.0,
        overlap: str = "allow",
        pty: str = "auto",
        kill_leftovers: bool = False,
        survive: bool = False,
        strict: bool = False,
        redact: bool = True,
        secrets: Sequence[str] = (),
        log_max_size: int = 1 << 30,
        keep_s: float | None = 90 * 86400.0,
        keep_runs: int | None = 200,
        keep_bytes: int | None = 5 << 30,
        notebook: str = "",
        schedule: str = "",
        tells: bool = False,
        configured: bool = False,
        start: str = "",
        metrics: Sequence[str] = (),
    ) -> None:
        self.name, self.command, self.cwd, self.env, self.trigger = name, list(command), cwd, dict(env or {}), trigger
        self.retries, self.retry_delay, self.retry_max_delay = retries, retry_delay, retry_max_delay
        self.max_duration, self.kill_after, self.min_duration, self.stop_grace = max_duration, kill_after, min_duration, stop_grace
        self.overlap, self.pty, self.kill_leftovers, self.survive, self.strict = overlap, pty, kill_leftovers, survive, strict
        self.redact, self.secrets, self.log_max_size = redact, tuple(secrets), log_max_size
        self.keep_s, self.keep_runs, self.keep_bytes = keep_s, keep_runs, keep_bytes
        self.notebook, self.schedule, self.configured, self.start = notebook, schedule, configured, start
        self.tells, self.metrics = tells, tuple(metrics)
        self.remember: Callable[[Mapping[str, str]], None] | None = None

    @property
    def stop_at(self) -> float | None:
        """Seconds after its start at which the job is stopped, or None."""
        if self.max_duration is None or self.kill_after is None:
            return None
        return self.max_duration + self.kill_after

    def delay_before(self, attempt: int) -> float:
        """Seconds to wait before attempt number `attempt` (2 is the first retry): doubling, capped."""
        return min(self.retry_delay * 2.0 ** (attempt - 2), self.retry_max_delay)
