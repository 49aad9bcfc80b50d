"""Commands to counterparts: claimed, given once, and written down with the counterpart's reference."""

from __future__ import annotations

from decimal import Decimal

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from aftersales.commands import Command, CommandAccepted, CommandRefused
from aftersales.model import Amount, Model
from aftersales.ports import CommandLedger, Counterpart
from aftersales.records import CaseRef, CommandRecord

REFUSED = "CommandRefused"
"""The error type of a command that its counterpart refused, in the counterpart's words."""
OVER_LIMIT = "OverLimit"
"""The error type of a payment that a supervisor must approve first."""


class CommandRequest(Model):
    """One command of a case.

    `limit` is there for a payment: what all payments of the order together may reach (rule 8). `replaces` is the key of
    a command that came to nothing although it was accepted: its money does not count any more.
    """

    case: CaseRef
    command: Command
    limit: Amount | None = None
    replaces: str = ""


class Commands:
    """Gives the commands of cases to their counterparts."""

    def __init__(self, counterpart: Counterpart, ledger: CommandLedger) -> None:
        self._counterpart, self._ledger = counterpart, ledger

    @activity.defn(name="give_command")
    async def give(self, request: CommandRequest) -> CommandAccepted:
        """Have one command done, once for its key however often this runs.

        Raises:
            ApplicationError: of type `CommandRefused` or `OverLimit`, not to be tried again under this key.
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
        if request.limit is not None:
            await self._check_limit(request, request.limit)
        try:
            accepted = await self._counterpart.execute(command)
        except CommandRefused as refusal:
            raise await self._refused(command.key, REFUSED, str(refusal)) from refusal
        await self._ledger.command_accepted(command.key, at=command.at, reference=accepted.reference)
        activity.logger.info("command accepted", extra={"command": command.type, "reference": accepted.reference})
        return accepted

    async def _check_limit(self, request: CommandRequest, limit: Decimal) -> None:
        """Pay once (rule 8). Claimed before it is counted, so that of two payments at once never both slip through."""
        paid = await self._ledger.paid(shop=request.case.shop, order_id=request.case.order_id)
        if paid > limit:
            raise await self._refused(
                request.command.key,
                OVER_LIMIT,
                f"all payments of the order would be {paid}, its total is {limit}; a supervisor must approve it",
            )

    async def _refused(self, key: str, kind: str, reason: str) -> ApplicationError:
        await self._ledger.command_refused(key, reason=reason)
        # A refusal is the counterpart's answer and no failure of ours: it is not logged as one.
        return ApplicationError(reason, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
