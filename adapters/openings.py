"""What opens a case: its order as far as it is known, what lasts of that order's past, and the policy of today."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from adapters.database import Store
from adapters.stopped import StoppedVariants
from aftersales.events import TYPES, Event, OrderEvent, ReturnRequested, parse_event
from aftersales.ids import case_id, parse_case_id
from aftersales.opening import CaseOpened
from aftersales.order import Order
from aftersales.policies import Policies
from aftersales.records import CaseRecord
from aftersales.returning import taken_over
from aftersales.routing import STARTING, UNSENT, NotServed, Start, known_by_now, start_for

WITH_ORDER = tuple(name for name, kind in TYPES.items() if issubclass(kind, OrderEvent))
"""The event types that may carry the snapshot of their order."""


class Openings:
    """Puts together what a case is opened with, from events and from what the database knows."""

    def __init__(self, store: Store, policies: Policies, clock: Callable[[], datetime]) -> None:
        """`policies` are for new cases; `clock` tells the time (aware)."""
        self._store, self._policies, self._clock = store, policies, clock
        self._stopped = StoppedVariants(store)

    async def opened(self, event: Event) -> tuple[str, CaseOpened] | NotServed | None:
        """The process that an event starts and what opens it; None where it starts none."""
        if not isinstance(event, STARTING):
            return None
        order = event.order or await self._last_order(event.order_id)
        if order is None:
            return NotServed("data.order: is missing, and no earlier event of this order had it")
        start = start_for(event, order, self._policies.of(order.shop))
        if not isinstance(start, Start):
            return start
        return start.process, await self.opening_of(start, order)

    async def opening_of(self, start: Start, order: Order) -> CaseOpened:
        """What opens a case, under the policy of today, without the variants of letters that are stopped."""
        tries = self._policies.of(order.shop).letters.variants
        stopped = await self._stopped.of(order.shop) if tries else ()
        return CaseOpened(
            order=order,
            policy=self._policies.snapshot(order.shop, order.market, stopped),
            opened_at=min(start.trigger.happened_at, self._clock()),
            trigger=cast(Any, start.trigger),
            inbox=cast(Any, await self._known(start.process, order.order_id)),
        )

    async def _known(self, process: str, order_id: str) -> tuple[Event, ...]:
        """What lasts of an order's past: that it was paid or cancelled, and what of it has left.

        A dispute must know of a cancellation only: what the shop has paid back itself is not offered again.
        """
        lasts = ["order.cancelled"] if process == "dispute" else ["order.paid", "order.cancelled", "order.shipped"]
        if process not in (*UNSENT, "dispute"):
            return ()
        lasting = await self._store.events_of(order_id, lasts)
        return tuple(
            known_by_now(parse_event(json.loads(record.raw)), settled=bool(record.cases)) for record in lasting
        )

    async def opening(self, case: CaseRecord) -> CaseOpened | None:
        """What opened a case; one that return-request handed over was opened by the request that opened that one."""
        if case.opening:
            return CaseOpened.model_validate_json(case.opening)
        name = parse_case_id(case.case_id)
        whole = case_id("return-request", name.order_id)
        for request in (f"{whole}/{name.part}", whole) if name.part else (whole,):
            earlier = await self._store.last_case(request)
            opened = CaseOpened.model_validate_json(earlier.opening) if earlier and earlier.opening else None
            if opened and isinstance(opened.trigger, ReturnRequested):
                return opened.model_copy(update={"trigger": taken_over(case.case_id, opened.order, opened.trigger)})
        return None

    async def newest_order(self, order_id: str) -> Order | None:
        """The newest snapshot of an order, also where its event opened no case."""
        for record in reversed(await self._store.events_of(order_id, WITH_ORDER)):
            told = parse_event(json.loads(record.raw))
            if isinstance(told, OrderEvent) and told.order:
                return told.order
        return await self._last_order(order_id)

    async def _last_order(self, order_id: str) -> Order | None:
        opening = await self._store.last_opening(order_id)
        return CaseOpened.model_validate_json(opening).order if opening else None
