"""Small SVG pictures, written by hand: a metric by version with its intervals, hours by month, a calendar of good and bad days."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from offduty.handover.value.judge import Gains, figure
from offduty.handover.value.spread import quantile

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 240, 64, 44, 18, 12
LONGEST_TITLE = 80
MOST = 40
"""Versions or months that a picture shows: the newest."""
INK, DIM, LINE, GOOD, BAD = "#0969a8", "#6b7683", "#c9d1d9", "#2da44e", "#cf222e"
DAY = 86_400
Axis = Callable[[float], float]


def metric_by_version(gains: Gains) -> str:
    """The mean of each version with the interval that holds it 95 times of 100, and the target."""
    shown = gains.stretches[-MOST:]
    freedom = max(sum(one.moments.n - 1 for one in gains.stretches), 1)
    reach = [quantile(0.975, freedom) * gains.noise / math.sqrt(one.moments.n) if gains.noise else 0.0 for one in shown]
    means = [one.moments.mean for one in shown]
    bound = [gains.target.bound] if gains.target else []
    low = min([mean - r for mean, r in zip(means, reach, strict=True)] + bound, default=0.0)
    high = max([mean + r for mean, r in zip(means, reach, strict=True)] + bound, default=1.0)
    ticks = round_values(low, high)
    y = _axis(min(low, ticks[0]), max(high, ticks[-1]))
    xs = _places(len(shown))
    parts = [*_grid(ticks, y)]
    if gains.target:
        at = y(gains.target.bound)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GOOD}" stroke-dasharray="5 4"/>')
        parts.append(_text(WIDTH - RIGHT, at - 4, f"good enough {gains.target.sign} {figure(gains.target.bound)}", GOOD, "end"))
    points = " ".join(f"{x:.1f},{y(mean):.1f}" for x, mean in zip(xs, means, strict=True))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1.2" opacity=".5"/>')
    for x, one, r in zip(xs, shown, reach, strict=True):
        mean = one.moments.mean
        title = escape(_printable(f"{one.label or 'unknown version'}: {figure(mean)}, {one.moments.n} runs"))
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y(mean - r):.1f}" y2="{y(mean + r):.1f}" stroke="{INK}" stroke-width="1.6"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y(mean):.1f}" r="3.6" fill="{INK}"><title>{title}</title></circle>')
    parts += _labels(xs, [one.label or "?" for one in shown])
    name = f"{gains.name}{f' ({gains.unit})' if gains.unit else ''} by version of the code"
    return _picture(name, parts)


def hours_by_month(months: Mapping[str, float]) -> str:
    """A bar for each month."""
    shown = list(months.items())[-MOST:]
    ticks = round_values(0.0, max([hours for _, hours in shown], default=0.0) or 1.0)
    y = _axis(0.0, ticks[-1])
    xs = _places(len(shown))
    wide = min(36.0, (WIDTH - LEFT - RIGHT) / max(len(shown), 1) * 0.7)
    parts = [*_grid(ticks, y)]
    for x, (month, hours) in zip(xs, shown, strict=True):
        top = y(hours)
        tall = max(HEIGHT - BOTTOM - top, 0.0)
        parts.append(f'<rect x="{x - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}" rx="2" fill="{INK}">')
        parts.append(f"<title>{month}: {hours:.1f} h</title></rect>")
    parts += _labels(xs, [month for month, _ in shown])
    return _picture("Hours of people by month", parts)


def calendar(days: Mapping[int, tuple[int, int]], now: float) -> str:
    """A square for each day of the last half year: green where all runs were good, red where one was not, empty where there was none."""
    today = int(now // DAY)
    first = today - 181
    first -= (first + 3) % 7  # 1970 began with a Thursday: weeks begin on Monday
    size, parts = 17, list[str]()
    for day in range(first, today + 1):
        week, weekday = divmod(day - first, 7)
        moment = time.gmtime(day * DAY)
        if weekday == 0 and moment.tm_mday <= 7:
            parts.append(_text(LEFT + week * (size + 4), TOP + 30 + 7 * (size + 4), time.strftime("%b", moment), DIM, "start"))
        good, bad = days.get(day, (0, 0))
        colour = BAD if bad else GOOD if good else LINE
        date = time.strftime("%d %b %Y", moment)
        x, y = LEFT + week * (size + 4), TOP + 12 + weekday * (size + 4)
        said = f"{date}: {good} good, {bad} bad" if good or bad else f"{date}: no run"
        faint = "" if good or bad else ' opacity=".35"'
        parts.append(f'<rect x="{x}" y="{y}" width="{size}" height="{size}" rx="3" fill="{colour}"{faint}><title>{said}</title></rect>')
        if bad:
            parts.append(f'<path d="M{x + 5} {y + 5}l7 7m0 -7l-7 7" stroke="#fff" stroke-width="1.6"/>')
    for weekday, name in ((0, "Mon"), (3, "Thu"), (6, "Sun")):
        parts.append(_text(LEFT - 8, TOP + 25 + weekday * (size + 4), name, DIM, "end"))
    return _picture("Days with good runs (green) and with a bad one (red, crossed)", parts, TOP + 7 * (size + 4) + 42)


def stacked(pictures: Sequence[str]) -> str:
    """All of them in one, below one another."""
    heights = [int(picture.partition(f'viewBox="0 0 {WIDTH} ')[2].partition('"')[0]) for picture in pictures]
    tops = [sum(heights[:place]) for place in range(len(heights))]
    inside = [
        picture.replace("<svg ", f'<svg y="{top}" width="{WIDTH}" height="{tall}" ', 1)
        for picture, top, tall in zip(pictures, tops, heights, strict=True)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {sum(heights)}" width="{WIDTH}" height="{sum(heights)}">'
    return "\n".join([head, *inside]) + "</svg>\n"


def round_values(low: float, high: float) -> list[float]:
    """Three to six values from below `low` to above `high` that people would count in."""
    span = max(high - low or abs(high) or 1.0, 1e-9 * abs(high), 1e-300)  # not less than numbers can tell apart
    size = 10.0 ** math.floor(math.log10(span / 4))
    step = next(size * times for times in (1.0, 2.0, 2.5, 5.0, 10.0) if size * times >= span / 4 * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, max(last, first + 1) + 1)]


def _axis(low: float, high: float) -> Axis:
    """Where a value stands, in units of the picture."""

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - TOP - 20)

    return y


def _places(count: int) -> list[float]:
    step = (WIDTH - LEFT - RIGHT) / max(count, 1)
    return [LEFT + step * (place + 0.5) for place in range(count)]


def _grid(values: Sequence[float], y: Axis) -> Iterator[str]:
    """A line at each."""
    for value in values:
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{LINE}" stroke-width=".7"/>'
        yield _text(LEFT - 8, y(value) + 4, figure(value), DIM, "end")


def _labels(xs: Sequence[float], names: Sequence[str]) -> Iterator[str]:
    """As many as there is room for."""
    every = max(1, math.ceil(len(names) / 11))
    for place, (x, name) in enumerate(zip(xs, names, strict=True)):
        if place % every == 0:
            yield _text(x, HEIGHT - BOTTOM + 18, name[:9], DIM, "middle")


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="11" text-anchor="{anchor}">{escape(_printable(text))}</text>'


def _picture(name: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    label = escape(_printable(name), {'"': "&quot;"})
    title = name if len(name) <= LONGEST_TITLE else f"{name[:LONGEST_TITLE]}…"
    heading = f'<text x="{LEFT}" y="{TOP - 4}" fill="{DIM}" font-size="12.5" font-weight="600">{escape(_printable(title))}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}" '
    return head + 'font-family="Noto Sans,DejaVu Sans,Verdana,sans-serif">' + "".join([heading, *parts]) + "</svg>\n"


def _printable(text: str) -> str:
    """XML has no control characters, not even escaped ones."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
