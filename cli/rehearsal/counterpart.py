"""The counterpart of a rehearsal: it accepts every command, but fails, is late or refuses where told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from adapters.counterparts import Booked
from aftersales.commands import Command, CommandAccepted, CommandRefused
from aftersales.scenario import Counterpart
from cli.rehearsal.virtual_case import REHEARSED_FAILURE

_QUIET = ApplicationErrorCategory.BENIGN
"""A failure that the story wants is no news for the log."""


class Rehearsed:
    """Implements `aftersales.ports.Counterpart`; `answered` has the keys of all commands accepted or refused."""

    def __init__(self, rules: Mapping[str, Counterpart]) -> None:
        """`rules` say for a command's name how it is taken."""
        self._rules = rules
        self._booked = Booked()
        self._failed: Counter[str] = Counter()
        self._late: set[str] = set()
        self.answered: set[str] = set()
        self.references: dict[str, str] = {}
        """The newest reference given to each kind of command."""

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Take a command as the scenario says.

        Raises:
            CommandRefused: in the scenario's words.
            ApplicationError: it fails this time, or answers later; to be tried again.
        """
        rule = self._rules.get(command.type, Counterpart())
        if rule.delay and command.key not in self._late:
            self._late.add(command.key)
            raise ApplicationError(
                "answers later", type=REHEARSED_FAILURE, next_retry_delay=rule.delay, category=_QUIET
            )
        if self._failed[command.type] < rule.fail:
            self._failed[command.type] += 1
            raise ApplicationError("fails, as the scenario says", type=REHEARSED_FAILURE, category=_QUIET)
        self.answered.add(command.key)
        if rule.refuse is not None:
            raise CommandRefused(rule.refuse)
        accepted = await self._booked.execute(command, shop=shop)
        self.references[command.type] = accepted.reference
        return accepted
