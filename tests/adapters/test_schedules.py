"""The schedules of the report, on a real server: kept in step with the policy, paused by people only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client

from adapters.embedded import EmbeddedServer
from adapters.schedules import Kept, keep_schedules
from adapters.temporal import connect
from aftersales.reporting import Reporting

BERLIN = Reporting(report_zone="Europe/Berlin", report_at=time(6, 30))


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    log = tmp_path_factory.mktemp("server") / "server.log"
    async with EmbeddedServer(log_file=log, search_attributes={}) as server:
        yield await connect(server.address)


async def kept(client: Client, queue: str, terms: Reporting = BERLIN) -> list[Kept]:
    return await keep_schedules(client, queue, terms)


async def test_both_are_made_once_and_follow_the_policy(client: Client) -> None:
    daily, monthly = await kept(client, "first")
    assert (daily.id, monthly.id) == ("kpi-report-daily", "kpi-report-monthly")
    assert (daily.change, monthly.change) == ("created", "created")
    assert daily.next_at
    assert monthly.next_at
    assert daily.next_at - datetime.now(UTC) <= timedelta(days=1, hours=1)
    assert monthly.next_at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M") == "01 06:30"
    assert [each.change for each in await kept(client, "first")] == ["as it was"] * 2
    later = BERLIN.model_copy(update={"report_at": time(7)})
    daily, monthly = await kept(client, "first", later)
    assert (daily.change, monthly.change) == ("updated", "updated")
    assert daily.next_at
    assert daily.next_at.minute == 0
    assert [each.change for each in await kept(client, "first", later)] == ["as it was"] * 2


async def test_one_that_a_person_paused_stays_paused(client: Client) -> None:
    await kept(client, "second")
    handle = client.get_schedule_handle("kpi-report-daily")
    await handle.pause(note="stocktaking")
    for terms in (BERLIN, BERLIN.model_copy(update={"report_at": time(8)})):
        daily, monthly = await kept(client, "second", terms)
        assert daily.paused
        assert daily.next_at is None
        assert not monthly.paused
    assert (await handle.describe()).schedule.state.note == "stocktaking"
    await handle.unpause()
