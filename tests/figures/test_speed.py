"""A report of 300,000 outcomes and 1,000,000 shipments takes seconds, and memory that does not grow with them.

Seconds are those of processors at work: what else the machine does is not counted.
"""

from __future__ import annotations

import gc
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from adapters.database.schema import metadata
from aftersales import periods
from tests.figures.conftest import Filled
from tests.figures.shop_year import TERMS
from tests.postgres import PostgresServer

SHIPPED, OUTCOMES = 1_000_000, 300_000
MOST_SECONDS = 10
MOST_MEGABYTES = 200
YEAR = 31_536_000
AS_OF = datetime(2027, 1, 2, tzinfo=UTC)

SHIPMENTS = """
    INSERT INTO shipped_goods
        (shop, order_id, parcel_no, line_id, told_by, category, sku, carrier, lane, quantity, currency, cost,
        shipped_at)
    SELECT 'shop' || (i % 3), 'o' || i, 'p', 'l', 'shop/' || i, 'category ' || (i * 7 % 30), 'sku-' || (i * 13 % 20000),
        'c' || (i % 4), 'c' || (i % 4) || ':CN>' || (i * 31 % 97), 1, CASE i % 3 WHEN 1 THEN 'EUR' ELSE 'USD' END,
        10000 + i * 977 % 3000000, {at}
    FROM numbers
"""
CASES = """
    INSERT INTO cases (case_id, trigger, process, order_id, part, shop, opened_at, closed_at, result)
    SELECT 'case/' || i, 't',
        CASE WHEN i % 40 = 0 THEN 'dispute' WHEN i % 3 = 0 THEN 'inquiry' ELSE 'return-parcel' END,
        'o' || (i * 3), '', 'shop' || (i * 3 % 3), {at}, {later}, 'refunded' FROM numbers
"""
CLOSED = """
    INSERT INTO outcomes (case_id, trigger, process, order_id, shop, currency, result, stage, cause, at_fault, amounts,
        letters_sent, first_response_time, resolution_time, decisions_missed, angry, messages, replies, replied_in_time,
        reply_seconds, policy_version, opened_at, closed_at, document)
    SELECT case_id, trigger, process, order_id, shop, 'USD', result, '', 'logistics', {no}, '{{}}', 3, 3600.5, 7200, 0,
        {no}, 2, 2, 1, 5000.25, '1', opened_at, closed_at, '"{document}"'
    FROM cases
"""
GOODS = """
    INSERT INTO case_goods (case_id, trigger, line_id, shop, order_id, process, result, cause, category, sku, quantity,
        currency, loss, closed_at)
    SELECT case_id, trigger, {line}, shop, order_id, process, result, 'logistics',
        'category ' || length(case_id), 'sku-' || substr(case_id, 6, 4), 1, 'EUR', 12345, closed_at
    FROM cases WHERE {which}
"""
LETTERS = """
    INSERT INTO case_letters (case_id, trigger, number, shop, order_id, process, letter, language, variant, awaited,
        answered, accepted, abandoned, answer_seconds, sent_at, closed_at)
    SELECT case_id, trigger, i, shop, order_id, process, 'letter-' || i,
        CASE WHEN order_id LIKE '%6' THEN 'de' ELSE 'en' END,
        CASE WHEN i = 1 AND order_id LIKE '%3' THEN 'short' ELSE '' END,
        {yes}, {yes}, {no}, {no}, 4321.125, opened_at, closed_at
    FROM cases, numbers
"""


def fill(connection: Connection) -> None:
    """All of it within one year, made by the database."""
    sqlite = connection.dialect.name == "sqlite"
    yes, no = ("1", "0") if sqlite else ("true", "false")

    def at(many: int, plus: int = 0) -> str:
        seconds = f"i * {YEAR // many} + {plus}"
        if sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S', '2026-01-01', '+' || ({seconds}) || ' seconds') || '.000000'"
        return f"timestamptz '2026-01-01 00:00:00+00' + ({seconds}) * interval '1 second'"

    def run(statement: str, many: int = 1) -> None:
        numbers = f"WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < {many} - 1)"
        table, _, rest = statement.partition("SELECT")
        connection.execute(text(f"{table} {numbers} SELECT {rest}".replace(":", "\\:")))

    metadata.create_all(connection)
    run(SHIPMENTS.format(at=at(SHIPPED)), SHIPPED)
    run(CASES.format(at=at(OUTCOMES), later=at(OUTCOMES, 500_000)), OUTCOMES)
    run(CLOSED.format(no=no, document="x" * 1500))
    run(GOODS.format(line="'l'", which="1 = 1"))
    run(GOODS.format(line="'extra'", which="case_id LIKE '%3'"))
    run(LETTERS.format(yes=yes, no=no), 3)
    if not sqlite:
        connection.execute(text("ANALYZE"))  # as PostgreSQL does by itself, a minute later


def resident() -> float:
    """Megabytes of memory that this process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def worked(server: PostgresServer | None) -> float:
    """Seconds that processors have worked for this process and for the database's server."""
    ticks = 0
    for pid in server.processes() if server else ():
        # Those of the server itself, then of its children that have ended.
        ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_report_takes_seconds(kind: str, filled: Filled, request: pytest.FixtureRequest) -> None:
    server: PostgresServer | None = request.getfixturevalue("postgres") if kind == "postgresql" else None
    year = periods.span(date(2026, 1, 1), date(2026, 12, 31), "UTC")
    async with filled(kind, {}, fill) as view:
        for period in (periods.month("2026-06", "UTC"), year):
            gc.collect()
            before, began, done = resident(), time.monotonic(), worked(server)
            report = await view.report(shop="", period=period, as_of=AS_OF, terms=TERMS)
            effort, grown = worked(server) - done, resident() - before
            print(
                f"{kind} {period.name}: {time.monotonic() - began:.1f} s, work of {effort:.1f} s, {grown:.0f} MB more"
            )
            assert report.figures.closed
            assert effort < MOST_SECONDS
            assert grown < MOST_MEGABYTES
