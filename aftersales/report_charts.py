"""The charts of a report as inline SVG: rates over time, bars, and dots with their intervals.

Each is as wide as its place and says in its `title` and `desc` what it shows. Colours come from the page's style.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH = 320
"""The units in which charts are drawn, about the pixels of a small telephone."""
_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 46, 50, 10, 22, 150
_ROW, _EDGE = 38, 6
_SIGN = 6.2
"""About how wide a letter is."""
_SOME_LABELS = 4


class Scale(NamedTuple):
    """What a chart of rates reaches from and to; charts that are compared have the same one."""

    low: float
    high: float

    @classmethod
    def over(cls, rates: Iterable[float], limits: Sequence[float]) -> Scale:
        """A scale on which all limits lie, and nine of ten rates: the others would flatten everything else."""
        seen = sorted(rates) or [0.0]
        most, tenth = max([*limits, 0.01]), len(seen) // 10
        high = max(most * 1.1, min(seen[-1] * 1.1, seen[-1 - tenth] * 1.3))
        return cls(min(0.0, max(seen[0] * 1.1, seen[tenth] * 1.3, -high)), high)


class Dot(NamedTuple):
    """A rate at one step of time; None where there is none. `firm` where enough was seen, else it is drawn hollow."""

    label: str
    rate: float | None
    said: str
    firm: bool


class Line(NamedTuple):
    """One small chart: rates over time, with the limit that counts for them."""

    id: str
    title: str
    dots: Sequence[Dot]
    limit: float
    limit_said: str


class Row(NamedTuple):
    """A row of bars or of dots with intervals: a bar reaches from 0 to `value`, an interval from `low` to `high`."""

    label: str
    said: str
    value: float | None
    low: float | None = None
    high: float | None = None


def over_time(line: Line, scale: Scale) -> Markup:
    """Rates over time as dots, the firm ones joined, with a dashed line at the limit."""
    steps = max(len(line.dots) - 1, 1)
    across = (WIDTH - _LEFT - _RIGHT) / steps

    def x(step: int) -> float:
        return round(_LEFT + across * (step if len(line.dots) > 1 else 0.5), 1)

    def y(rate: float) -> float:
        within = min(max(rate, scale.low), scale.high)
        return round(_TOP + (scale.high - within) / (scale.high - scale.low) * (_HEIGHT - _TOP - _BOTTOM), 1)

    drawn = [_rule(y(0.0), "axis"), _text(_LEFT - 6, y(0.0) + 4, "0", "end")]
    drawn += [_rule(y(line.limit), "limit"), _text(_LEFT - 6, y(line.limit) + 4, line.limit_said, "end", "limit-text")]
    for run in _runs(line.dots):
        points = " ".join(f"{x(step)},{y(rate)}" for step, rate in run)
        drawn.append(Markup('<polyline class="line" points="{}"/>').format(points))
    for step, dot in enumerate(line.dots):
        if dot.rate is not None:
            clipped = not scale.low <= dot.rate <= scale.high
            drawn.append(_dot(x(step), y(dot.rate), dot, clipped=clipped))
            if dot.firm and (clipped or step == len(line.dots) - 1):
                drawn.append(_text(x(step) + 7, y(dot.rate) + 4, dot.said, "start", "value"))
    for step in _labelled(len(line.dots)):
        drawn.append(_text(x(step), _HEIGHT - 6, line.dots[step].label, "middle"))
    told = "; ".join(f"{dot.label}: {dot.said}" for dot in line.dots) or "no data"
    return _svg(line.id, line.title, f"Limit {line.limit_said}. {told}", _HEIGHT, drawn)


def bars(chart_id: str, title: str, rows: Sequence[Row]) -> Markup:
    """Bars from 0, each with its label and value in words above it."""
    across = _Across.over(row.value for row in rows)
    drawn = []
    for number, row in enumerate(rows):
        if row.value is not None:
            left, right = sorted((across.x(0.0), across.x(row.value)))
            drawn.append(
                Markup('<rect class="bar" x="{}" y="{}" width="{}" height="9"/>').format(
                    left, number * _ROW + 20, round(right - left, 1)
                )
            )
    return _rows(chart_id, title, rows, drawn)


def whiskers(chart_id: str, title: str, rows: Sequence[Row]) -> Markup:
    """Dots with their intervals on one scale, each with its label and value in words above it."""
    across = _Across.over(end for row in rows for end in (row.value, row.low, row.high))
    drawn = []
    for number, row in enumerate(rows):
        y = number * _ROW + 25
        if row.low is not None and row.high is not None:
            left, right = across.x(row.low), across.x(row.high)
            path = f"M{left},{y}H{right}M{left},{y - 4}V{y + 4}M{right},{y - 4}V{y + 4}"
            drawn.append(Markup('<path class="whisker" d="{}"/>').format(path))
        if row.value is not None:
            drawn.append(Markup('<circle class="firm" cx="{}" cy="{}" r="4"/>').format(across.x(row.value), y))
    return _rows(chart_id, title, rows, drawn)


class _Across(NamedTuple):
    """Where values lie from left to right; 0 is always there."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float | None]) -> _Across:
        known = [value for value in values if value is not None]
        return cls(min([*known, 0.0]), max([*known, 0.0]))

    def x(self, value: float) -> float:
        reach = (self.high - self.low) or 1.0
        return round(_EDGE + (value - self.low) / reach * (WIDTH - 2 * _EDGE), 1)


