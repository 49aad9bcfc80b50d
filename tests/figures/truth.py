"""The figures of a period once more, in plain Python from what happened: slow, simple, without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from aftersales.figures import Cause, Figures, LetterFigures, LossRate, Mean, Part, Period, Returned, VariantFigures
from aftersales.reporting import Reporting
from tests.figures.shop_year import Books, Case, Parcel

Line = tuple[Case, tuple[str, str, str, int]]
PRECISION = {"JPY": "1"}


def worth(stored: int, currency: str, at: datetime, terms: Reporting) -> Fraction | None:
    """Money in the report's currency; None without a rate."""
    if currency == terms.currency:
        return Fraction(stored, 10_000)
    on = at.astimezone(ZoneInfo(terms.report_zone)).date()
    newest = max((each for each in terms.rates.get(currency, {}) if each <= on), default=None)
    return None if newest is None else Fraction(stored, 10_000) * Fraction(terms.rates[currency][newest])


def shown(amount: Fraction, currency: str) -> Decimal:
    """Rounded half up, away from zero."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal(PRECISION.get(currency, "0.01")), rounding=ROUND_HALF_UP)


class Truth:
    """What happened up to a moment, in one period."""

    def __init__(self, books: Books, period: Period, as_of: datetime, terms: Reporting) -> None:
        self.period, self.as_of, self.terms = period, as_of, terms
        self.start, self.end = min(period.start, as_of), min(period.end, as_of)
        self.books = books
        self.cases = [each for each in books.cases if each.closed and self.inside(each.closed)]
        self.parcels = [each for each in books.parcels if self.inside(each.at)]
        self.lines: list[Line] = [(case, goods) for case in self.cases for goods in case.goods]

    def inside(self, at: datetime) -> bool:
        return self.start <= at < self.end

    def loss(self, line: Line) -> Fraction | None:
        case, goods = line
        assert case.closed
        return worth(goods[3], case.currency, case.closed, self.terms)

    def cost(self, parcel: Parcel) -> Fraction | None:
        return worth(parcel.cost, parcel.currency, parcel.at, self.terms)

    def rate(self, lines: Iterable[Line], parcels: Iterable[Parcel]) -> LossRate:
        known = [line for line in lines if self.loss(line) is not None]
        losses = [self.loss(line) or Fraction() for line in known]
        costs = [cost for parcel in parcels if (cost := self.cost(parcel)) is not None]
        currency = self.terms.currency
        return LossRate(
            loss=shown(sum(losses, Fraction()), currency),
            cost=shown(sum(costs, Fraction()), currency),
            returns=sum(goods[3] != 0 for _, goods in known),
            shipped=len(costs),
        )

    def returned(self, name: str, lines: Iterable[Line], parcels: list[Parcel]) -> Returned:
        back = [line for line in lines if line[0].process in self.terms.return_processes]
        good = [line for line in back if line[0].cause != "product"]
        return Returned(name=name, total=self.rate(back, parcels), non_quality=self.rate(good, parcels))

    def by(self, of_line: Callable[[Line], str], of_parcel: Callable[[Parcel], str]) -> list[Returned]:
        names = {of_parcel(each) for each in self.parcels if self.cost(each) is not None}
        back = [each for each in self.lines if each[0].process in self.terms.return_processes]
        names |= {of_line(each) for each in back if self.loss(each) is not None}
        return [
            self.returned(
                name,
                [line for line in self.lines if of_line(line) == name],
                [parcel for parcel in self.parcels if of_parcel(parcel) == name],
            )
            for name in sorted(names)
        ]

    def way(self, line: Line) -> tuple[str, str]:
        """The carrier and lane of the first parcel with it."""
        case, goods = line
        fitting = [
            (each.at, each.parcel_no, each.carrier, each.lane)
            for each in self.books.parcels
            if (each.shop, each.order_id, each.line_id) == (case.shop, case.order_id, goods[0]) and each.at < self.as_of
        ]
        return min(fitting)[2:] if fitting else ("", "")

    def causes(self) -> list[Cause]:
        found = []
        for cause in ("product", "logistics", "service", "customer"):
            cases = [case for case in self.cases if case.cause == cause]
            lines = [line for line in self.lines if line[0].cause == cause]
            if cases:
                whole = shown(sum((self.loss(line) or Fraction() for line in lines), Fraction()), self.terms.currency)
                named = {
                    "skus": self.named(lines, lambda line: line[1][2]),
                    "carriers": self.named(lines, lambda line: self.way(line)[0]),
                    "lanes": self.named(lines, lambda line: self.way(line)[1]),
                }
                found.append(Cause.model_validate({"cause": cause, "cases": len(cases), "loss": whole} | named))
        return found

    def named(self, lines: list[Line], name: Callable[[Line], str]) -> tuple[tuple[str, int, Decimal], ...]:
        cases: dict[str, set[str]] = defaultdict(set)
        losses: dict[str, Fraction] = defaultdict(Fraction)
        for line in lines:
            cases[name(line)].add(line[0].case_id)
            losses[name(line)] += self.loss(line) or 0
        ranked = sorted(losses, key=lambda each: (-losses[each], -len(cases[each]), each))[:5]
        return tuple((each, len(cases[each]), shown(losses[each], self.terms.currency)) for each in ranked)

    def claimed(self, case: Case, letter: dict[str, Any]) -> bool:
        return any(
            letter["sent_at"] < each.opened <= letter["sent_at"] + self.terms.claim_window and each.opened < self.as_of
            for each in self.books.cases
            if (each.process, each.shop, each.order_id) == ("dispute", case.shop, case.order_id)
        )

    def parts(self, wrote: list[tuple[Case, dict[str, Any]]]) -> dict[str, Any]:
        awaited = [letter for _, letter in wrote if letter["awaited"]]
        return {
            "sent": len(wrote),
            "answered": Part(count=sum(letter["answered"] for letter in awaited), of=len(awaited)),
            "accepted": Part(count=sum(letter["accepted"] for letter in awaited), of=len(awaited)),
            "abandoned": Part(count=sum(letter["abandoned"] for _, letter in wrote), of=len(wrote)),
            "claims": Part(count=sum(self.claimed(case, letter) for case, letter in wrote), of=len(wrote)),
        }

    def letters(self) -> tuple[LetterFigures, ...]:
        names = ("letter", "language", "variant")
        by: dict[tuple[str, ...], list[tuple[Case, dict[str, Any]]]] = defaultdict(list)
        for case in self.cases:
            for letter in case.letters:
                by[case.process, *(letter[name] for name in names)].append((case, letter))
        keys = ("process", *names)
        return tuple(
            LetterFigures.model_validate(dict(zip(keys, key, strict=True)) | self.parts(by[key])) for key in sorted(by)
        )

    def variants(self) -> tuple[VariantFigures, ...]:
        found = []
        wrote = [(case, letter) for case in self.cases for letter in case.letters if letter["letter"] == "return-terms"]
        names = sorted({letter["variant"] for _, letter in wrote})
        for name in names if len(names) > 1 else ():
            with_it = [(case, letter) for case, letter in wrote if letter["variant"] == name]
            lost = [
                sum((self.loss((case, each)) or Fraction() for each in case.goods), Fraction()) for case, _ in with_it
            ]
            rated = [
                loss
                for (case, _), loss in zip(with_it, lost, strict=True)
                if all(self.loss((case, each)) is not None for each in case.goods)
            ]
            took = [round(letter["answer_seconds"] * 1000) for _, letter in with_it if letter["answered"]]
            means = {
                "loss": Mean.of(len(rated), float(sum(rated)), float(sum(each**2 for each in rated))),
                "answer_time": in_seconds(took),
            }
            ids = {"letter": "return-terms", "variant": name or "base"}
            found.append(VariantFigures.model_validate(ids | self.parts(with_it) | means))
        return tuple(found)

    def figures(self) -> Figures:
        """All but money without a rate, which has a test of its own."""
        opened = [case for case in self.books.cases if self.inside(case.opened)]
        complaints = [
            each for each in opened if each.process in {"compensation", "dispute", "review-recovery", "inquiry"}
        ]
        replies = [took for case in self.cases for took in case.replies]
        refunds = [each for each in self.books.cases if each.refund and self.inside(each.refund)]
        reminders = [each for case in self.cases for each in case.letters if each["letter"].endswith("-reminder")]
        inquiries = [case.result for case in self.cases if case.process == "inquiry"]
        solved, unsolved = inquiries.count("solved"), inquiries.count("unsolved_escalated")
        everything = self.returned("", self.lines, self.parcels)
        return Figures(
            period=self.period,
            opened=len(opened),
            closed=len(self.cases),
            still_open=sum(
                case.opened < self.end and (case.closed is None or case.closed >= self.end) for case in self.books.cases
            ),
            returns=everything,
            after_sales=self.rate(self.lines, self.parcels),
            by_shop=tuple(sorted(self.by(lambda line: line[0].shop, lambda parcel: parcel.shop), key=_order)),
            by_category=tuple(sorted(self.by(lambda line: line[1][1], lambda parcel: parcel.category), key=_order)),
            by_sku=self.largest(lambda line: line[1][2], lambda parcel: parcel.sku),
            by_lane=self.largest(lambda line: self.way(line)[1], lambda parcel: parcel.lane),
            first_response=in_seconds([round(case.first * 1000) for case in self.cases if case.first is not None]),
            response=Mean(
                count=len(replies),
                value=sum(round(took * 1000) for took in replies) / 1e3 / len(replies) if replies else None,
            ),
            replied=Part(count=sum(case.in_time for case in self.cases), of=sum(case.messages for case in self.cases)),
            refund_speed=in_seconds(
                [(case.refund - case.opened) // timedelta(milliseconds=1) for case in refunds if case.refund]
            ),
            reminded=Part(count=sum(each["answered"] for each in reminders), of=len(reminders)),
            complaints=Part(
                count=sum(case.closed is not None and case.closed < self.end for case in complaints), of=len(complaints)
            ),
            satisfied=Part(count=solved, of=solved + unsolved),
            causes=tuple(self.causes()),
            letters=self.letters(),
            variants=self.variants(),
            unconverted=(),
        )

    def largest(self, of_line: Callable[[Line], str], of_parcel: Callable[[Parcel], str]) -> tuple[Returned, ...]:
        """The 50 with the largest loss on returns, of those that have returns."""
        exact: dict[str, Fraction] = defaultdict(Fraction)
        for line in self.lines:
            if line[0].process in self.terms.return_processes and (loss := self.loss(line)) is not None:
                exact[of_line(line)] += loss
        found = {each.name: each for each in self.by(of_line, of_parcel)}
        ranked = sorted(exact, key=lambda name: (-exact[name], -found[name].total.returns, name))
        return tuple(found[name] for name in ranked[:50])


def _order(each: Returned) -> tuple[Decimal, Decimal, str]:
    return -each.total.loss, -each.total.cost, each.name


def in_seconds(milliseconds: list[int]) -> Mean:
    """The mean of whole milliseconds, in seconds."""
    return Mean.of(len(milliseconds), sum(milliseconds) / 1e3, sum(each**2 for each in milliseconds) / 1e6)
