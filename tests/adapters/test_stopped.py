"""Variants of letters that are stopped, on both databases: new cases do without them, those that run keep theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import insert, update

from adapters.database import DatabaseSettings, Store, open_store
from adapters.database.engines import connect
from adapters.database.schema import warnings
from adapters.openings import Openings
from adapters.settings import Settings
from adapters.stopped import FRESH, StoppedVariants
from aftersales.events import ReturnRequested, parse_event
from aftersales.opening import CaseOpened
from aftersales.order import Order
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.routing import Start
from aftersales.variants import drawn
from tests.events import return_requested

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
SHORT = "return-terms.short"
CASES = [f"return-escalation/A-{number}" for number in range(40)]

Stop = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as opened:
        yield opened


@pytest.fixture
async def stop(store: Store, address: str) -> AsyncIterator[Stop]:
    """Writes down that a variant is stopped; or, with `until`, that all of them may be written again."""
    async with connect(DatabaseSettings.of(address)) as database:

        async def stop(shop: str = "", kind: str = "claims", *, until: datetime | None = None) -> None:
            row = {"shop": shop, "kind": kind, "subject": SHORT, "since": NOON, "what": "too many claims"}
            change = update(warnings).values(until=until) if until else insert(warnings).values(**row)
            await database.write(lambda connection: connection.execute(change))

        yield stop


@pytest.fixture(scope="module")
def policies() -> Policies:
    settings = Settings()
    shares = {"return-terms": {"base": "50 %", "short": "50 %"}}
    return Policies(load_policy(settings.policy, settings.law, {"letters": {"variants": shares}}))


async def opening(store: Store, policies: Policies) -> CaseOpened:
    """What a return request opens in a process that has just begun."""
    request = parse_event(return_requested("A-1"))
    assert isinstance(request, ReturnRequested)
    start = Start("return-request", request)
    return await Openings(store, policies, lambda: NOON).opening_of(start, cast(Order, request.order))


def written(opened: CaseOpened) -> set[str]:
    """The variants that some cases of this policy write."""
    shares = opened.policy.letters.variants.get("return-terms", {})
    return {drawn(case, "return-terms", shares) for case in CASES}


async def test_new_cases_do_without_a_stopped_variant_and_running_ones_keep_it(
    store: Store, stop: Stop, policies: Policies
) -> None:
    before = (await opening(store, policies)).as_json()
    await stop()
    after = (await opening(store, policies)).as_json()
    assert written(CaseOpened.model_validate_json(before)) == {"", "short"}
    assert written(CaseOpened.model_validate_json(after)) == {""}
    assert CaseOpened.model_validate_json(before).policy.version != CaseOpened.model_validate_json(after).policy.version
    await stop(until=NOON)
    assert (await opening(store, policies)).policy == CaseOpened.model_validate_json(before).policy


async def test_a_shop_has_its_own_stops_beside_those_for_all(store: Store, stop: Stop) -> None:
    await stop("lamps")
    assert await StoppedVariants(store).of("lamps") == {SHORT}
    assert await StoppedVariants(store).of("chairs") == frozenset()
    await stop("")
    assert await StoppedVariants(store).of("chairs") == {SHORT}


async def test_a_warning_of_another_kind_stops_nothing(store: Store, stop: Stop) -> None:
    await stop(kind="return_rate")
    assert await StoppedVariants(store).of("lamps") == frozenset()


async def test_the_database_is_asked_once_in_a_while(store: Store, stop: Stop) -> None:
    now = 1_000.0
    stopped = StoppedVariants(store, clock=lambda: now)
    assert await stopped.of("lamps") == frozenset()
    await stop()
    now += FRESH - 1
    assert await stopped.of("lamps") == frozenset()
    now += 1
    assert await stopped.of("lamps") == {SHORT}


async def test_who_tries_no_variants_is_asked_about_none() -> None:
    settings = Settings()
    plain = Policies(load_policy(settings.policy, settings.law))
    nothing_to_ask = cast(Store, object())
    assert (await opening(nothing_to_ask, plain)).policy.letters.variants == {}