def _rows(chart_id: str, title: str, rows: Sequence[Row], drawn: list[Markup]) -> Markup:
    words = []
    for number, row in enumerate(rows):
        room = max(int((WIDTH - 2 * _EDGE) / _SIGN) - len(row.said) - 2, 2)
        label = row.label if len(row.label) <= room else f"{row.label[: room - 1]}…"
        words.append(_text(_EDGE, number * _ROW + 14, label, "start", "label"))
        words.append(_text(WIDTH - _EDGE, number * _ROW + 14, row.said, "end", "value"))
    told = "; ".join(f"{row.label}: {row.said}" for row in rows)
    return _svg(chart_id, title, told, len(rows) * _ROW, [*words, *drawn])


def _svg(chart_id: str, title: str, told: str, height: int, drawn: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg role="img" viewBox="0 0 {width} {height}" aria-labelledby="{id}-title {id}-desc">'
        '<title id="{id}-title">{title}</title><desc id="{id}-desc">{told}</desc>{drawn}</svg>'
    ).format(width=WIDTH, height=height, id=chart_id, title=title, told=told, drawn=Markup("").join(drawn))


def _text(x: float, y: float, text: str, anchor: str, look: str = "") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>').format(
        x, round(y, 1), anchor, look, text
    )


def _rule(y: float, look: str) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(look, _LEFT, WIDTH - _RIGHT, y=y)


def _dot(x: float, y: float, dot: Dot, *, clipped: bool) -> Markup:
    """A dot that tells its value when pointed at; a triangle where it lies beyond the scale."""
    look = "firm" if dot.firm else "hollow"
    told = Markup("<title>{}: {}</title>").format(dot.label, dot.said)
    if clipped:
        tip = y - 6 if y < _HEIGHT / 2 else y + 6
        return Markup('<path class="{}" d="M{},{y}H{}L{},{}Z">{}</path>').format(
            look, round(x - 4, 1), round(x + 4, 1), x, round(tip, 1), told, y=y
        )
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}">{}</circle>').format(
        look, x, y, 3 if dot.firm else 2.5, told
    )


def _runs(dots: Sequence[Dot]) -> list[list[tuple[int, float]]]:
    """Firm dots that follow each other, by their steps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for step, dot in enumerate(dots):
        if dot.rate is not None and dot.firm:
            runs[-1].append((step, dot.rate))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _labelled(steps: int) -> list[int]:
    """The steps whose labels fit: evenly spread, the last one among them."""
    apart = max(-(-(steps - 1) // (_SOME_LABELS - 1)), 1)
    return list(range(steps - 1, -1, -apart))[::-1]
