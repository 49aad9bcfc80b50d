"""Scenarios: a case as a story in one YAML file, with the events of one order and what must come of them.

`spec/scenarios.md` is the format. Unknown keys are refused with file and line; the keys of the order snapshot may stand
at the top and go over every `data.order`. When the story plays, and what its dates become, is `scenario_time`'s affair;
what was expected is compared by `expectations`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from aftersales.commands import CommandType
from aftersales.faults import BadFile, Fault, faults_of, nearest
from aftersales.ids import parse_case_id
from aftersales.order import Order
from aftersales.scenario_text import as_written
from aftersales.units import Duration
from aftersales.yamlfile import Document, load_yaml

SOURCE = "rehearsal"
"""The source of events that name none."""

_COMMAND = "command."
_ORDER_KEYS = frozenset(Order.model_fields)
_COMMANDS = get_args(CommandType)


class _Part(BaseModel):
    """A part of a scenario file: nothing in it may be unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _offset(value: object) -> object:
    return "0s" if value == 0 and not isinstance(value, bool) else value


Offset = Annotated[Duration, BeforeValidator(_offset)]
"""Time since the story began: `0`, `30h`, `1h30m`, `14d`."""


def plain_command(name: str) -> str:
    """A command's name without the `command.` that it may be written with."""
    return name.removeprefix(_COMMAND)


_HOLDER = re.compile(r"x-.*|_.*|order|anchors|definitions|description|notes")
"""Keys at the top that only hold parts for anchors, or words for readers."""


class Happens(_Part):
    """An order event that comes `at` a time since the story began; `repeat` says how often the same one comes."""

    at: Offset
    type: str
    subject: str | None = None
    id: str | None = None
    source: str = SOURCE
    time: str | None = None
    data: dict[str, JsonValue] = {}
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"
    repeat: int = Field(default=1, ge=1, le=1000)

    @property
    def identity(self) -> str:
        """Its id; without one it follows from the content, so that the same event written twice is a repeat."""
        content = self.model_dump_json(exclude={"id", "repeat"})
        return self.id or f"{self.type}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


class Acts(_Part):
    """What an operator does `at` a time: decides, or moves a deadline. The values are those of the case's updates."""

    at: Offset
    case: str
    decide: dict[str, JsonValue] | None = None
    extend: dict[str, JsonValue] | None = None

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        if (self.decide is None) == (self.extend is None):
            raise ValueError("write either decide: {option, by, reason} or extend: {until, by, reason}")
        parse_case_id(self.case)
        return self


class Counterpart(_Part):
    """How a counterpart takes a command: it fails so many times first, answers after a delay, or refuses."""

    fail: int = Field(default=0, ge=0, le=1000)
    delay: Duration = timedelta()
    refuse: str | None = None


Names = list[str]
OutcomeFields = dict[str, JsonValue]


class Absent(_Part):
    """What must not come."""

    letters: Names = []
    commands: Names = []
    outcomes: list[OutcomeFields] = []


class Expect(_Part):
    """What must come, in this order; letters and commands for the whole order, or by case id or process.

    `at` gives by letter (or command) when: `<= 31h`, `30h..31h`.
    """

    letters: Names | dict[str, Names] = []
    commands: Names | dict[str, Names] = []
    outcomes: list[OutcomeFields] = []
    absent: Absent = Absent()
    at: dict[str, str] = {}


class Story(_Part):
    """The content of a scenario file, without the keys of the order snapshot."""

    name: str = ""
    policy: dict[str, JsonValue] = {}
    events: list[Happens] = Field(min_length=1)
    operators: list[Acts] = []
    counterparts: dict[str, Counterpart] = {}
    expect: Expect = Expect()


