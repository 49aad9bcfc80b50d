"""`send`: events from a file or standard input reach their cases."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, BinaryIO

import typer

from adapters.secrets import own_secret
from adapters.settings import Settings
from aftersales.plaintext import one_line
from aftersales.ports import Intake
from aftersales.records import EventRecord, EventStatus
from cli.connection import open_starter
from cli.event_files import Piece, read_pieces
from cli.running import Stop, run
from cli.show import console, emit

BATCH = 100
"""Events carried together: one write before and one after them, their orders side by side."""
BATCH_SIZE = 4 * 1024 * 1024
"""Characters that a batch may have, so that a file of huge events costs no more memory."""
DOOR_SIZE = 256 * 1024
"""The same for a door, whose bodies are limited in bytes."""
FEW = 200
"""Up to so many events of a file are told one by one; of more, only the refused ones."""


def send(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines or a JSON array; - is standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event.")] = False,
    to: Annotated[str, typer.Option(metavar="URL", help="A door: https://host/events; signed as shops do it.")] = "",
) -> None:
    """Send order events. Exit code 1 when any was refused; refused ones are kept, see `events --refused`."""
    run(lambda settings: _send(settings, file, as_json, to))


async def _send(settings: Settings, file: str, as_json: bool, to: str) -> int:
    counts: Counter[EventStatus] = Counter()
    with _opened(file) as stream:
        size = _size(stream)
        pieces = read_pieces(stream)
        head = _first(pieces, FEW) if size else []
        report = _Report(as_json, quiet=len(head) > FEW)
        async with _intake(settings, to) as intake:
            with report.progress(size):
                try:
                    for batch in _batches(head, pieces, DOOR_SIZE if to else BATCH_SIZE):
                        for piece, record in zip(
                            batch, await intake.handle_all([piece.raw for piece in batch]), strict=True
                        ):
                            counts[record.status] += 1
                            report.event(piece, record)
                        report.at(stream.tell() if size else 0)
                except BaseException:
                    taken = counts.total()
                    print(
                        f"stopped after {taken:,} of the events; send them again: repeats change nothing",
                        file=sys.stderr,
                    )
                    raise
    report.counts(counts)
    return 1 if counts[EventStatus.REFUSED] else 0


@asynccontextmanager
async def _intake(settings: Settings, to: str) -> AsyncIterator[Intake]:
    """Our own starter, or the door at this URL. Raises `Stop` where that does not take what it is sent."""
    if not to:
        async with open_starter(settings) as (_, starter):
            yield starter
        return
    # Other verbs are spared its time.
    from adapters.http.client import Refused, open_door

    secret = settings.secrets[0] if settings.secrets else own_secret(settings.data)
    try:
        async with open_door(to, secret) as door:
            yield door
    except Refused as refused:
        raise Stop(str(refused)) from None


def told(record: EventRecord) -> str:
    """What became of an event, for people."""
    match record.status:
        case EventStatus.STARTED:
            *signalled, started = record.cases
            others = f", signalled {', '.join(signalled)}" if signalled else ""
            return f"{record.detail or 'started'} {started}{others}"
        case EventStatus.SIGNALLED:
            return f"signalled {', '.join(record.cases)}"
        case EventStatus.NO_OPEN_CASE:
            return "no open case awaits it (kept)"
        case EventStatus.REFUSED:
            return f"refused: {record.detail}"
        case EventStatus.FOR_A_PERSON:
            return f"for a person: {record.detail}"
        case EventStatus.SET_ASIDE:
            return f"set aside: {record.detail}"
        case EventStatus.DONE_BY_HAND:
            return f"done by hand, {record.detail}"
        case EventStatus.RECEIVED:
            return "received, not carried to its end; send it again"
        case EventStatus.DUPLICATE:
            return "duplicate"


def line(record: EventRecord) -> str:
    """An event and what became of it on one line, without anything that a terminal would obey."""
    return one_line(f"{record.id} {record.type or '?'} {record.order_id or '?'} → {told(record)}")


def fields(record: EventRecord) -> dict[str, object]:
    """An event for `--json`, without its text."""
    return record.model_dump(mode="json", exclude={"raw"})


class _Report:
    """Tells what becomes of the events, one by one or as a progress bar."""

    def __init__(self, as_json: bool, *, quiet: bool) -> None:
        self._as_json, self._quiet = as_json, quiet
        self._console = console()
        self._told = 0
        self._advance: Callable[[int], None] = lambda at: None

    @contextmanager
    def progress(self, size: int) -> Iterator[None]:
        """A progress bar while a long file is read on a terminal; `size` in bytes."""
        if not (self._quiet and self._console.is_terminal and not self._as_json):
            yield
            return
        from rich.progress import Progress

        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task("sending", total=size)
            self._advance = lambda at: bar.update(task, completed=at)
            yield

    def at(self, position: int) -> None:
        """So many bytes of the file are done."""
        self._advance(position)

    def event(self, piece: Piece, record: EventRecord) -> None:
        """One event is done."""
        self._told += 1
        if self._as_json:
            emit({"line": piece.line, **fields(record)})
        elif record.status == EventStatus.REFUSED:
            where = "" if record.detail.startswith("line ") else f"line {piece.line}: "
            self._console.print(f"{where}{line(record)}", style="red")
        elif not self._quiet and self._told <= FEW:
            self._console.print(line(record))
        elif self._told == FEW + 1 and not self._quiet:
            self._console.print("… from here on only refused events are shown")
        if not self._as_json and not self._console.is_terminal:
            sys.stdout.flush()

    def counts(self, counts: Counter[EventStatus]) -> None:
        """All is done."""
        if self._as_json:
            return
        parts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in counts.most_common())
        total = counts.total()
        self._console.print(f"{total:,} event{'' if total == 1 else 's'}" + (f": {parts}" if parts else ""))
        if counts[EventStatus.REFUSED]:
            self._console.print("Refused events are kept: ./dev events --refused")


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - so that only its opening is excepted
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def _size(stream: BinaryIO) -> int:
    """The bytes of a regular file; 0 for a pipe, whose length nobody knows."""
    status = os.fstat(stream.fileno())
    return status.st_size if S_ISREG(status.st_mode) else 0


def _first(pieces: Iterator[list[Piece]], most: int) -> list[Piece]:
    """Enough of a file to tell whether it has more than so many events."""
    head: list[Piece] = []
    for some in pieces:
        head += some
        if len(head) > most:
            break
    return head


def _batches(head: list[Piece], pieces: Iterator[list[Piece]], most: int) -> Iterator[list[Piece]]:
    """Batches of events; one that is not full goes as well when nothing more is there yet."""
    for some in chain([head], pieces):
        yield from _split(some, most)


def _split(some: list[Piece], most: int) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size = 0
    for piece in some:
        if batch and (len(batch) == BATCH or size + piece.size > most):
            yield batch
            batch, size = [], 0
        batch.append(piece)
        size += piece.size
    if batch:
        yield batch
