"""The embedded counterpart: it accepts every command. The command ledger in the database is its book."""

from __future__ import annotations

import hashlib

from aftersales.commands import Command, CommandAccepted

_PREFIX = {"create_rma": "RMA", "issue_return_label": "LABEL", "reship": "SHIP", "refund": "RF", "send_back": "BACK"}


class Booked:
    """Accepts every command; the reference follows from the key, so that a repeat gets the same one."""

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Accept the command, whichever shop it is for."""
        number = hashlib.sha256(command.key.encode()).hexdigest()[:8].upper()
        return CommandAccepted(reference=f"{_PREFIX.get(command.type, 'OK')}-{number}")
