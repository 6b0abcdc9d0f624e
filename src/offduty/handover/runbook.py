"""The document a support team can work from at 3 a.m.: from what is known of a job to sections and blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from offduty.handover import document as doc
from offduty.handover.acceptance import Stands
from offduty.handover.document import Block, Document, Section
from offduty.handover.evidence import Team
from offduty.handover.readiness import Readiness
from offduty.handover.seams import DrillResult

NONE = "Nothing is known."


@dataclass(frozen=True)
class RowFacts:
    """A row of the triage table in words. `when`: its conditions, one each."""

    name: str
    title: str
    cause: str
    steps: tuple[str, ...]
    team: str
    severity: str
    when: tuple[str, ...]
    links: tuple[str, ...] = ()
    notes: str = ""
    last_seen: str = ""


@dataclass(frozen=True)
class DependencyFacts:
    """What the job relies on. `expects`: what is checked of it, in words."""

    name: str
    description: str
    team: str
    match: str
    expects: str


@dataclass(frozen=True)
class IncidentFacts:
    """One incident. `solved`: how it ended, in words; `notes`: what people wrote; `said`: the end of the log of its last run."""

    opened: str
    cause: str
    lasted: str
    failures: int
    solved: str
    what: str = ""
    notes: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True)
class Book:
    """All that the document says. `titles`, `contacts`: of teams. `due`: when, in words; `late`: what late means; `next_due`: moments.

    `drilled`: (drill, when). `accepted`: (how a row stands, when). `teams` with channels by name; `hours`: when each is there.
    """

    job: str
    made: str
    description: str = ""
    owner: str = ""
    command: str = ""
    folder: str = ""
    host: str = ""
    due: str = ""
    late: tuple[str, ...] = ()
    next_due: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    good_enough: tuple[str, ...] = ()
    conduct: tuple[str, ...] = ()
    logs: str = ""
    kept: str = ""
    usual: str = ""
    last_run: str = ""
    notes: str = ""
    teams: tuple[Team, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    hours: Mapping[str, str] = field(default_factory=dict)
    team_notes: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[RowFacts, ...] = ()
    dependencies: tuple[DependencyFacts, ...] = ()
    drilled: tuple[tuple[DrillResult, str], ...] = ()
    incidents: tuple[IncidentFacts, ...] = ()
    readiness: Readiness | None = None
    accepted: tuple[tuple[Stands, str], ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict)


def runbook(book: Book) -> Document:
    """The document."""
    ready = book.readiness
    made = book.made + (f" · {ready.level}, {ready.score} % ready" if ready else "")
    sections = (
        Section("first", "What to do now", tuple(_first(book))),
        Section("what", "What it does, and for whom", tuple(_what(book))),
        Section("when", "When it runs, and what late means", tuple(_when(book))),
        Section("hands", "See, stop, rerun and backfill it", tuple(_hands(book))),
        Section("log", "Where the log is, and how to read it", tuple(_log(book))),
        Section("rows", "What goes wrong, and whose it is", tuple(_rows(book))),
        Section("teams", "Whom to call", tuple(_teams(book))),
        Section("dependencies", "What it relies on", tuple(_dependencies(book))),
        Section("incidents", "The last incidents, and how they were solved", tuple(_incidents(book))),
        Section("quirks", "Known quirks", (_quirks(book.notes),)),
        Section("drills", "What was rehearsed", tuple(_drills(book))),
        Section("readiness", "What is still missing", tuple(_missing(book))),
        Section("accepted", "Who accepted it", tuple(_accepted(book))),
    )  # fmt: skip
    return Document(doc.line(f"Runbook: {book.job}"), doc.line(book.description), doc.line(made), sections)


def _named(book: Book, team: str) -> str:
    """How a team is called, with how it is reached."""
    if not team:
        return "nobody is named"
    title, contact = book.titles.get(team) or team, book.contact.get(team, "")
    return f"{title} · {contact}" if contact else title


def _first(book: Book) -> Iterator[Block]:
    yield doc.steps(
        [
            f"Read the end of the log: what went wrong, whose it is, what to do stand in its summary.\n`offduty log {book.job}`",
            f"Say that you are at it, so that nobody else is woken.\n`offduty incidents --job {book.job}`, then `offduty incidents ack ID`",
            "Find the row in “What goes wrong” below (the summary names it), and do its steps.",
            f"When the cause is gone: `offduty run {book.job}`",
            "Write down what helped, for the next one.\n`offduty incidents note ID \"…\"`",
        ]
    )  # fmt: skip
    yield doc.facts([("Nothing fits?", f"Call its owner: {_named(book, book.owner)}"), ("The last run", book.last_run)])


def _what(book: Book) -> Iterator[Block]:
    yield doc.text(book.description or "Nobody has written down what it is for (`description` of the job).")
    yield doc.facts(
        [
            ("Owner", _named(book, book.owner)),
            ("It runs", f"`{book.command}`" if book.command else ""),
            ("In", book.folder),
            ("On", book.host),
            ("It leaves", "\n".join(book.outputs)),
            ("Good enough is", "\n".join(book.good_enough)),
        ]
    )


def _when(book: Book) -> Iterator[Block]:
    yield doc.facts(
        [
            ("Due", book.due or "never by itself: somebody starts it"),
            ("Late means", "\n".join(book.late)),
            ("Next", "\n".join(book.next_due)),
            ("It usually takes", book.usual),
        ]
    )


def _hands(book: Book) -> Iterator[Block]:
    job = book.job
    rows = [
        ("see how it is", f"offduty status {job}"),
        ("see its runs", f"offduty runs {job}"),
        ("see what one printed", "offduty log RUN"),
        ("run it again", f"offduty run {job}"),
        ("stop it while it runs", f"kill $(offduty status {job} --json | jq '.jobs[0].last.pid')"),
        ("keep it quiet for a while", f'offduty silence {job} --for 2h --reason "…"'),
        ("take it off its schedule", f"offduty schedule remove {job}"),
        ("put it back", f"offduty schedule install {job}"),
    ]
    yield doc.grid(("to", "type"), [(what, f"`{command}`") for what, command in rows])
    yield doc.facts([("In the folder", book.folder), ("While it runs", "\n".join(book.conduct))])
    yield doc.text(
        "Backfill: a run that was missed is not made up for by itself. Running it again does today's work; whether it can do the work of "
        "another day, and how, stands in “Known quirks”, or nobody has written it down: then ask its owner."
    )


def _log(book: Book) -> Iterator[Block]:
    yield doc.facts([("Logs", book.logs), ("Kept", book.kept)])
    yield doc.text(
        "A line begins with the time (UTC) and a mark: | is what the job printed, ! what it printed as errors, * is offduty's own."
    )
    yield doc.grid(
        ("in the summary", "says"),
        [
            ("outcome", "how it ended, after how long, in which attempt"),
            ("what", "the error, and the line of code"),
            ("because", "what the evidence says, if it says anything"),
            ("triage", "the row of the table that explains it, and the team"),
            ("do", "its first steps"),
            ("where", "after which file, query or call it broke off"),
            ("changed", "what is another than in the last good run"),
            ("told", "who was told, by which channel"),
        ],
    )


def _rows(book: Book) -> Iterator[Block]:
    if not book.rows:
        yield doc.text("There is no triage table yet; the built-in catalogue explains failures until then.")
        return
    yield doc.text("The first row of which all conditions hold explains a failure.")
    yield doc.grid(
        ("row", "what", "severity", "team"),
        [(r.name, r.title or r.cause, r.severity, book.titles.get(r.team) or r.team) for r in book.rows],
    )
    for number, row in enumerate(book.rows, 1):
        yield doc.card(f"row-{number}", f"{row.name} {row.title}", row.severity, _row(book, row))


def _row(book: Book, row: RowFacts) -> Iterator[Block]:
    if row.cause and row.cause != row.title:
        yield doc.text(row.cause)
    if row.steps:
        yield doc.steps(row.steps)
    yield doc.facts(
        [("Whose", _named(book, row.team)), ("Seen when", "\n".join(row.when)), ("Last seen", row.last_seen), ("Notes", row.notes)]
    )
    if row.links:
        yield doc.links(row.links)


def _teams(book: Book) -> Iterator[Block]:
    rows = [
        (book.titles.get(t.name) or t.name, t.contact or "no contact", book.hours.get(t.name, ""), ", ".join(t.channels) or "none",
         book.team_notes.get(t.name, ""))
        for t in book.teams
    ]  # fmt: skip
    yield _grid_or_none(("team", "contact", "there", "is told by", "notes"), rows)


def _dependencies(book: Book) -> Iterator[Block]:
    rows = [(d.name, d.description, _named(book, d.team), d.match, d.expects) for d in book.dependencies]
    yield _grid_or_none(("what", "is", "run by", "seen as", "expected of it"), rows)


def _incidents(book: Book) -> Iterator[Block]:
    if not book.incidents:
        yield doc.text("There were none.")
    for number, one in enumerate(book.incidents, 1):
        often = "once" if one.failures == 1 else f"{one.failures} times"
        blocks = [doc.facts([("What", one.what), ("Failed", often), ("Lasted", one.lasted), ("Solved", one.solved)])]
        blocks += [doc.notes(note) for note in one.notes]
        blocks += [doc.code(one.said)] if one.said else []
        yield doc.card(f"incident-{number}", f"{one.opened}: {one.cause}", "", blocks)


def _quirks(notes: str) -> Block:
    return doc.notes(notes) if notes.strip() else doc.text("None are written down (`notes` of the job).")


def _drills(book: Book) -> Iterator[Block]:
    rows = [(d.row, d.fault, "as promised" if d.passed else "NOT as promised", when, d.said, d.seen) for d, when in book.drilled]
    if not rows:
        yield doc.text("Nothing was rehearsed yet.")
    else:
        yield _grid_or_none(("row", "what was broken", "result", "when", "what happened", "message seen by"), rows)


def _missing(book: Book) -> Iterator[Block]:
    items = [item for item in book.readiness.items if item.state != "met"] if book.readiness else []
    if book.readiness is None:
        yield doc.text(NONE)
    elif not items:
        yield doc.text("Nothing: every item of readiness is met.")
    else:
        yield doc.grid(("item", "what", "evidence", "earned by"), [(i.code, i.title, i.evidence, i.command) for i in items])


def _accepted(book: Book) -> Iterator[Block]:
    words = {
        "accepted": "accepted",
        "refused": "REFUSED",
        "changed": "changed since it was accepted",
        "open": "not accepted yet",
        "nobody": "no team is named",
    }
    rows = [
        (one.ours.row or "the job itself", book.titles.get(one.ours.team) or one.ours.team, words[one.standing],
         one.last.by if one.last else "", when, one.last.reason if one.last else "")
        for one, when in book.accepted
    ]  # fmt: skip
    yield _grid_or_none(("row", "team", "stands", "by", "when", "reason"), rows)


def _grid_or_none(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Block:
    """Columns of which nobody has filled in anything are left out."""
    rows = list(rows)
    told = [place for place in range(len(headers)) if any(str(row[place]) for row in rows)]
    return doc.grid([headers[place] for place in told], [[row[place] for place in told] for row in rows]) if rows else doc.text(NONE)
