"""Reports made by hand: of a busy shop, of one where nothing happened, of one case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from aftersales.figures import (
    Cause,
    Figures,
    LetterFigures,
    LossRate,
    Mean,
    Part,
    Period,
    Point,
    Report,
    Returned,
    Series,
    Unconverted,
    VariantFigures,
    Warned,
)

ZONE = ZoneInfo("Europe/Berlin")
AS_OF = datetime(2026, 12, 1, 5, tzinfo=UTC)
CATEGORIES = ("large furniture", "lamps", "kitchen & dining", "textiles", "toys", "")
SHARES = (0.044, 0.021, 0.031, 0.012, 0.026, 0.08)


def month(year: int, number: int) -> Period:
    start = datetime(year, number, 1, tzinfo=ZONE)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ZONE)
    return Period(name=f"{year}-{number:02}", kind="month", start=start, end=end)


def rate(share: float, cost: str, returns: int, shipped: int) -> LossRate:
    loss = (Decimal(cost) * Decimal(str(share))).quantize(Decimal("0.01"))
    return LossRate(loss=loss, cost=Decimal(cost), returns=returns, shipped=shipped)


def returned(name: str, share: float, cost: str = "60000", returns: int = 40, shipped: int = 1200) -> Returned:
    return Returned(
        name=name,
        total=rate(share, cost, returns, shipped),
        non_quality=rate(share * 0.4, cost, returns * 2 // 5, shipped),
    )


def seconds(hours: float, count: int, error: float | None = 900.0) -> Mean:
    return Mean(count=count, value=hours * 3600 if count else None, error=error if count > 1 else None)


def part(count: int, of: int) -> Part:
    return Part(count=count, of=of)


def quiet(period: Period) -> Figures:
    """A period in which nothing happened."""
    nothing = LossRate(loss=Decimal(0), cost=Decimal(0), returns=0, shipped=0)
    none, no_time = part(0, 0), Mean(count=0, value=None)
    return Figures(
        period=period,
        opened=0,
        closed=0,
        still_open=0,
        returns=Returned(name="", total=nothing, non_quality=nothing),
        after_sales=nothing,
        by_shop=(),
        by_category=(),
        by_sku=(),
        by_lane=(),
        first_response=no_time,
        response=no_time,
        replied=none,
        refund_speed=no_time,
        reminded=none,
        complaints=none,
        satisfied=none,
        causes=(),
        letters=(),
        variants=(),
        unconverted=(),
    )


def busy(period: Period, factor: float = 1.0) -> Figures:
    """A month of a busy shop, its losses times `factor`."""
    rows = tuple(
        returned(name, share * factor, returns=2 if not name else 38, shipped=900)
        for name, share in zip(CATEGORIES, SHARES, strict=True)
    )
    share = 0.0361 * factor
    return Figures(
        period=period,
        opened=1412,
        closed=1377,
        still_open=263,
        returns=returned("", share, "412345.67", int(220 * factor), 6800),
        after_sales=rate(share * 1.3, "412345.67", 341, 6800),
        by_shop=(returned("acme-us", 0.039 * factor), returned("acme-eu", 0.022 * factor)),
        by_category=rows,
        by_sku=tuple(
            returned(f"SKU-{number:04}-LAMP", 0.09 * factor / number, "4000", max(24 // number, 1), 160)
            for number in range(1, 25)
        ),
        by_lane=(
            returned("dhl DE-FR", 0.018),
            returned("yanwen CN-US", 0.051 * factor),
            returned("", 0.02, "900", 1, 41),
        ),
        first_response=seconds(3.4 * factor, 812),
        response=seconds(5.1, 1650),
        replied=part(round(1650 - 165 * factor), 1650),
        refund_speed=seconds(61 * factor, 190, 4000.0),
        reminded=part(212, 690),
        complaints=part(3, 8),
        satisfied=part(301, 377),
        causes=tuple(
            Cause(
                cause=cause,  # type: ignore[arg-type]
                cases=cases,
                loss=Decimal(loss),
                skus=(("SKU-0001-LAMP", cases // 3, Decimal("412.10")), ("SKU-0002-LAMP", 9, Decimal("88"))),
                carriers=(("dhl", 11, Decimal("230.55")), ("", 1, Decimal("4"))),
                lanes=(("yanwen CN-US", 14, Decimal("1530")),),
            )
            for cause, cases, loss in (
                ("product", 402, "8210.40"),
                ("logistics", 310, "5120"),
                ("service", 44, "-35.10"),
                ("customer", 187, "1040.99"),
            )
        ),
        letters=tuple(
            LetterFigures(
                process=process,
                letter=letter,
                language=language,
                variant="",
                sent=sent,
                answered=part(sent // 2, sent),
                accepted=part(sent // 3, sent),
                abandoned=part(sent // 5, sent),
                claims=part(sent // 60, sent),
            )
            for process, letter in (
                ("return-request", "return-terms"),
                ("return-escalation", "waive-restocking"),
                ("shipment-watch", "parcel-late"),
            )
            for language, sent in (("en", 640), ("de", 122), ("zh", 9))
        ),
        variants=tuple(
            VariantFigures(
                letter="return-terms",
                variant=variant,
                sent=sent,
                answered=part(sent * 6 // 10, sent),
                accepted=part(sent * 4 // 10, sent),
                abandoned=part(abandoned, sent),
                claims=part(claims, sent),
                loss=Mean(count=sent, value=loss, error=1.2),
                answer_time=seconds(20, sent),
                stopped_at=stopped,
            )
            for variant, sent, abandoned, claims, loss, stopped in (
                ("", 512, 102, 5, 14.2, None),
                ("short", 260, 71, 4, 11.9, None),
                ("photo-first", 131, 20, 14, 17.4, datetime(2026, 11, 19, 6, tzinfo=UTC)),
                ("new", 7, 1, 0, 9.1, None),
            )
        ),
        unconverted=(),
    )


def report(
    figures: Figures, *, before: Figures | None = None, year_ago: Figures | None = None, shop: str = ""
) -> Report:
    return Report(
        shop=shop,
        zone="Europe/Berlin",
        currency="USD",
        as_of=AS_OF,
        figures=figures,
        before=before,
        year_ago=year_ago,
        series=(),
        limit=0.035,
        limits={"textiles": 0.06},
        non_quality_limits={"large furniture": 0.01},
        least_returns=5,
        warnings=(),
        notes=(),
    )


def busy_report() -> Report:
    """A month over its limit, with everything a report may have."""
    months = [month(2025, 11), month(2025, 12), *(month(2026, number) for number in range(1, 12))]
    swings = (0.7, 0.82, 0.9, 0.74, 0.6, 0.66, 0.71, 0.93, 0.88, 1.04, 0.97, 0.91, 1.0)
    series = tuple(
        Series(
            name=name,
            points=tuple(
                Point(start=one.start, rate=rate(share * swing, "60000", returns if at != 4 else 2, 900))
                for at, (one, swing) in enumerate(zip(months, swings, strict=True))
            ),
        )
        for name, share, returns in (("", 0.0361, 200), *zip(CATEGORIES[:5], SHARES, (30, 38, 40, 12, 4), strict=False))
    )
    figures = busy(months[-1]).model_copy(
        update={
            "unconverted": (
                Unconverted(currency="SEK", loss=Decimal("1200"), cost=Decimal("45210.5"), since=months[-1].start),
            )
        }
    )
    warnings = (
        Warned(
            shop="acme-us",
            kind="return_rate",
            subject="large furniture",
            since=AS_OF - timedelta(days=9),
            rate=0.044,
            limit=0.035,
            count=38,
            of=900,
        ),
        Warned(
            shop="acme-us",
            kind="claims",
            subject="return-terms/photo-first",
            since=AS_OF - timedelta(days=12),
            rate=0.107,
            limit=0.03,
            count=14,
            of=131,
        ),
    )
    return report(figures, before=busy(months[-2], 0.9), year_ago=busy(months[0], 0.7)).model_copy(
        update={"series": series, "warnings": warnings, "notes": ("Money in SEK has no rate and is not counted.",)}
    )


def empty_report() -> Report:
    """A month in which nothing happened, nor before it."""
    return report(quiet(month(2026, 11)), shop="acme-eu").model_copy(
        update={"notes": ("Nothing is known of this shop in this time.",)}
    )


def one_case_report() -> Report:
    """A month with one return of three goods that were shipped."""
    one = Returned(name="lamps", total=rate(0.5, "60", 1, 3), non_quality=rate(0.5, "60", 1, 3))
    figures = quiet(month(2026, 11)).model_copy(
        update={
            "opened": 1,
            "closed": 1,
            "returns": one.model_copy(update={"name": ""}),
            "after_sales": one.total,
            "by_category": (one,),
            "first_response": seconds(2, 1),
            "replied": part(1, 1),
        }
    )
    return report(figures, shop="acme-eu")
