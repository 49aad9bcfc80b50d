"""Whether every event has somewhere to go: what the processes hear, against the list of event types."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aftersales import routing
from aftersales.events import INTERNAL, TYPES, Event, Message
from aftersales.faults import Fault, nearest
from aftersales.routing import STARTING
from starter import HEARS
from workflows.case import Case

BY_KEY = frozenset({"refund.settled", "letter.bounced", "mail.ignored"})
"""Event types that reach the case which gave the command that they name, or none."""


class _Named(NamedTuple):
    process: str
    line: int


def route_problems(processes: Sequence[type[Case]]) -> list[Fault]:
    """What is wrong with the routes of these processes."""
    return [*_events(processes), *_hears(processes), *_starts(processes)]


def _events(processes: Sequence[type[Case]]) -> Iterator[Fault]:
    """Every event type starts a process or is heard by one."""
    heard = tuple(kind for process in processes for kind in HEARS[process.process])
    served = BY_KEY | {name for name, kind in TYPES.items() if issubclass(kind, (*STARTING, *heard))}
    for name, kind in TYPES.items():
        if name not in served | INTERNAL:
            yield _at(
                kind, name, "starts no process and none hears it", "add it to HEARS of the process that awaits it"
            )


def _hears(processes: Sequence[type[Case]]) -> Iterator[Fault]:
    """What a process hears is an event, and it says which letters it sends, if only that there are none."""
    for process in processes:
        for kind in process.HEARS:
            if kind not in TYPES.values() and kind is not Message:
                yield _at(process, process.process, f"hears {kind.__name__}, which no event type is")
        if not hasattr(process, "LETTERS"):
            yield _at(process, process.process, "has no letters", "declare those that it sends in LETTERS")


def _starts(processes: Sequence[type[Case]]) -> Iterator[Fault]:
    """Routing starts processes that are there."""
    known = {process.process for process in processes}
    source = Path(routing.__file__)
    for process, line in _started(source):
        if process not in known:
            yield Fault(
                line, process, "is started, but no such process is in workflows.ALL", nearest(process, known), source
            )


def _started(source: Path) -> Iterator[_Named]:
    """The processes that the source of the routing names in `Start("…", …)`."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="Start"), args=[ast.Constant(value=str(process)), *_]):
                yield _Named(process, node.lineno)
            case _:
                continue


def _at(kind: type[Event] | type[Case], where: str, what: str, remedy: str = "") -> Fault:
    """A fault at the place where a class stands."""
    return Fault(inspect.getsourcelines(kind)[1], where, what, remedy, Path(inspect.getfile(kind)))
