"""The default channel: letters as `.eml` files in a folder, which any mail program opens.

`<folder>/<order id>/<time>-<letter>-<hash of the key>.eml`; the folder of an order whose id does not suit a file
system ends in a short hash of the id.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from adapters.files import write_whole
from adapters.letter_mail import compose
from aftersales.ids import parse_case_id
from aftersales.ports import Trying
from aftersales.sending import Outgoing

_LONGEST_FOLDER = 60


class OutboxError(OSError):
    """The outbox folder cannot be written; the text names it and says what to do."""


class Outbox:
    """Writes letters into a folder. Implements `aftersales.ports.Channel`."""

    def __init__(self, folder: Path, *, mailbox: str = "", reply_to: str = "") -> None:
        """`folder` is made when the first letter is written; `mailbox` and `reply_to` are as in `compose`."""
        self._folder, self._mailbox, self._reply_to = folder, mailbox, reply_to

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        """Write one letter, once per key; returns the file's path inside the outbox folder.

        Raises:
            OutboxError: the folder cannot be made or written.
            ValueError: the customer's e-mail address is none, or its time has no offset.
        """
        message = compose(letter, mailbox=self._mailbox, reply_to=self._reply_to)
        folder = self._folder / _folder_name(parse_case_id(letter.case_id).order_id)
        file = f"{letter.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{_safe(letter.name)}{_end(letter.key)}"
        try:
            path = await asyncio.to_thread(_write_once, folder, file, message.as_bytes())
        except OSError as error:
            raise OutboxError(
                error.errno,
                f"the outbox {self._folder} cannot be written: {error.strerror}; "
                "make room, give the worker leave to write there, or set another folder",
            ) from error
        return path.relative_to(self._folder).as_posix()


def written(folder: Path, order_id: str, key: str) -> Path | None:
    """The file of the letter with this key in an outbox folder; None where it has none."""
    return next((folder / _folder_name(order_id)).glob(f"*{_end(key)}"), None)


def _end(key: str) -> str:
    return f"-{_short(key, 10)}.eml"


def _write_once(folder: Path, file: str, content: bytes) -> Path:
    """Write the file unless one with the same key is there; whole or not at all, whatever happens meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        # A later attempt may carry a later time: the key at the end decides.
        end = f"-{file.rpartition('-')[2]}"
        for written in os.listdir(folder):
            if written.endswith(end):
                return folder / written
        path = folder / file
        write_whole(path, content)
    return path


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep others out of a folder: an attempt whose time ran out may still be at it when the next one comes.

    The lock ends with its holder, however that ends.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _folder_name(order_id: str) -> str:
    safe = _safe(order_id)
    # Some disks ignore case: ids that another one could differ from by case alone are told apart too.
    return safe if safe == order_id == order_id.upper() else f"{safe[:_LONGEST_FOLDER]}-{_short(order_id, 8)}"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:_LONGEST_FOLDER] or "_"


def _short(text: str, digits: int) -> str:
    return sha256(text.encode()).hexdigest()[:digits]
