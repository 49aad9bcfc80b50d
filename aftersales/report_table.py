"""A report as one table for spreadsheets: a figure of a group in a period on each line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from aftersales.figures import Cause, Figures, LetterFigures, LossRate, Mean, Part, Report, Returned, VariantFigures
from aftersales.variants import BASE

_HEAD = ("figure", "group", "name", "period", "value", "unit", "count", "of", "low", "high")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""A spreadsheet may take a cell that begins with one of these for a formula, and carry it out."""
_DIGITS = 6


class _Row(NamedTuple):
    """A line of the table but for its period; None is an empty cell."""

    figure: str
    group: str
    name: str
    value: float | Decimal | None
    unit: str
    counted: int | None = None
    of: int | None = None
    low: float | None = None
    high: float | None = None


def as_csv(report: Report) -> str:
    """The figures of all periods, and the rates over time, as CSV (RFC 4180, lines end with CR LF).

    Shares and rates are fractions, times seconds. `count` and `of` are what a share is of; of a rate returns, and lines
    shipped; of a mean `count` values. `low` and `high` bound a share or a mean with 95 % certainty.
    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    written = StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(_HEAD)
    periods = (report.figures, report.before, report.year_ago)
    # The period before a year is the same a year ago.
    for period, figures in {figures.period.name: figures for figures in periods if figures}.items():
        for row in _figures(figures, report.currency):
            table.writerow(_cells(row, period))
    for series in report.series:
        group = "category" if series.name else "all"
        for point in series.points:
            for row in _rate("over_time", group, series.name, point.rate, report.currency):
                table.writerow(_cells(row, point.start.isoformat()))
    return written.getvalue()


def _figures(figures: Figures, currency: str) -> Iterator[_Row]:
    for figure, number in (("opened", figures.opened), ("closed", figures.closed), ("still_open", figures.still_open)):
        yield _Row(figure, "all", "", number, "cases")
    yield from _returned("all", figures.returns, currency)
    yield from _rate("after_sales", "all", "", figures.after_sales, currency)
    for group, rows in (
        ("shop", figures.by_shop),
        ("category", figures.by_category),
        ("sku", figures.by_sku),
        ("lane", figures.by_lane),
    ):
        for returned in rows:
            yield from _returned(group, returned, currency)
    yield _mean("first_response", "all", "", figures.first_response, "seconds")
    yield _mean("response", "all", "", figures.response, "seconds")
    yield _part("replied", "all", "", figures.replied)
    yield _mean("refund_speed", "all", "", figures.refund_speed, "seconds")
    yield _part("reminded", "all", "", figures.reminded)
    yield _part("complaints", "all", "", figures.complaints)
    yield _part("satisfied", "all", "", figures.satisfied)
    for cause in figures.causes:
        yield from _cause(cause, currency)
    for letter in figures.letters:
        yield from _letter(letter)
    for variant in figures.variants:
        yield from _variant(variant, currency)
    for money in figures.unconverted:
        yield _Row("unconverted_loss", "currency", money.currency, money.loss, money.currency)
        yield _Row("unconverted_cost", "currency", money.currency, money.cost, money.currency)


def _returned(group: str, returned: Returned, currency: str) -> Iterator[_Row]:
    yield from _rate("return", group, returned.name, returned.total, currency)
    yield from _rate("non_quality_return", group, returned.name, returned.non_quality, currency)


def _rate(figure: str, group: str, name: str, rate: LossRate, currency: str) -> Iterator[_Row]:
    yield _Row(f"{figure}_rate", group, name, rate.rate, "share", rate.returns, rate.shipped)
    yield _Row(f"{figure}_loss", group, name, rate.loss, currency)
    yield _Row(f"{figure}_cost", group, name, rate.cost, currency)


def _cause(cause: Cause, currency: str) -> Iterator[_Row]:
    yield _Row("cause_cases", "cause", cause.cause, cause.cases, "cases")
    yield _Row("cause_loss", "cause", cause.cause, cause.loss, currency)
    for group, behind in (("sku", cause.skus), ("carrier", cause.carriers), ("lane", cause.lanes)):
        for name, cases, loss in behind:
            yield _Row(f"{cause.cause}_cases", group, name, cases, "cases")
            yield _Row(f"{cause.cause}_loss", group, name, loss, currency)


def _letter(letter: LetterFigures) -> Iterator[_Row]:
    name = " / ".join((letter.process, letter.letter, letter.language, letter.variant or BASE))
    yield _Row("sent", "letter", name, letter.sent, "letters")
    yield from _results("letter", name, letter)


def _variant(variant: VariantFigures, currency: str) -> Iterator[_Row]:
    name = f"{variant.letter} / {variant.variant or BASE}"
    yield _Row("sent", "variant", name, variant.sent, "letters")
    yield from _results("variant", name, variant)
    yield _mean("loss", "variant", name, variant.loss, currency)
    yield _mean("answer_time", "variant", name, variant.answer_time, "seconds")
    yield _Row("stopped", "variant", name, int(variant.stopped_at is not None), "")


def _results(group: str, name: str, figures: LetterFigures | VariantFigures) -> Iterator[_Row]:
    yield _part("answered", group, name, figures.answered)
    yield _part("accepted", group, name, figures.accepted)
    yield _part("abandoned", group, name, figures.abandoned)
    yield _part("claims", group, name, figures.claims)


def _part(figure: str, group: str, name: str, part: Part) -> _Row:
    return _Row(figure, group, name, part.share, "share", part.count, part.of, part.low, part.high)


def _mean(figure: str, group: str, name: str, mean: Mean, unit: str) -> _Row:
    return _Row(figure, group, name, mean.value, unit, mean.count, None, mean.low, mean.high)


def _cells(row: _Row, period: str) -> Iterable[str]:
    texts = [_text(row.figure), _text(row.group), _text(row.name), _text(period)]
    rest = [_number(value) for value in (row.counted, row.of, row.low, row.high)]
    return [*texts, _number(row.value), _text(row.unit), *rest]


def _text(text: str) -> str:
    # An apostrophe of its own gets another one, so that nobody takes it for ours.
    return f"'{text}" if text.lstrip(" ").startswith((*_FORMULA, "'")) else text


def _number(value: float | Decimal | None) -> str:
    """A number as it is; a fraction to six digits, which databases agree on; nothing for None."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case int():
            return str(value)
        case _:
            return f"{round(value, _DIGITS) + 0.0:.{_DIGITS}f}"
