"""Plays the day: events through the real starter, decisions through the real update, at their times."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowUpdateFailedError

from aftersales.ids import parse_case_id
from aftersales.records import EventRecord, EventStatus
from cli.demo.day import Day, Step, Story
from cli.demo.feed import Feed
from cli.send import told
from starter import Starter
from workflows.requests import Decide

TAKEN = (EventStatus.STARTED, EventStatus.SIGNALLED)


class Player:
    """Plays every story side by side."""

    def __init__(self, day: Day, starter: Starter, client: Client, feed: Feed) -> None:
        self.feed = feed
        self._day, self._starter, self._client = day, starter, client
        self._surprises: list[str] = []
        self._decided_by_others: set[str] = set()
        self.duplicates = 0

    async def play(self) -> None:
        """Play the whole day, until every case that should close is closed."""
        await asyncio.gather(*(self._story(story) for story in self._day.stories))
        await self.feed.until_closed(self._expected())

    def problems(self) -> list[str]:
        """Events that became something else than the day says, and cases that ended otherwise, in words."""
        expected, results = self._expected(), self.feed.results
        wrong = [
            f"{case}: expected {_then(expected.get(case, ()))}, got {_then(results.get(case, ()))}"
            for case in sorted({*expected, *results})
            if self._is_ours(case) and tuple(expected.get(case, ())) != tuple(results.get(case, ()))
        ]
        return [*self._surprises, *wrong]

    def _expected(self) -> dict[str, tuple[str, ...]]:
        return {case: results for case, results in self._day.expected().items() if self._is_ours(case)}

    def _is_ours(self, case: str) -> bool:
        """Whether the day goes on as it is written; not where somebody at another terminal decided."""
        return parse_case_id(case).order_id not in self._decided_by_others

    async def _story(self, story: Story) -> None:
        facts = 0
        await asyncio.sleep(max(0.0, story.at - self.feed.elapsed))
        for step in story.steps:
            if step.after:
                facts = await self.feed.until(story.order, step.after, facts)
            if step is not story.steps[0]:
                await asyncio.sleep(step.wait)
            if step.decide is None:
                await self._send(story, step)
            elif not await self._decide(story, step, step.decide):
                self._decided_by_others.add(story.order)
                self.feed.tell(story.order, "decided at another terminal; how it goes on is theirs", "taken")
                return

    async def _send(self, story: Story, step: Step) -> None:
        known = self.feed.references[story.order]
        event = self._day.event_of(story, step, now=datetime.now(UTC), letter=known.get("letter", ""), references=known)
        self._tell(await self._starter.handle(event), [step.becomes] if step.becomes else TAKEN, _words(step))
        if step.twice:
            self._tell(await self._starter.handle(event), [EventStatus.DUPLICATE], _words(step))
            self.duplicates += 1

    def _tell(self, record: EventRecord, awaited: Sequence[EventStatus | None], words: str) -> None:
        """Tell of an event and what became of it."""
        reached = record.status in TAKEN
        about = record.cases[-1] if record.cases else record.order_id
        self.feed.tell(about, f"{record.type}{words}: {told(record)}", "event" if reached else "odd", record.cases)
        if record.status not in awaited:
            self._surprises.append(f"{record.id} {record.type}: {told(record)}")

    async def _decide(self, story: Story, step: Step, option: str) -> bool:
        """Take an operator's decision; False where somebody at another terminal was faster."""
        case = self.feed.deciding(story.order)
        if case is None:
            return False
        decision = Decide(
            option=option, by=step.by, reason=step.reason, amount=None if step.amount is None else str(step.amount)
        )
        try:
            await self._client.get_workflow_handle(case.case).execute_update("decide", decision)
        except WorkflowUpdateFailedError:
            return False
        case.question = None
        self.feed.tell(case.case, f"decision taken: {option}, by {step.by} ({step.reason})", "taken", [case.case])
        return True


def _words(step: Step) -> str:
    """What the customer says, shortened."""
    if step.says is None:
        return f" (choice {step.chooses})" if step.chooses is not None else ""
    return f" “{step.says if len(step.says) <= 40 else step.says[:39] + '…'}”"


def _then(results: Sequence[str]) -> str:
    return ", then ".join(results) or "no end"
