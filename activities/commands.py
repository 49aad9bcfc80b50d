"""Commands to counterparts: claimed, given once, and written down with the counterpart's reference."""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError

from aftersales.commands import Command, CommandAccepted, CommandRefused
from aftersales.model import Model
from aftersales.ports import CommandLedger, Counterpart
from aftersales.records import CaseRef, CommandRecord

REFUSED = "CommandRefused"
"""The error type with which a refused command reaches its case."""


class CommandRequest(Model):
    """One command of a case."""

    case: CaseRef
    command: Command


class Commands:
    """Gives the commands of cases to their counterparts."""

    def __init__(self, counterpart: Counterpart, ledger: CommandLedger) -> None:
        self._counterpart, self._ledger = counterpart, ledger

    @activity.defn(name="give_command")
    async def give(self, request: CommandRequest) -> CommandAccepted:
        """Have one command done, once for its key however often this runs.

        Raises:
            ApplicationError: of type `CommandRefused`, not to be tried again, in the counterpart's words.
        """
        command = request.command
        known = await self._ledger.command(command.key)
        if known and known.reference is not None:
            return CommandAccepted(reference=known.reference)
        if known is None:
            await self._ledger.claim_command(
                CommandRecord(
                    key=command.key, case=request.case, type=command.type, data=command.data, claimed_at=command.at
                )
            )
        try:
            accepted = await self._counterpart.execute(command)
        except CommandRefused as refusal:
            await self._ledger.command_refused(command.key, reason=str(refusal))
            raise ApplicationError(str(refusal), type=REFUSED, non_retryable=True) from refusal
        await self._ledger.command_accepted(command.key, at=command.at, reference=accepted.reference)
        activity.logger.info("command accepted", extra={"command": command.type, "reference": accepted.reference})
        return accepted
