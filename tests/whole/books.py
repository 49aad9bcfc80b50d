"""What every side has written down: our ledgers, the counterpart's book, the mail server's letters."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aftersales.ids import parse_case_id
from tests.mail_server import MailServer

_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Done:
    """A command in the counterpart's book."""

    number: int
    key: str
    type: str
    data: dict[str, Any]

    @property
    def reference(self) -> str:
        """What it has answered."""
        return f"C-{self.number}"

    @property
    def order(self) -> str:
        """The order that it is for."""
        return parse_case_id(self.data["case_id"]).order_id


def book_of(file: Path) -> list[Done]:
    """All that the counterpart has done."""
    with closing(sqlite3.connect(file, timeout=5)) as book:
        rows = book.execute("SELECT number, key, type, data FROM commands ORDER BY number").fetchall()
    return [Done(number, key, type.removeprefix("command."), json.loads(data)) for number, key, type, data in rows]


def refunds(done: list[Done]) -> Decimal:
    """The money that the counterpart has paid."""
    return sum((Decimal(one.data["amount"]) for one in done if one.data.get("pays")), Decimal(0))


@dataclass
class Witness:
    """Looks at the counterpart's book and into the customers' mailboxes, for who waits for something there."""

    book: Path
    server: MailServer
    letters: Counter[str] = field(default_factory=Counter)
    """How often each Message-ID was taken."""
    mailboxes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By address: the Message-IDs of its letters, in turn."""
    done: dict[tuple[str, str], Done] = field(default_factory=dict)
    """By order and type."""
    _read: int = 0

    def look(self) -> None:
        """See what is new."""
        for envelope in self.server.taken[self._read :]:
            assert isinstance(envelope.content, bytes)
            name = str(BytesHeaderParser().parsebytes(envelope.content)["Message-ID"])
            if name not in self.letters:
                self.mailboxes[envelope.rcpt_tos[0]].append(name)
            self.letters[name] += 1
            self._read += 1
        if self.book.exists():
            for one in book_of(self.book):
                self.done.setdefault((one.order, one.type), one)

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_EVERY)

    async def letter(self, address: str, number: int, within: float) -> str:
        """The Message-ID of a customer's letter, the first one being 1, once it is there."""
        async with asyncio.timeout(within):
            while len(self.mailboxes[address]) < number:  # noqa: ASYNC110  # it comes from another process
                await asyncio.sleep(_LOOK_EVERY)
        return self.mailboxes[address][number - 1]

    async def command(self, order: str, type: str, within: float) -> Done:
        """A command for an order, once the counterpart has done it."""
        async with asyncio.timeout(within):
            while (order, type) not in self.done:  # noqa: ASYNC110  # it is done in another process
                await asyncio.sleep(_LOOK_EVERY)
        return self.done[order, type]
