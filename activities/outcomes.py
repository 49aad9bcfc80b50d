"""Outcomes: how a case ended is written down once, with the events that it could not answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from operator import not_
from typing import Annotated

from pydantic import Field
from temporalio import activity

from aftersales.events import DisputeClosed, Event
from aftersales.model import Model, Time
from aftersales.opening import CaseOpened
from aftersales.outcome import Outcome
from aftersales.ports import CaseLedger, Cases, EventLedger
from aftersales.records import CaseRecord, CaseRef, EventStatus
from aftersales.taking import early


class Introduction(Model):
    """A case that another one opened; events are for it that happened since a moment."""

    case: CaseRef
    since: Time


class OpenRequest(Model):
    """A case of a process, to be opened under this id by one that goes on."""

    process: str
    case_id: str
    opened: CaseOpened


class OutcomeRequest(Model):
    """A closing case, and the one that it handed over to."""

    outcome: Outcome
    successor: Introduction | None = None


class HandBackRequest(Model):
    """An event that a running case has no rule for: a person must see it, unless another case took it."""

    case: CaseRef
    identity: str
    detail: str
    unless_taken_by: Annotated[str, Field(exclude_if=not_)] = ""


class Outcomes:
    """Writes down what becomes of cases."""

    def __init__(
        self, ledger: CaseLedger, events: EventLedger, cases: Cases, hears: Mapping[str, tuple[type[Event], ...]]
    ) -> None:
        """`hears` are the events that are meant for the cases of each process."""
        self._ledger, self._events, self._cases, self._hears = ledger, events, cases, hears

    @activity.defn(name="record_outcome")
    async def record(self, request: OutcomeRequest) -> None:
        """Record the outcome and close the case in the database; a repeat changes nothing."""
        if request.successor:
            await self.introduce(request.successor)
        await self._ledger.close_case(request.outcome)
        if request.outcome.process == "dispute":
            await self._release(request.outcome)
        activity.logger.info("case closed", extra={"result": request.outcome.result})

    @activity.defn(name="hand_back")
    async def hand_back(self, request: HandBackRequest) -> None:
        """Put an event on the list of those that a person must read."""
        if request.unless_taken_by and await self._cases.took(request.unless_taken_by, request.identity):
            return
        await self._ledger.hand_back(request.identity, case_id=request.case.case_id, detail=request.detail)

    @activity.defn(name="introduce_case")
    async def introduce(self, opened: Introduction) -> None:
        """Make the case known, and give it what came too early for it; the starter finds it from now on."""
        await self._introduce(CaseRecord(**opened.case.model_dump()), opened.since)

    @activity.defn(name="open_case")
    async def open(self, request: OpenRequest) -> bool:
        """Open a case, or give its event to the one that runs; whether it was opened.

        A repeat opens no second one, nor does the case that asks when it is reset.
        """
        opened = request.opened
        last = await self._ledger.last_case(request.case_id)
        if last and last.closed_at and last.trigger == opened.identity:
            return True
        if not await self._cases.open(request.process, opened, again=True):
            return False
        case = opened.ref(request.process, request.case_id)
        since = min(opened.opened_at, opened.trigger.happened_at)
        await self._introduce(CaseRecord(**case.model_dump(), opening=opened.as_json()), since)
        return True

    async def _introduce(self, case: CaseRecord, since: datetime) -> None:
        await self._ledger.open_case(case)
        for waiting in await self._events.waiting_events(case.order_id):
            event = early(waiting, case, self._hears, since)
            if event and await self._cases.tell(case.case_id, event):
                given = {"status": EventStatus.SIGNALLED, "cases": (case.case_id,), "detail": ""}
                await self._events.settle_events([waiting.model_copy(update=given)])

    async def _release(self, outcome: Outcome) -> None:
        """Tell the order's other open cases that a dispute is closed; their payments may wait for that (`§18`)."""
        closed = DisputeClosed(
            id=f"closed-{hashlib.sha256(f'{outcome.case_id} {outcome.trigger}'.encode()).hexdigest()[:16]}",
            source="aftersales",
            order_id=outcome.order_id,
            time=outcome.closed_at,
            case_id=outcome.case_id,
        )
        for case in await self._ledger.open_cases(outcome.order_id):
            await self._cases.tell(case.case_id, closed)
