"""A year of a few shops, made up from a seed: parcels, cases, letters, disputes, refunds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aftersales.reporting import Reporting

START, END = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
TERMS = Reporting.model_validate(
    {
        "currency": "USD",
        "report_zone": "Europe/Berlin",
        "rates": {
            "EUR": {date(2025, 9, 1): "1.08", date(2026, 3, 15): "1.1", date(2026, 11, 10): "1.0512345"},
            "JPY": {date(2026, 2, 1): "0.0067"},
        },
        "return_limits": {"shoes": "6 %"},
    }
)
SHOPS = {"alpha": "USD", "beta": "EUR", "gamma": "JPY"}
CATEGORIES = ("", "shoes", "lamps", "large furniture")
PROCESSES = (
    ("return-request", "kept"),
    ("return-parcel", "refunded"),
    ("wrong-item", "reshipped"),
    ("compensation", "compensated"),
    ("inquiry", "solved"),
    ("inquiry", "unsolved_escalated"),
    ("inquiry", "answered"),
    ("dispute", "lost"),
    ("shipment-watch", "refunded"),
)
CAUSES = ("product", "logistics", "service", "customer")


@dataclass
class Parcel:
    """A line of a parcel; `cost` in ten-thousandths."""

    shop: str
    order_id: str
    parcel_no: str
    line_id: str
    category: str
    sku: str
    carrier: str
    lane: str
    currency: str
    cost: int
    at: datetime

    def row(self) -> dict[str, Any]:
        """The row of `shipped_goods`."""
        fields = {name: value for name, value in vars(self).items() if name != "at"}
        return fields | {"told_by": "shop/1", "quantity": 1, "shipped_at": self.at}


@dataclass
class Case:
    """A case; `goods` are (line, category, SKU, loss), `refund` says when one was accepted."""

    case_id: str
    shop: str
    order_id: str
    process: str
    result: str
    cause: str
    currency: str
    opened: datetime
    closed: datetime | None
    first: float | None = None
    messages: int = 0
    replies: list[float] = field(default_factory=list)
    in_time: int = 0
    goods: list[tuple[str, str, str, int]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    refund: datetime | None = None


@dataclass
class Books:
    """All that happened."""

    parcels: list[Parcel] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    def tables(self, shuffled: random.Random | None = None) -> dict[str, list[dict[str, Any]]]:
        """The rows of all tables, in the order in which they were made or another."""
        found: dict[str, list[dict[str, Any]]] = {"shipped_goods": [parcel.row() for parcel in self.parcels]}
        for case in self.cases:
            for table, row in _rows(case):
                found.setdefault(table, []).append(row)
        if shuffled:
            for rows in found.values():
                shuffled.shuffle(rows)
        return found


def a_year(seed: int, orders: int = 500) -> Books:
    """Fourteen months of so many orders; about half of them have a case."""
    chance, books = random.Random(seed), Books()
    for number in range(orders):
        shop = chance.choice(list(SHOPS))
        order_id, at = f"o{number}", START + (END - START) * chance.random()
        category = chance.choice(CATEGORIES)
        for line in range(chance.choice((1, 1, 1, 2))):
            sku = f"{category[:3]}-{chance.randrange(30)}"
            for parcel in range(chance.choice((1, 1, 1, 2)) if chance.random() < 0.9 else 0):
                lane = chance.choice(("", "dhl:DE>FR", "dhl:DE>DE", "ups:CN>US"))
                names = (f"p{parcel}", f"l{line}", category, sku, lane.partition(":")[0], lane)
                cost = chance.randrange(10_000, 4_000_000)
                shipped = at + timedelta(hours=chance.randrange(90))
                books.parcels.append(Parcel(shop, order_id, *names, SHOPS[shop], cost, shipped))
            if chance.random() < 0.6:
                books.cases.append(_case(chance, books, shop, order_id, at, (f"l{line}", category, sku)))
    return books


def _case(
    chance: random.Random, books: Books, shop: str, order_id: str, at: datetime, goods: tuple[str, str, str]
) -> Case:
    process, result = chance.choice(PROCESSES)
    opened = at + timedelta(seconds=chance.randrange(40 * 86_400), microseconds=chance.randrange(10**6))
    lasted = timedelta(seconds=chance.randrange(1, 20 * 86_400), microseconds=chance.randrange(10**6))
    case = Case(
        case_id=f"{process}/{len(books.cases)}",
        shop=shop,
        order_id=order_id,
        process=process,
        result=result,
        cause=chance.choice(CAUSES),
        currency=SHOPS[shop],
        opened=opened,
        closed=opened + lasted if chance.random() < 0.95 else None,
        first=chance.choice((None, chance.randrange(10**9) / 1000)),
        messages=chance.randrange(4),
        refund=opened + lasted / 2 if result == "refunded" else None,
    )
    case.replies = [chance.randrange(10**8) / 1000 for _ in range(case.messages)]
    case.in_time = sum(took <= 86_400 for took in case.replies)
    case.goods = [(*goods, chance.randrange(-100_000, 900_000))]
    if chance.random() < 0.2:
        case.goods.append(("extra", goods[1], goods[2], chance.randrange(500_000)))
    for letter in ("return-terms", "return-terms-reminder")[: chance.randrange(3)]:
        awaited = chance.random() < 0.7
        answered = chance.random() < 0.6
        case.letters.append(
            {
                "letter": letter,
                "language": chance.choice(("en", "de")),
                "variant": chance.choice(("", "short")) if letter == "return-terms" else "",
                "awaited": awaited,
                "answered": answered,
                "accepted": answered and chance.random() < 0.5,
                "abandoned": not answered and chance.random() < 0.5,
                "answer_seconds": chance.randrange(10**8) / 1000 if answered else None,
                "sent_at": opened + lasted / 3,
            }
        )
    return case


def _rows(case: Case) -> Iterable[tuple[str, dict[str, Any]]]:
    ids = {"case_id": case.case_id, "trigger": "t"}
    of_case = ids | {"process": case.process, "order_id": case.order_id, "shop": case.shop}
    yield "cases", of_case | {"part": "", "opened_at": case.opened, "closed_at": case.closed, "result": case.result}
    if case.refund:
        given = {"key": f"{case.case_id}/refund", "type": "refund", "data": {}, "claimed_at": case.opened}
        yield "commands", ids | given | {"accepted_at": case.refund, "reference": "r"}
    if case.closed is None:
        return
    served = {"messages": case.messages, "replies": len(case.replies), "replied_in_time": case.in_time}
    yield (
        "outcomes",
        of_case
        | served
        | {
            "currency": case.currency,
            "result": case.result,
            "stage": "",
            "cause": case.cause,
            "at_fault": False,
            "amounts": {},
            "letters_sent": len(case.letters),
            "first_response_time": case.first,
            "resolution_time": 1.0,
            "decisions_missed": 0,
            "angry": False,
            "reply_seconds": sum(case.replies),
            "policy_version": "1",
            "opened_at": case.opened,
            "closed_at": case.closed,
            "document": {},
        },
    )
    for line_id, category, sku, loss in case.goods:
        yield (
            "case_goods",
            of_case
            | {"line_id": line_id, "result": case.result, "cause": case.cause, "category": category, "sku": sku}
            | {"quantity": 1, "currency": case.currency, "loss": loss, "closed_at": case.closed},
        )
    for number, letter in enumerate(case.letters):
        yield "case_letters", of_case | letter | {"number": number, "closed_at": case.closed}


def of_shop(books: Books, shop: str) -> Books:
    """What happened in one shop; in all where it is empty."""
    parcels: Sequence[Parcel] = [each for each in books.parcels if shop in ("", each.shop)]
    return Books(list(parcels), [each for each in books.cases if shop in ("", each.shop)])


def as_warning(shop: str, kind: str, subject: str, since: datetime, what: str = "{}") -> Mapping[str, Any]:
    """A row of the ledger of warnings, still open."""
    return {"shop": shop, "kind": kind, "subject": subject, "since": since, "until": None, "what": what}
