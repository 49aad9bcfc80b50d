"""How well customers were served: answers, refunds, complaints, satisfaction; causes of cases (`003`, `004`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, func, literal, or_, select

from adapters.database.figures.asked import Asked, one, rows
from adapters.database.figures.exact import added, counted, microseconds, milliseconds, squared, squares, total
from adapters.database.figures.slices import Stretch
from adapters.database.ordering import by_no_index
from adapters.database.schema import cases, commands, outcomes
from aftersales.figures import COMPLAINTS, SOLVED, UNSOLVED, Mean, Part


@dataclass
class Service:
    """The figures of a stretch of time; `causes` says how many cases closed with each."""

    opened: int
    still_open: int
    complaints: Part
    refund_speed: Mean
    closed: int = 0
    first_response: Mean = field(default_factory=lambda: Mean(count=0, value=None))
    response: Mean = field(default_factory=lambda: Mean(count=0, value=None))
    replied: Part = field(default_factory=lambda: Part(count=0, of=0))
    satisfied: Part = field(default_factory=lambda: Part(count=0, of=0))
    causes: dict[str, int] = field(default_factory=dict)


def read(connection: Connection, asked: Asked, stretch: Stretch) -> Service:
    """The figures of a stretch of time."""
    opened = one(connection, _opened(asked, stretch))
    refunds = one(connection, _refunds(asked, stretch))
    found = Service(
        opened=int(opened["opened"] or 0),
        still_open=one(connection, _still_open(asked, stretch))["cases"],
        complaints=Part(count=int(opened["handled"] or 0), of=int(opened["complaints"] or 0)),
        refund_speed=mean("took", refunds, refunds["refunds"]),
    )
    _add_outcomes(found, connection, asked, stretch)
    return found


def mean(name: str, row: Any, count: int) -> Mean:
    """The mean, in seconds, of milliseconds that a row has the sum and the sum of squares of."""
    return Mean.of(count, added(name, row) / 1e3, squared(name, row) / 1e6)


def _add_outcomes(found: Service, connection: Connection, asked: Asked, stretch: Stretch) -> None:
    names = ("closed", "first", "replies", "messages", "in_time", "solved", "unsolved")
    sums = dict.fromkeys((*names, "first_took", "first_squares", "replies_took"), 0)
    for row in rows(connection, _outcomes(asked, stretch)):
        found.causes[row["cause"]] = row["closed"]
        for name in names:
            sums[name] += int(row[name] or 0)
        sums["first_took"] += added("first", row)
        sums["first_squares"] += squared("first", row)
        sums["replies_took"] += added("replies", row)
    found.closed = sums["closed"]
    found.first_response = Mean.of(sums["first"], sums["first_took"] / 1e3, sums["first_squares"] / 1e6)
    replies = sums["replies"]
    found.response = Mean(count=replies, value=sums["replies_took"] / 1e3 / replies if replies else None)
    found.replied = Part(count=sums["in_time"], of=sums["messages"])
    found.satisfied = Part(count=sums["solved"], of=sums["solved"] + sums["unsolved"])


def _outcomes(asked: Asked, stretch: Stretch) -> Select[Any]:
    """First response = mean of `first_response_time`; response = `reply_seconds` ÷ `replies`; replied =
    `replied_in_time` of `messages` (`003`); satisfied = solved of solved and unsolved inquiries (`004`)."""
    of = outcomes.c
    first = milliseconds(of.first_response_time)
    asked_whether = of.process == "inquiry"
    return (
        select(of.cause, func.count().label("closed"), func.count(of.first_response_time).label("first"))
        .add_columns(
            *total("first", first), *squares("first", first), *total("replies", milliseconds(of.reply_seconds))
        )
        .add_columns(func.sum(of.replies).label("replies"), func.sum(of.messages).label("messages"))
        .add_columns(func.sum(of.replied_in_time).label("in_time"))
        .add_columns(counted("solved", and_(asked_whether, of.result == SOLVED)))
        .add_columns(counted("unsolved", and_(asked_whether, of.result == UNSOLVED)))
        .where(stretch.holds(of.closed_at), asked.of_shop(outcomes))
        .group_by(of.cause)
    )


def _opened(asked: Asked, stretch: Stretch) -> Select[Any]:
    """Complaint handling = complaints that opened and were closed in the time ÷ those that opened in it (`003`)."""
    of = cases.c
    complaint = of.process.in_([literal(name) for name in COMPLAINTS])
    return select(
        func.count().label("opened"),
        counted("complaints", complaint),
        counted("handled", and_(complaint, of.closed_at < stretch.end)),
    ).where(stretch.holds(by_no_index(of.opened_at)), asked.of_shop(cases))


def _still_open(asked: Asked, stretch: Stretch) -> Select[Any]:
    of = cases.c
    open_then = or_(of.closed_at.is_(None), of.closed_at >= stretch.end)
    before = by_no_index(of.opened_at) < stretch.end
    return select(func.count().label("cases")).select_from(cases).where(before, open_then, asked.of_shop(cases))


def _refunds(asked: Asked, stretch: Stretch) -> Select[Any]:
    """Refund speed = mean of the time from a case's opening until the shop system took the refund (`003`)."""
    took = (microseconds(commands.c.accepted_at) - microseconds(cases.c.opened_at)) // 1000
    return (
        select(func.count().label("refunds"), *total("took", took), *squares("took", took))
        .select_from(commands.join(cases))
        .where(commands.c.type == "refund", commands.c.refused.is_(None), stretch.holds(commands.c.accepted_at))
        .where(asked.of_shop(cases))
    )
