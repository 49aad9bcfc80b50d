"""Commands to counterparts: claimed, given once, and written down with the counterpart's reference."""

from __future__ import annotations

from decimal import Decimal
from operator import not_
from typing import Annotated

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from aftersales.commands import Command, CommandAccepted, CommandRefused, CommandType, NotNow
from aftersales.model import Amount, Model, Time
from aftersales.outcome import Kind
from aftersales.ports import CommandLedger, Counterpart
from aftersales.records import CaseRef, CommandRecord, PaymentRecord

REFUSED = "CommandRefused"
"""The error type of a command that its counterpart refused, in the counterpart's words."""
OVER_LIMIT = "OverLimit"
"""The error type of a payment that a supervisor must approve first."""
HELD = "Held"
"""The error type of a payment that waits, as a dispute about its order is open (`§18`)."""

NOT_NOW = "NotNow"
"""The error type of a command that its counterpart did not answer for now. It is tried again for ever."""


class CommandRequest(Model):
    """One command of a case.

    `limit` is there for a payment: what all payments of the order together may reach (rule 8); `approved_by` is who let
    it go out all the same, and for which `reason`. `replaces` is the key of a command that came to nothing although it
    was accepted: its money does not count any more.
    """

    case: CaseRef
    command: Command
    limit: Amount | None = None
    approved_by: Annotated[str, Field(exclude_if=not_)] = ""
    reason: Annotated[str, Field(exclude_if=not_)] = ""
    replaces: str = ""
    despite_dispute: Annotated[bool, Field(exclude_if=not_)] = False

    @property
    def payment(self) -> PaymentRecord | None:
        """What the command pays; None for one that pays nothing."""
        data = self.command.data
        if not data.get("pays"):
            return None
        return PaymentRecord.model_validate(
            {
                "key": self.command.key,
                "case": self.case,
                "kind": data["pays"],
                "amount": data["amount"],
                "currency": data["currency"],
                "at": self.command.at,
                "approved_by": self.approved_by,
                "reason": self.reason,
            }
        )


class GivenRequest(Model):
    """Whether the order has had a command of this type before."""

    case: CaseRef
    type: CommandType


class ChargeRequest(Model):
    """Money that somebody else took from the shop for an order, such as a chargeback."""

    case: CaseRef
    key: str
    kind: Kind
    amount: Amount
    currency: str
    at: Time


class Commands:
    """Gives the commands of cases to their counterparts."""

    def __init__(self, counterpart: Counterpart, ledger: CommandLedger) -> None:
        self._counterpart, self._ledger = counterpart, ledger

    @activity.defn(name="give_command")
    async def give(self, request: CommandRequest) -> CommandAccepted:
        """Have one command done, once for its key however often this runs.

        Raises:
            ApplicationError: of type `CommandRefused`, `OverLimit` or `Held`, not to be tried again under this key; of
                type `NotNow`, to be tried again after the time that the counterpart names, where it names one.
        """
        command = request.command
        claimed = await self._ledger.claim_command(
            CommandRecord(
                key=command.key, case=request.case, type=command.type, data=command.data, claimed_at=command.at
            )
        )
        if claimed.reference is not None:
            return CommandAccepted(reference=claimed.reference)
        if claimed.refused is not None:
            raise ApplicationError(claimed.refused, type=REFUSED, non_retryable=True)
        if request.replaces:
            await self._ledger.command_refused(request.replaces, reason=f"replaced by {command.key}")
        payment = request.payment
        # What is reserved may be on its way, by a try that died before it could say so: it is not judged again.
        if payment and not await self._ledger.is_reserved(payment.key):
            if not request.despite_dispute:
                await self._check_disputes(payment)
            await self._reserve(payment, request.limit)
        try:
            accepted = await self._counterpart.execute(command, shop=request.case.shop)
        except CommandRefused as refusal:
            raise await self._refused(command.key, REFUSED, str(refusal)) from refusal
        except NotNow as later:
            # The adapter has logged what is wrong; a traceback for each try of each command would bury it.
            raise ApplicationError(
                str(later),
                type=NOT_NOW,
                next_retry_delay=later.retry_after,
                category=ApplicationErrorCategory.BENIGN,
            ) from later
        await self._ledger.command_accepted(command.key, at=command.at, reference=accepted.reference)
        activity.logger.info("command accepted", extra={"command": command.type, "reference": accepted.reference})
        return accepted

    @activity.defn(name="given_before")
    async def given_before(self, request: GivenRequest) -> bool:
        """Whether another case of the order has had a command done, for what an order gets once."""
        return await self._ledger.given_before(request.type, case=request.case)

    @activity.defn(name="enter_charge")
    async def charge(self, request: ChargeRequest) -> None:
        """Enter money that somebody else took; a repeat changes nothing."""
        await self._ledger.charge(PaymentRecord(**request.model_dump(), state="confirmed"))

    async def _check_disputes(self, payment: PaymentRecord) -> None:
        """No payment beside an open dispute: what it takes and what we pay would be the same money twice (`§18`)."""
        case = payment.case
        disputes = await self._ledger.open_disputes(shop=case.shop, order_id=case.order_id)
        if disputes and case.process != "dispute":
            raise await self._refused(payment.key, HELD, f"payments wait until {', '.join(disputes)} is closed")

    async def _reserve(self, payment: PaymentRecord, limit: Decimal | None) -> None:
        """Pay once (rule 8): the money is reserved before the command is given, within the order's total."""
        total = await self._ledger.reserve(payment, cap=limit)
        if total is not None:
            raise await self._refused(
                payment.key,
                OVER_LIMIT,
                f"all payments of the order would be {total}, with what the shop has paid back itself; its total is "
                f"{limit}; a supervisor must approve it",
            )

    async def _refused(self, key: str, kind: str, reason: str) -> ApplicationError:
        await self._ledger.command_refused(key, reason=reason)
        # A refusal is the counterpart's answer and no failure of ours: it is not logged as one.
        return ApplicationError(reason, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
