"""The report on a job's value as a document, with pictures."""

from __future__ import annotations

from offduty.durations import spoken
from offduty.handover import document as doc
from offduty.handover.document import Block, Document, Section
from offduty.handover.request import Request, ranked
from offduty.handover.value.judge import Gains, figure, signed
from offduty.handover.value.pictures import calendar, hours_by_month, metric_by_version
from offduty.handover.value.report import Money, Report

MOST_CHANGES = 50
GAIN = "The newest first. A gain over 0 is better than the version before; 95 of 100 times it lies between the last two."
NOT_JUDGED = " Nobody has said whether less or more of this is better: less is taken for better here, and nothing follows from it."


def page(found: Report, requests: list[Request], now: float, made: str) -> Document:
    """The document."""
    sections = [
        Section("verdict", "What to do", tuple(_verdict(found))),
        *(Section(f"metric-{n}", doc.line(f"Metric {one.name}"), tuple(_metric(one))) for n, one in enumerate(found.gains, 1)),
        Section("effort", "What people spent on it", tuple(_effort(found))),
        Section("runs", "How it ran", (doc.picture(calendar(found.days, now)), doc.text(_ran(found)))),
        Section("requests", "What is asked for", (_requests(requests),)),
    ]
    return Document(doc.line(f"Value: {found.job}"), doc.line(found.verdict.headline), made, tuple(sections))


def _verdict(found: Report) -> list[Block]:
    blocks = [doc.text(found.verdict.headline[:1].upper() + found.verdict.headline[1:] + ".")]
    blocks += [doc.points(found.verdict.reasons)] if found.verdict.reasons else []
    return blocks + ([_money(found.money)] if found.money else [])


def _money(money: Money) -> Block:
    said = money.as_json()
    labels = {"runs": "Good runs are worth", "better": "The better metric is worth", "spent": "Work cost", "balance": "Balance"}
    return doc.facts((label, f"{said[key]:,.0f} {money.currency}".strip()) for key, label in labels.items() if said[key] is not None)


def _metric(one: Gains) -> list[Block]:
    rows = [
        (it.label or "?", str(it.runs), figure(it.mean), signed(it.gain.value), signed(it.gain.low), signed(it.gain.high))
        for it in reversed(one.changes[-MOST_CHANGES:])
    ]
    pictures = [doc.picture(metric_by_version(one))] if one.stretches else []
    if one.stretches and len(one.changes) <= MOST_CHANGES:
        first = one.stretches[0]
        rows.append((first.label or "?", str(first.moments.n), figure(first.moments.mean), "", "", ""))
    if not one.changes:
        return [*pictures, doc.text("There was no change of the code.")]
    return [
        *pictures,
        doc.text(GAIN if one.counts else GAIN + NOT_JUDGED),
        doc.grid(("version", "runs", "mean", "gain", "at least", "at most"), rows),
    ]


def _ran(found: Report) -> str:
    if not found.runs:
        return "It has not run yet."
    return f"{found.good} of {found.runs} runs were good; {found.streak} in a row by now, {found.longest} at most."


def _effort(found: Report) -> list[Block]:
    effort = found.effort
    apart = spoken(effort.apart_s) if effort.apart_s is not None else ""
    facts = doc.facts(
        [
            ("Hours", f"{effort.hours:.1f}: {effort.said_hours:.1f} said by somebody, the rest estimated" if effort.events else "none"),
            ("In 90 days", f"{effort.recent_hours:.1f} h" if effort.events else ""),
            ("Between touches", f"{apart} on average" if apart else ""),
            ("Incidents", "\n".join(f"{row}: {hours:.1f} h" for row, hours in effort.by_row.items())),
        ]
    )
    pictures = [doc.picture(hours_by_month(effort.months))] if effort.months else []
    return [*pictures, facts]


def _requests(requests: list[Request]) -> Block:
    rows = [
        (one.number, one.text, one.state, one.value, one.urgency, f"{one.hours:g}", f"{one.weight:g}", one.served_by, one.asked_by)
        for one in ranked(requests)
    ]
    headers = ("no", "what", "state", "value", "urgency", "hours", "worth", "better served by", "asked by")
    return doc.grid(headers, rows) if rows else doc.text("Nothing: offduty request add records what customers ask for.")


def pictures_of(found: Report, now: float) -> dict[str, str]:
    """All pictures of the report, as SVG, by name."""
    pictures = {f"metric-{number}": metric_by_version(one) for number, one in enumerate(found.gains, 1) if one.stretches}
    return {**pictures, "hours": hours_by_month(found.effort.months), "calendar": calendar(found.days, now)}
