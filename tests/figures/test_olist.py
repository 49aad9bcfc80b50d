"""Real orders and reviews of a Brazilian shop as the input of a report.

An order that was handed over is a parcel of goods that cost what its items did; where the file says no price, 100 BRL.
One that was handed over and never came is lost and refunded, one that was cancelled after it comes back and is
refunded, one that came late gets a tenth of its cost. A review of one or two stars opens a complaint.
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from aftersales import periods
from aftersales.reporting import Reporting
from tests.figures.conftest import Filled
from tests.figures.shop_year import Books, Case, Parcel

DATA = Path(__file__).parents[2].parent / "shared/data/olist-orders"
TERMS = Reporting.model_validate({"currency": "BRL", "report_zone": "America/Sao_Paulo"})
AS_OF = datetime(2019, 1, 1, tzinfo=UTC)
ANSWERED = timedelta(hours=30)

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the orders of shared/data/olist-orders are not there")


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def moment(written: str) -> datetime | None:
    return datetime.fromisoformat(written).replace(tzinfo=UTC) + timedelta(hours=3) if written else None


def happened() -> Books:
    """The orders that were handed over, and the reviews."""
    books = Books()
    orders = {row["order_id"]: row for row in read("orders_natural_rate.csv")}
    orders |= {row["order_id"]: row for row in read("orders_problem_heavy.csv")}
    for order_id, row in orders.items():
        handed_over = moment(row["order_delivered_carrier_date"])
        if handed_over is None:
            continue
        cost = int(Decimal(row.get("items_price") or 100) * 10_000)
        state = row.get("customer_state", "")
        names = ("olist", order_id, "p", "l", "", "", "correios", f"correios:BR>{state}", "BRL")
        books.parcels.append(Parcel(*names, cost, handed_over))
        promised, came = moment(row["order_estimated_delivery_date"]), moment(row["order_delivered_customer_date"])
        assert promised
        if came is None:
            canceled = row["order_status"] == "canceled"
            closed = max(handed_over, promised) + timedelta(days=10)
            case = _case(books, order_id, "return-parcel", "refunded" if canceled else "lost_refunded", closed)
            case.cause = "customer" if canceled else "logistics"
            case.goods, case.refund = [("l", "", "", cost)], closed
        elif came > promised:
            case = _case(books, order_id, "compensation", "compensated", came + timedelta(days=2))
            case.goods = [("l", "", "", cost // 10)]
    for row in read("reviews.csv"):
        answered = moment(row["review_answer_timestamp"])
        if int(row["review_score"]) <= 2 and answered:
            case = _case(books, row["order_id"], "inquiry", "unsolved_escalated", answered)
            case.messages, case.replies, case.first = 1, [ANSWERED.total_seconds()], ANSWERED.total_seconds()
    return books


def _case(books: Books, order_id: str, process: str, result: str, closed: datetime) -> Case:
    opened = closed - timedelta(days=2)
    case = Case(f"{process}/{len(books.cases)}", "olist", order_id, process, result, "logistics", "BRL", opened, closed)
    books.cases.append(case)
    return case


async def test_the_return_rate_of_real_orders_is_what_plain_python_finds(filled: Filled) -> None:
    books = happened()
    year = periods.span(date(2017, 9, 1), date(2018, 8, 31), TERMS.report_zone)
    async with filled("sqlite", books.tables()) as view:
        report = await view.report(shop="", period=year, as_of=AS_OF, terms=TERMS)
    closed = [case for case in books.cases if case.closed and year.start <= case.closed < year.end]
    lost = [case.goods[0][3] for case in closed if case.process == "return-parcel"]
    shipped = [parcel.cost for parcel in books.parcels if year.start <= parcel.at < year.end]
    total = report.figures.returns.total
    assert len(shipped) > 1_000
    assert lost
    assert (total.returns, total.shipped) == (len(lost), len(shipped))
    assert (total.loss, total.cost) == (Decimal(sum(lost)) / 10_000, Decimal(sum(shipped)) / 10_000)
    assert total.rate == pytest.approx(sum(lost) / sum(shipped))
    complaints = [
        case for case in books.cases if case.process != "return-parcel" and year.start <= case.opened < year.end
    ]
    assert report.figures.complaints.of == len(complaints) > 100
    assert report.figures.first_response.value == ANSWERED.total_seconds()
    assert {each.name for each in report.figures.by_lane} > {"correios:BR>SP", "correios:BR>RJ"}
