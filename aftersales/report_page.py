"""A report as one page for a manager: everything in one file, nothing loaded from elsewhere, no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from aftersales.figures import Figures, Mean, Part, Report, Warned
from aftersales.report_charts import Row, bars
from aftersales.report_groups import Groups, Other
from aftersales.report_letters import letters_shown, variants_shown
from aftersales.report_words import EMPTY, LEAST_OF, Said, Words, count, limit, line, many, name, percent

_FOLDER = Path(__file__).parent
_PAGE, _STYLE = "report_page.html", "report_page.css"
_ALL_SHOPS = "all shops"
_CAUSES = {"product": "Product", "logistics": "Logistics", "service": "Service", "customer": "Customer"}
_CONTENTS = {
    "headline": "At a glance",
    "time": "Over time",
    "where": "Where it costs most",
    "service": "Service",
    "causes": "Causes",
    "letters": "Letters",
    "variants": "Variants",
    "unconverted": "Not converted",
    "methods": "How it is computed",
}
_MEASURES: tuple[tuple[str, str, Callable[[Figures], Mean | Part]], ...] = (
    ("First response", "no first message was answered", lambda figures: figures.first_response),
    ("Response", "no message was answered", lambda figures: figures.response),
    ("Reply rate, in time", "no messages", lambda figures: figures.replied),
    ("Refund speed, of refunds accepted in the period", "no refunds", lambda figures: figures.refund_speed),
    ("Reminder conversion", "no reminders", lambda figures: figures.reminded),
    ("Complaints opened in the period and closed by its end", "no complaints", lambda figures: figures.complaints),
    ("Satisfaction", "nobody asked, or no answer known", lambda figures: figures.satisfied),
)


class _Measure(NamedTuple):
    """A figure of service in this period and in the others."""

    title: str
    now: Said
    others: Sequence[Other]


class _Number(NamedTuple):
    """A number of cases in this period and in the others."""

    title: str
    number: int
    note: str
    others: Sequence[tuple[str, int | None]]


class _CauseRow(NamedTuple):
    """A cause and what is behind it."""

    title: str
    cases: Said
    loss: object
    others: Sequence[int | None]
    behind: Sequence[tuple[tuple[str, int, object], ...]]


def as_html(report: Report) -> str:
    """The report as one page of HTML; the same report gives the same page.

    Raises ZoneInfoNotFoundError for a time zone that does not exist.
    """
    words = Words(report)
    others = _others(report, words)
    groups = Groups(report, words, others)
    now, period = report.figures, words.period(report.figures.period)
    charts, more_charts = groups.charts()
    letters, more_letters = letters_shown(now.letters)
    page = _environment().get_template(_PAGE)
    return page.render(
        css=Markup(_style()),
        least_of=LEAST_OF,
        report=report,
        words=words,
        now=now,
        period=period,
        shop=name(report.shop) if report.shop else _ALL_SHOPS,
        contents=[(id, title) for id, title in _CONTENTS.items() if id != "unconverted" or now.unconverted],
        lead=groups.lead(period),
        warnings=[_warning(warned, words, alone=bool(report.shop)) for warned in report.warnings],
        headline=groups.headline(),
        cases=_numbers(now, others),
        charts=charts,
        more_charts=more_charts,
        groups=groups.tables(),
        others=list(others),
        measures=_measures(now, words, others),
        causes=_causes(now, words, others),
        cause_cases=bars(
            "cause-cases",
            "Cases by cause",
            [Row(_CAUSES[one.cause], count(one.cases), one.cases) for one in now.causes],
        ),
        cause_losses=bars(
            "cause-losses",
            "Loss by cause",
            [Row(_CAUSES[one.cause], words.money(one.loss), float(one.loss)) for one in now.causes],
        ),
        letters=letters,
        more_letters=more_letters,
        variants=list(variants_shown(now.variants, words)),
    )


def _others(report: Report, words: Words) -> Mapping[str, Figures | None]:
    """The figures of the other periods by their titles; none where nothing happened in either."""
    before, ago = report.before, report.year_ago
    if not before and not ago:
        return {}
    return {
        words.period(before.period) if before else "the period before": before,
        words.period(ago.period) if ago else "the same a year ago": ago,
    }


def _warning(warned: Warned, words: Words, *, alone: bool) -> str:
    subject = name(warned.subject) if warned.subject else "goods of a category that is not known"
    where = "" if alone or not warned.shop else f", shop {name(warned.shop)}"
    seen, most, since = percent(warned.rate), limit(warned.limit), words.day(warned.since)
    if warned.kind == "claims":
        return (
            f"Claims after {subject}{where}: {count(warned.count)} of {count(warned.of)} letters ({seen}), "
            f"certainly more than the {most} that are allowed. The variant is stopped for new cases since {since}."
        )
    what = "Return rate" if warned.kind == "return_rate" else "Return rate without quality causes"
    return (
        f"{what} of {subject}{where}: {seen}, with a limit of {most}; {count(warned.count)} returns beside "
        f"{count(warned.of)} lines shipped. Over the limit since {since}."
    )


def _numbers(now: Figures, others: Mapping[str, Figures | None]) -> list[_Number]:
    numbers: tuple[tuple[str, str, Callable[[Figures], int]], ...] = (
        ("Cases opened", "", lambda figures: figures.opened),
        ("Cases closed", "", lambda figures: figures.closed),
        (
            "Still open",
            "nothing of these is in the figures yet" if now.still_open else "",
            lambda figures: figures.still_open,
        ),
    )
    return [
        _Number(title, of(now), note, [(period, of(then) if then else None) for period, then in others.items()])
        for title, note, of in numbers
    ]


def _measures(now: Figures, words: Words, others: Mapping[str, Figures | None]) -> list[_Measure]:
    return [
        _Measure(
            title,
            words.of(of(now), nothing),
            [
                Other(period, words.of(of(then), nothing), words.change(of(now), of(then)))
                if then
                else Other(period, Said("–", EMPTY), "")
                for period, then in others.items()
            ],
        )
        for title, nothing, of in _MEASURES
    ]


def _causes(now: Figures, words: Words, others: Mapping[str, Figures | None]) -> list[_CauseRow]:
    all_cases = sum(cause.cases for cause in now.causes)
    cases = [{cause.cause: cause.cases for cause in figures.causes} if figures else None for figures in others.values()]
    return [
        _CauseRow(
            _CAUSES[cause.cause],
            words.part(Part(count=cause.cases, of=all_cases)),
            cause.loss,
            [None if then is None else then.get(cause.cause, 0) for then in cases],
            [cause.skus, cause.carriers, cause.lanes],
        )
        for cause in (now.causes if all_cases else ())
    ]


@cache
def _environment() -> Environment:
    """Names and notes from outside are text in the page, never markup."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(name=name, line=line, count=count, many=many)
    return environment


@cache
def _style() -> str:
    return (_FOLDER / _STYLE).read_text("utf-8")