@dataclass(frozen=True)
class Scenario:
    """A scenario as it was read; `order` goes over every order snapshot, `document` knows every value's line."""

    path: Path
    story: Story
    order: Mapping[str, JsonValue]
    document: Document

    @property
    def name(self) -> str:
        """Its name; the file's where it has none."""
        return self.story.name or self.path.stem

    @property
    def counterparts(self) -> dict[str, Counterpart]:
        """How counterparts take commands, by the command's name without `command.`."""
        return {plain_command(name): rule for name, rule in self.story.counterparts.items()}

    @property
    def order_id(self) -> str:
        """The order that the story is about: the subject of its events, where they name one."""
        return next(self._subjects(), "")

    @property
    def market(self) -> str | None:
        """The market of the order."""
        orders = (event.data.get("order") for event in self.story.events)
        given = next((order["market"] for order in orders if isinstance(order, dict) and "market" in order), None)
        market = self.order.get("market", given)
        return market if isinstance(market, str) else None

    def timeline(self) -> list[Happens | Acts]:
        """Events and operators in the order of their times, events first; equal times as they stand in the file."""
        return sorted([*self.story.events, *self.story.operators], key=lambda item: item.at)

    def data_of(self, event: Happens) -> dict[str, Any]:
        """The event's data, as a copy, the order snapshot with the scenario's own values on top."""
        data: dict[str, Any] = json.loads(json.dumps(event.data))
        if self.order and isinstance(data.get("order"), dict):
            data["order"] = _merged(data["order"], self.order)
        return data

    def subject_of(self, event: Happens) -> str:
        """The event's order id; where it names none, that of its snapshot, else the story's."""
        return event.subject or _snapshot_id(event) or self.order_id

    def place(self, *loc: str | int) -> str:
        """File and line of a value of the scenario: `scenarios/return.yaml:12`."""
        mark = self.document.mark(loc)
        return f"{mark.path}:{mark.line}"

    def _subjects(self) -> Iterator[str]:
        own = self.order.get("order_id")
        yield from (event.subject for event in self.story.events if event.subject)
        yield from filter(None, map(_snapshot_id, self.story.events))
        yield from (parse_case_id(act.case).order_id for act in self.story.operators)
        yield from [own] if isinstance(own, str) else []


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises `BadFile` with file and line of everything wrong."""
    return read_scenario(load_yaml(path))


def read_scenario(document: Document) -> Scenario:
    """The scenario in a document. Raises `BadFile` with file and line of everything wrong."""
    path = document.path
    if not isinstance(document.data, dict):
        raise BadFile(path, [Fault(1, "", "is not a scenario", "write name, events and expect; see docs/scenarios.md")])
    document, faults = as_written(document, {"events", "operators", "policy", *_ORDER_KEYS})
    data = document.data
    known = Story.model_fields
    faults += [
        _fault(document, (key,), "is not a known key", nearest(str(key), [*known, *_ORDER_KEYS]))
        for key in data
        if key not in known and key not in _ORDER_KEYS and not _HOLDER.fullmatch(str(key))
    ]
    counterparts = data.get("counterparts")
    for name in counterparts if isinstance(counterparts, dict) else ():
        if (plain := plain_command(str(name))) not in _COMMANDS:
            faults.append(_fault(document, ("counterparts", name), "is not a command", nearest(plain, _COMMANDS)))
    try:
        story = Story.model_validate({key: value for key, value in data.items() if key in known})
    except ValidationError as error:
        raise BadFile(path, [*faults, *faults_of(error, document.mark, Story)]) from None
    if faults:
        raise BadFile(path, faults)
    return Scenario(path, story, {key: data[key] for key in data if key in _ORDER_KEYS}, document)


def is_scenario(document: Document) -> bool:
    """Whether a file of a folder is meant as a scenario, and not as a part that others include."""
    return isinstance(document.data, dict) and not {"events", "expect"}.isdisjoint(document.data)


def _fault(document: Document, loc: tuple[Any, ...], what: str, remedy: str) -> Fault:
    mark = document.mark(loc)
    return Fault(mark.line, ".".join(map(str, loc)), what, remedy, mark.path)


def _snapshot_id(event: Happens) -> str | None:
    order = event.data.get("order")
    found = order.get("order_id") if isinstance(order, dict) else None
    return found if isinstance(found, str) else None


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on `under`, mapping by mapping; lists and plain values are replaced."""
    both = {key: value for key, value in over.items() if key in under}
    return {**under, **over} | {
        key: _merged(under[key], value)
        for key, value in both.items()
        if isinstance(value, Mapping) and isinstance(under[key], Mapping)
    }
