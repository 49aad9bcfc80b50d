"""Outcomes: how a case ended is written down once, with the events that it could not answer."""

from __future__ import annotations

from temporalio import activity

from aftersales.model import Model
from aftersales.outcome import Outcome
from aftersales.ports import CaseLedger
from aftersales.records import CaseRef


class OutcomeRequest(Model):
    """A closing case."""

    outcome: Outcome


class HandBackRequest(Model):
    """An event that a running case has no rule for: a person must see it."""

    case: CaseRef
    identity: str
    detail: str


class Outcomes:
    """Writes down what becomes of cases."""

    def __init__(self, ledger: CaseLedger) -> None:
        self._ledger = ledger

    @activity.defn(name="record_outcome")
    async def record(self, request: OutcomeRequest) -> None:
        """Record the outcome and close the case in the database; a repeat changes nothing."""
        await self._ledger.close_case(request.outcome)
        activity.logger.info("case closed", extra={"result": request.outcome.result})

    @activity.defn(name="hand_back")
    async def hand_back(self, request: HandBackRequest) -> None:
        """Put an event on the list of those that a person must read."""
        await self._ledger.hand_back(request.identity, case_id=request.case.case_id, detail=request.detail)
