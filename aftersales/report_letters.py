"""What a report shows of letters: those of each process, and variants side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from aftersales.figures import LetterFigures, Mean, Part, VariantFigures
from aftersales.report_charts import Row, whiskers
from aftersales.report_words import Said, Words, interval, name
from aftersales.variants import BASE

_ROWS = 60
_PARTS: tuple[tuple[str, Callable[[VariantFigures], Part]], ...] = (
    ("Abandoned after it", lambda variant: variant.abandoned),
    ("Claims after it", lambda variant: variant.claims),
    ("Answered", lambda variant: variant.answered),
    ("Accepted", lambda variant: variant.accepted),
)
_MEANS: tuple[tuple[str, bool, Callable[[VariantFigures], Mean]], ...] = (
    ("Loss of a case", True, lambda variant: variant.loss),
    ("Time to an answer", False, lambda variant: variant.answer_time),
)


class VariantChart(NamedTuple):
    """One figure of all variants of a letter."""

    title: str
    picture: Markup


class VariantRow(NamedTuple):
    """One variant of a letter: each figure, and its interval where that is not in it."""

    name: str
    sent: int
    stopped: bool
    cells: Sequence[tuple[Said, str]]


class Variants(NamedTuple):
    """All variants of a letter."""

    title: str
    stopped: Sequence[str]
    charts: Sequence[VariantChart]
    heads: Sequence[str]
    rows: Sequence[VariantRow]


def letters_shown(letters: Sequence[LetterFigures]) -> tuple[list[tuple[str, list[LetterFigures]]], int]:
    """The letters sent most often, by process, and how many are left out."""
    most = sorted(letters, key=lambda one: (-one.sent, _order(one)))[:_ROWS]
    by_process = groupby(sorted(most, key=_order), key=lambda one: one.process)
    return [(process, list(rows)) for process, rows in by_process], len(letters) - len(most)


def variants_shown(variants: Sequence[VariantFigures], words: Words) -> Iterator[Variants]:
    """The variants of each letter, the letter itself first."""
    ordered = sorted(variants, key=lambda one: (one.letter, one.variant not in ("", BASE), one.variant))
    for number, (letter, found) in enumerate(groupby(ordered, key=lambda one: one.letter), 1):
        rows = list(found)
        yield Variants(
            name(letter),
            [
                f"Variant {_title(one)} on {words.day(one.stopped_at)}: claims after it passed the limit for certain. "
                "New cases no longer draw it."
                for one in rows
                if one.stopped_at
            ],
            list(_charts(f"variant-{number}", name(letter), rows, words)),
            [*(title for title, _ in _PARTS), *(title for title, _, _ in _MEANS)],
            [_row(one, words) for one in rows],
        )


def _charts(chart_id: str, letter: str, rows: Sequence[VariantFigures], words: Words) -> Iterator[VariantChart]:
    for at, (title, part_of) in enumerate(_PARTS):
        parts = [(one, part_of(one)) for one in rows]
        if any(part.of for _, part in parts):
            drawn = [_part(_title(one), part, words) for one, part in parts]
            yield VariantChart(title, whiskers(f"{chart_id}-part-{at}", f"{letter}: {title}", drawn))
    for at, (title, money, mean_of) in enumerate(_MEANS):
        means = [(one, mean_of(one)) for one in rows]
        if any(mean.count for _, mean in means):
            drawn = [_mean(_title(one), mean, words, money=money) for one, mean in means]
            yield VariantChart(title, whiskers(f"{chart_id}-mean-{at}", f"{letter}: {title}", drawn))


def _part(title: str, part: Part, words: Words) -> Row:
    if part.share is None:
        return Row(title, "–", None)
    said = words.part(part)
    return Row(title, said.value if said.firm else f"{said.value}, {said.note}", part.share, part.low, part.high)


def _mean(title: str, mean: Mean, words: Words, *, money: bool) -> Row:
    said = words.mean_money(mean) if money else words.mean(mean)
    return Row(title, f"{said.value} ({mean.count})" if mean.count else "–", mean.value, mean.low, mean.high)


def _row(one: VariantFigures, words: Words) -> VariantRow:
    parts = [(part, words.part(part, "")) for part in (part_of(one) for _, part_of in _PARTS)]
    cells = [(said, interval(part.count, part.of) if said.firm else "") for part, said in parts]
    for _, money, mean_of in _MEANS:
        mean = mean_of(one)
        said = words.mean_money(mean) if money else words.mean(mean, "")
        cells.append((said, words.mean_range(mean, money=money) if said.firm else ""))
    return VariantRow(_title(one), one.sent, one.stopped_at is not None, cells)


def _title(one: VariantFigures) -> str:
    return name(one.variant) if one.variant else BASE


def _order(one: LetterFigures) -> tuple[str, str, str, str]:
    return one.process, one.letter, one.language, one.variant
