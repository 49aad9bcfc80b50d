"""What became of letters, and of their variants side by side (`000`: improve them from the data)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, cast, func, or_, select

from adapters.database.figures.asked import Asked, rows
from adapters.database.figures.claims import claimed, closed_in
from adapters.database.figures.exact import added, counted, milliseconds, squared, squares, total
from adapters.database.figures.service import mean
from adapters.database.figures.slices import Slices, Stretch
from adapters.database.schema import case_goods, case_letters, warnings
from aftersales.figures import LetterFigures, Mean, Part, VariantFigures
from aftersales.variants import BASE, key_of

_KEY = ("process", "letter", "language", "variant")
_Key = tuple[str, str, str, str]
_REMINDER = "-reminder"


@dataclass
class _Counts:
    sent: int = 0
    awaited: int = 0
    answered: int = 0
    answered_awaited: int = 0
    accepted: int = 0
    abandoned: int = 0
    claims: int = 0

    def add(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + int(count or 0))

    def parts(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "answered": Part(count=self.answered_awaited, of=self.awaited),
            "accepted": Part(count=self.accepted, of=self.awaited),
            "abandoned": Part(count=self.abandoned, of=self.sent),
            "claims": Part(count=self.claims, of=self.sent),
        }


@dataclass
class Letters:
    """The letters of the cases that closed in a stretch of time."""

    letters: tuple[LetterFigures, ...] = ()
    variants: tuple[VariantFigures, ...] = ()
    reminded: Part = field(default_factory=lambda: Part(count=0, of=0))


def read(connection: Connection, asked: Asked, stretch: Stretch) -> Letters:
    """The letters of a stretch of time.

    Reminder conversion = reminders that were answered ÷ reminders (`003`).
    """
    if stretch.start >= stretch.end:
        return Letters()
    found: dict[_Key, _Counts] = defaultdict(_Counts)
    sent = (_sent(asked, part) for part in stretch.parts())
    for query in (*sent, claimed(asked, _KEY, closed_in(*stretch))):
        for row in rows(connection, query):
            found[_key(row)].add({name: row[name] for name in row if name not in _KEY})
    reminders = [counts for (_, letter, _, _), counts in found.items() if letter.endswith(_REMINDER)]
    return Letters(
        letters=tuple(_letter(key, found[key]) for key in sorted(found)),
        variants=_variants(connection, asked, stretch, found),
        reminded=Part(count=sum(each.answered for each in reminders), of=sum(each.sent for each in reminders)),
    )


def _letter(key: _Key, counts: _Counts) -> LetterFigures:
    return LetterFigures.model_validate(dict(zip(_KEY, key, strict=True)) | counts.parts())


def _variants(
    connection: Connection, asked: Asked, stretch: Stretch, found: Mapping[_Key, _Counts]
) -> tuple[VariantFigures, ...]:
    """Of the letters that were written in more than one variant; those that differ in language are added up."""
    counts: dict[tuple[str, str], _Counts] = defaultdict(_Counts)
    for (_, letter, _, variant), each in found.items():
        counts[letter, variant].add(vars(each))
    variants_of: dict[str, int] = defaultdict(int)
    for letter, _ in counts:
        variants_of[letter] += 1
    names = sorted(letter for letter, number in variants_of.items() if number > 1)
    if not names:
        return ()
    times = {
        (row["letter"], row["variant"]): mean("took", row, row["answers"])
        for row in rows(connection, _answer_times(asked, stretch, names))
    }
    losses = _losses(connection, asked, stretch, names)
    stopped = _stopped(connection, asked)
    none = Mean(count=0, value=None)
    return tuple(
        VariantFigures(
            letter=letter,
            variant=variant or BASE,
            **counts[letter, variant].parts(),
            loss=losses.get((letter, variant), none),
            answer_time=times.get((letter, variant), none),
            stopped_at=stopped.get(key_of(letter, variant)),
        )
        for letter, variant in sorted(counts)
        if variants_of[letter] > 1
    )


def _losses(
    connection: Connection, asked: Asked, stretch: Stretch, names: Sequence[str]
) -> dict[tuple[str, str], Mean]:
    """What each case with a variant lost: one without goods nothing, one without a rate is left out."""
    slices = Slices([stretch], asked.exchange.changes)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    lost = (_lost(asked, slices, part, names) for part in stretch.parts())
    for row in chain.from_iterable(rows(connection, query) for query in lost):
        rate = 1 if row["currency"] is None else asked.exchange.grains(1, row["currency"], slices.start(row["slice"]))
        if rate is not None:
            known = sums[row["letter"], row["variant"]]
            known[0] += row["cases"]
            known[1] += added("loss", row) * rate
            known[2] += squared("loss", row) * rate**2
    units = asked.exchange.units
    return {key: Mean.of(count, units(loss), units(square, 2)) for key, (count, loss, square) in sums.items()}


def _stopped(connection: Connection, asked: Asked) -> dict[str, datetime]:
    of = warnings.c
    query = (
        select(of.subject, func.max(of.since).label("since"))
        .where(of.kind == "claims", of.since <= asked.as_of, or_(of.until.is_(None), of.until > asked.as_of))
        .where(of.shop.in_({asked.shop, ""}))
        .group_by(of.subject)
    )
    return {row["subject"]: row["since"] for row in rows(connection, query)}


def _key(row: Any) -> _Key:
    return row["process"], row["letter"], row["language"], row["variant"]


def _sent(asked: Asked, stretch: Stretch) -> Select[Any]:
    of = case_letters.c
    by = [of[name] for name in _KEY]
    return (
        select(*by, func.count().label("sent"), counted("awaited", of.awaited), counted("answered", of.answered))
        .add_columns(counted("answered_awaited", and_(of.awaited, of.answered)))
        .add_columns(counted("accepted", and_(of.awaited, of.accepted)), counted("abandoned", of.abandoned))
        .where(stretch.holds(of.closed_at), asked.of_shop(case_letters))
        .group_by(*by)
    )


def _answer_times(asked: Asked, stretch: Stretch, names: Sequence[str]) -> Select[Any]:
    of = case_letters.c
    took = milliseconds(of.answer_seconds)
    return (
        select(of.letter, of.variant, func.count(of.answer_seconds).label("answers"))
        .add_columns(*total("took", took), *squares("took", took))
        .where(stretch.holds(of.closed_at), asked.of_shop(case_letters), of.letter.in_(names))
        .group_by(of.letter, of.variant)
    )


def _lost(asked: Asked, slices: Slices, stretch: Stretch, names: Sequence[str]) -> Select[Any]:
    of, goods = case_letters.c, case_goods.c
    wrote = (
        select(of.case_id, of.trigger, of.letter, of.variant, slices.number(of.closed_at, stretch).label("slice"))
        .where(stretch.holds(of.closed_at), asked.of_shop(case_letters), of.letter.in_(names))
        .distinct()
        .subquery("wrote")
    )
    lost = (
        select(goods.case_id, goods.trigger, func.min(goods.currency).label("currency"))
        .add_columns(cast(func.sum(goods.loss), BigInteger).label("loss"))
        .where(stretch.holds(goods.closed_at), asked.of_shop(case_goods))
        .group_by(goods.case_id, goods.trigger)
        .subquery("lost")
    )
    same_case = and_(wrote.c.case_id == lost.c.case_id, wrote.c.trigger == lost.c.trigger)
    by = (wrote.c.letter, wrote.c.variant, lost.c.currency, wrote.c.slice)
    return (
        select(*by, func.count().label("cases"), *total("loss", lost.c.loss), *squares("loss", lost.c.loss))
        .select_from(wrote.outerjoin(lost, same_case))
        .group_by(*by)
    )
