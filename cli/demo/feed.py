"""What is going on in the demo's cases, read again and again from the database and the server as operators would."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NoReturn, TypeAlias

from temporalio.client import Client

from adapters.database import Store
from aftersales.ids import parse_case_id
from aftersales.outcome import Outcome
from aftersales.records import CommandRecord, LetterRecord
from cli.case import Decision, open_decision
from cli.looking import CaseNow, listed, of_processes

EVERY = 0.4
"""Seconds between two looks."""
JUST_NOW = 3.0
"""Seconds in which an event, rather than its deadline, counts as the reason why a case moved on."""

Effect: TypeAlias = LetterRecord | CommandRecord | Outcome
Kind = Literal["event", "letter", "command", "deadline", "needed", "taken", "closed", "odd"]


@dataclass(frozen=True)
class Happening:
    """Something worth a line: `at` in seconds since the day began, `about` a case, or an order without one."""

    at: float
    about: str
    text: str
    kind: Kind


@dataclass
class CaseSeen:
    """A case as a line of the table; `result` is there when its newest run is closed, `closed` when that was seen."""

    case: str
    language: str
    run_id: str
    opened_at: datetime
    stage: str = ""
    deadline: datetime | None = None
    last_letter: str = ""
    result: str = ""
    closed: float = 0.0
    question: Decision | None = None


@dataclass
class Feed:
    """What was seen so far. `watch` keeps it up to date, `until` waits for a fact in it."""

    store: Store
    client: Client
    languages: Mapping[str, str]
    began: float = field(default_factory=time.monotonic)
    cases: dict[str, CaseSeen] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    results: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    references: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """The references of commands by order, then type; under `letter` the Message-ID of the order's newest letter."""

    def __post_init__(self) -> None:
        self._facts: dict[str, list[str]] = defaultdict(list)
        self._seen: set[object] = set()
        self._heard: dict[str, float] = {}
        self._looked = asyncio.Condition()

    @property
    def elapsed(self) -> float:
        """Seconds since the day began."""
        return time.monotonic() - self.began

    def tell(self, about: str, text: str, kind: Kind, reached: Iterable[str] = ()) -> None:
        """Add a happening; `reached` are the cases that just got an event."""
        self.happenings.append(Happening(self.elapsed, about, text, kind))
        self._heard |= dict.fromkeys(reached, self.elapsed)

    async def until(self, order: str, fact: str, start: int) -> int:
        """Wait for a fact of an order that is not among its first `start` ones; returns how many there are with it."""
        facts = self._facts[order]
        async with self._looked:
            await self._looked.wait_for(lambda: fact in facts[start:])
        return facts.index(fact, start) + 1

    async def until_closed(self, expected: Mapping[str, Sequence[str]]) -> None:
        """Wait until every case is closed that is open, and has as many ends as are expected of it."""

        def closed() -> bool:
            ended = all(len(self.results[case]) >= len(ends) for case, ends in expected.items())
            return ended and all(seen.result for seen in self.cases.values())

        async with self._looked:
            await self._looked.wait_for(closed)

    def deciding(self, order: str) -> CaseSeen | None:
        """The case of an order that waits for an operator."""
        asking = [seen for seen in self.cases.values() if seen.question and parse_case_id(seen.case).order_id == order]
        return asking[0] if asking else None

    async def watch(self) -> NoReturn:
        """Look at everything, again and again."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Look at everything once."""
        runs = [CaseNow.of(run) async for run in listed(self.client, [of_processes()])]
        for run in sorted(runs, key=lambda run: run.opened_at):
            await self._run(run)
        views = self.store.views
        done: list[Effect] = [*await views.letters(), *await views.commands(), *await views.outcomes()]
        for effect in sorted(done, key=_moment):
            match effect:
                case LetterRecord():
                    self._letter(effect)
                case CommandRecord():
                    self._command(effect)
                case Outcome():
                    self._outcome(effect)
        async with self._looked:
            self._looked.notify_all()

    async def _run(self, run: CaseNow) -> None:
        """Take in stage and deadline of a run, and what follows from a change."""
        seen = self.cases.get(run.case)
        if seen is None or seen.run_id != run.run_id:
            if seen and run.opened_at < seen.opened_at:
                return
            language = self.languages.get(parse_case_id(run.case).order_id, "")
            last = seen.last_letter if seen else ""
            seen = self.cases[run.case] = CaseSeen(run.case, language, run.run_id, run.opened_at, last_letter=last)
        self._passed(seen, run)
        moved = (seen.stage, seen.deadline) != (run.stage, run.deadline)
        seen.stage, seen.deadline = run.stage, run.deadline
        if run.result and not (run.open or seen.result):
            # A short case: its outcome was written down before the server listed it.
            seen.result, seen.closed = run.result, self.elapsed
        if moved and run.deadline and run.deadline <= datetime.now(UTC):
            # It moved on at once: there was nothing to wait for.
            self._seen.add(("deadline", run.run_id, run.deadline))
        if run.stage != "decision":
            seen.question = None
        elif moved or seen.question is None:
            seen.question = await open_decision(self.client, run.case, run.run_id)
            if seen.question:
                self._fact(run.case, "decision")
                self.tell(run.case, f"decision needed: {seen.question.question}", "needed")

    def _passed(self, seen: CaseSeen, run: CaseNow) -> None:
        """Tell of a deadline that was seen and has passed, unless the case moved on because of an event."""
        key = ("deadline", seen.run_id, seen.deadline)
        if seen.deadline is None or seen.deadline > datetime.now(UTC) or key in self._seen:
            return
        self._seen.add(key)
        moved = (seen.stage, seen.deadline) != (run.stage, run.deadline)
        if moved and self.elapsed - self._heard.get(seen.case, -JUST_NOW) < JUST_NOW:
            return
        what = "nobody decided in time" if seen.stage == "decision" else f"the deadline of {seen.stage} passed"
        self.tell(seen.case, what, "deadline")

    def _letter(self, letter: LetterRecord) -> None:
        if letter.sent_at is None or not self._is_new(letter.key):
            return
        case = letter.case.case_id
        self.references[letter.case.order_id]["letter"] = letter.message_id
        if case in self.cases:
            self.cases[case].last_letter = letter.letter
        self._fact(case, f"letter {letter.letter}")
        self.tell(case, f"letter {letter.letter} ({letter.language}) sent", "letter")

    def _command(self, command: CommandRecord) -> None:
        if command.reference is None or not self._is_new(command.key):
            return
        case = command.case.case_id
        self.references[command.case.order_id][command.type] = command.reference
        self._fact(case, f"command {command.type}")
        money = f" {command.data['currency']} {command.data['amount']}" if "amount" in command.data else ""
        self.tell(case, f"command {command.type}{money} → {command.reference}", "command")

    def _outcome(self, outcome: Outcome) -> None:
        if not self._is_new((outcome.case_id, outcome.trigger)):
            return
        self.results[outcome.case_id].append(outcome.result)
        if seen := self.cases.get(outcome.case_id):
            seen.result, seen.closed, seen.question = outcome.result, self.elapsed, None
        self._fact(outcome.case_id, f"closed {outcome.process}")
        money = "".join(f", {kind} {outcome.currency} {amount}" for kind, amount in outcome.amounts.items())
        self.tell(outcome.case_id, f"closed: {outcome.result}{money}", "closed")

    def _is_new(self, key: object) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _fact(self, case: str, fact: str) -> None:
        self._facts[parse_case_id(case).order_id].append(fact)


def _moment(done: Effect) -> datetime:
    return done.closed_at if isinstance(done, Outcome) else done.claimed_at
