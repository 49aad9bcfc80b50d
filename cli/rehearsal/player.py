"""Plays one scenario: its events through the real starter, its operators through the cases' updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from adapters.database import Store
from aftersales.expectations import Came, Result, missed, shown
from aftersales.outcome import Outcome
from aftersales.records import CommandRecord, EventRecord, EventStatus, LetterRecord
from aftersales.scenario import Acts, Happens, Scenario
from aftersales.scenario_time import Calendar, rfc3339
from aftersales.variants import key_of
from cli.rehearsal.counterpart import Rehearsed
from cli.rehearsal.virtual import EARLY, Stuck, VirtualTime
from starter import Starter

HORIZON = timedelta(days=120)
"""How long after the last event a case may still run before it counts as one that does not end."""


class Line(NamedTuple):
    """A line of the timeline: when since the story began, what kind of thing, of which case, in words."""

    at: timedelta
    kind: str
    case: str
    text: str


@dataclass
class Performance:
    """A scenario as it was played: what came of it, what was missed, and the timeline."""

    scenario: Scenario
    result: Result = field(default_factory=Result)
    missed: list[str] = field(default_factory=list)
    timeline: list[Line] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.missed


class Player:
    """Plays a scenario in a world of its own: an empty store, and a clock that nobody else uses."""

    def __init__(
        self, scenario: Scenario, *, time: VirtualTime, starter: Starter, store: Store, counterpart: Rehearsed
    ) -> None:
        self._scenario, self._time, self._starter = scenario, time, starter
        self._store, self._counterpart = store, counterpart
        self._calendar = Calendar(scenario, time.now())
        self._timeline: list[Line] = []
        self._refused: list[str] = []

    async def play(self) -> Performance:
        """Play it to the end of all its cases, and compare."""
        self._time.jump(self._calendar.begins)
        stuck = []
        try:
            await self._items()
        except (Stuck, RPCError) as error:
            stuck.append(f"{self._scenario.path}: the story does not go on: {error}")
            self._add(self._time.now(), "stuck", "", str(error))
        result = await self._result()
        return Performance(
            scenario=self._scenario,
            result=result,
            missed=[*stuck, *missed(self._scenario, result)],
            timeline=sorted(self._timeline, key=_cause_first),
        )

    async def _items(self) -> None:
        story, at = self._scenario.story, self._calendar.begins
        for item in self._scenario.timeline():
            at = self._calendar.begins + item.at
            await self._time.advance(at)
            if isinstance(item, Happens):
                place = self._scenario.place("events", story.events.index(item))
                for _ in range(item.repeat):
                    await self._happens(item, at, place)
            else:
                await self._acts(item, at, self._scenario.place("operators", story.operators.index(item)))
            await self._time.settle()
        await self._time.run_out(at + HORIZON)

    async def _happens(self, event: Happens, at: datetime, place: str) -> None:
        record = await self._starter.handle(self._raw(event, at))
        told = _BECAME.get(record.status, record.status.value.replace("_", " "))
        text = f"{event.type}: {told}" + (f" {', '.join(record.cases)}" if record.cases else "")
        if record.detail:
            text += f" ({record.detail})"
        if record.status == EventStatus.REFUSED:
            self._refused.append(f"{place}: {event.type} was refused: {record.detail}")
        self._add(at, "event", "", text)

    def _raw(self, event: Happens, at: datetime) -> dict[str, Any]:
        data = self._calendar.placed(self._scenario.data_of(event))
        if data.get("rma") == "*":
            data["rma"] = self._counterpart.references.get("create_rma", "*")
        if event.type == "shipment.checkpoint":
            data.setdefault("at", rfc3339(at))
        time = rfc3339(at) if event.time is None else self._calendar.placed(event.time, "time")
        return {
            "specversion": "1.0",
            "id": event.identity,
            "source": event.source,
            "type": event.type,
            "subject": self._scenario.subject_of(event),
            "time": time,
            "datacontenttype": "application/json",
            "data": data,
        }

    async def _acts(self, act: Acts, at: datetime, place: str) -> None:
        update, given = ("decide", act.decide) if act.decide is not None else ("extend", act.extend)
        given = {"reason": "as the story has it", **(given or {})}
        try:
            answer = await self._time.client.get_workflow_handle(act.case).execute_update(
                update, self._calendar.placed(given), result_type=str
            )
        except (WorkflowUpdateFailedError, RPCError) as error:
            why = str(error.cause if isinstance(error, WorkflowUpdateFailedError) else error)
            self._refused.append(f"{place}: {update} was refused: {why}")
            answer = f"refused: {why}"
        self._add(at, "operator", act.case, f"{update}: {answer}")

    async def _result(self) -> Result:
        letters, commands, outcomes = list[Came](), list[Came](), list[Came]()
        for case in self._time.cases.values():
            for line in await self._store.views.case_story(case.id):
                at = line.at - self._calendar.begins
                match line.what:
                    case LetterRecord() as letter if letter.sent_at:
                        letters.append(Came(letter.letter, at, case.id))
                        self._add(
                            line.at, "letter", case.id, f"{key_of(letter.letter, letter.variant)} ({letter.language})"
                        )
                    case CommandRecord() as command if command.key in self._counterpart.answered:
                        commands.append(Came(command.type, at, case.id))
                        self._add(line.at, "command", case.id, _command(command))
                    case Outcome() as outcome:
                        fields = outcome.flat()
                        outcomes.append(Came(f"{outcome.process} {outcome.result}", at, case.id, fields))
                        self._add(line.at, "outcome", case.id, _outcome(outcome))
                        self._decisions(outcome)
                    case EventRecord() | LetterRecord() | CommandRecord():
                        pass
            attributes, told = dict[str, Any](), ""
            for at_moment, changed in case.shown:
                attributes |= changed
                if (now_told := _stage(attributes, self._calendar.begins)) != told:
                    told = now_told
                    self._add(at_moment, "stage", case.id, told)
        return Result(
            letters=_by_time(letters),
            commands=_by_time(commands),
            outcomes=_by_time(outcomes),
            refused=self._refused,
            open_cases=list(self._open_cases()),
        )

    def _decisions(self, outcome: Outcome) -> None:
        for taken in outcome.decisions:
            if not taken.by:
                self._add(taken.at, "decision", outcome.case_id, f"nobody decided: {taken.option}")

    def _open_cases(self) -> Iterator[str]:
        for case in self._time.open_cases:
            attributes: dict[str, Any] = {}
            for _, changed in case.shown:
                attributes |= changed
            told = _stage(attributes, self._calendar.begins)
            self._add(self._time.now(), "open", case.id, f"still open, stage {told}")
            yield f"{case.id} is still open {shown(self._time.now() - self._calendar.begins)} on, stage {told}"

    def _add(self, at: datetime, kind: str, case: str, text: str) -> None:
        self._timeline.append(Line(at - self._calendar.begins, kind, case, text))


_BECAME = {EventStatus.STARTED: "started", EventStatus.SIGNALLED: "reached"}


def _cause_first(line: Line) -> timedelta:
    """A case may be a little behind the clock when it is told something."""
    return line.at - EARLY if line.kind in {"event", "operator"} else line.at


def _by_time(came: list[Came]) -> list[Came]:
    return sorted(came, key=lambda item: item.at)


def _command(command: CommandRecord) -> str:
    amount = f" {command.data['amount']} {command.data.get('currency', '')}" if "amount" in command.data else ""
    became = f"refused: {command.refused}" if command.refused else f"accepted, {command.reference}"
    return f"{command.type}{amount} {became}"


def _outcome(outcome: Outcome) -> str:
    paid = "".join(f", {kind} {amount} {outcome.currency}" for kind, amount in outcome.amounts.items())
    return f"{outcome.result}{paid}"


def _stage(attributes: dict[str, Any], begins: datetime) -> str:
    stage, deadline = attributes.get("Stage", ""), attributes.get("Deadline")
    until = f", until {shown(datetime.fromisoformat(deadline) - begins)}" if deadline else ""
    return f"{stage}{until}"
