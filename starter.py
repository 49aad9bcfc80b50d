"""Events in: each order event is written down, then starts a case or reaches the open cases that await it.

`python starter.py send FILE` and the operator's verbs (`cases`, `case`, `decide`, `events`) run against any Temporal
server by Temporal's environment configuration, as `python worker.py` does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from temporalio.client import Client
from temporalio.service import RPCError

import workflows
from adapters import histories
from adapters.database import Store
from adapters.openings import Openings
from adapters.settings import Settings
from adapters.temporal import RunningCases, rpc_problem
from aftersales.aliases import alias_in, of_order, pick, told_by
from aftersales.events import (
    CarrierClaimDecided,
    CarrierReplied,
    Checkpoint,
    CustomerConfirmed,
    CustomerReplied,
    Event,
    LetterBounced,
    MailIgnored,
    Message,
    RefundSettled,
    ReturnReceived,
)
from aftersales.ids import case_id
from aftersales.message_ids import case_of
from aftersales.opening import CaseOpened, Resume
from aftersales.plaintext import one_line
from aftersales.policies import Policies
from aftersales.ports import Intake, Unavailable
from aftersales.records import CaseRecord, EventRecord, EventStatus
from aftersales.routing import (
    FOR_ONE,
    SETTLING_NOTHING,
    NotServed,
    Start,
    case_for,
    in_hand,
    listeners,
    of_parcel,
    start_for,
)
from aftersales.screening import screen
from aftersales.taking import early, foreign, sender_of, sent_by, take, writer_of
from workflows.start import start_options

PROCESSES = {process.process: process for process in workflows.ALL}
HEARS = workflows.HEARS
FINAL = (
    EventStatus.STARTED,
    EventStatus.SIGNALLED,
    EventStatus.FOR_A_PERSON,
    EventStatus.SET_ASIDE,
    EventStatus.DONE_BY_HAND,
)
"""What became of an event once and for all: a repeat changes nothing."""


class Starter(Intake):
    """Carries order events to their cases. Every event is in the database before anything happens with it."""

    def __init__(
        self,
        client: Client,
        store: Store,
        policies: Policies,
        settings: Settings,
        *,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """`policies` are for new cases; `clock` tells the time (aware), for rehearsals."""
        self._client, self._store, self._policies = client, store, policies
        self._cases = RunningCases(client, settings.task_queue, start_options)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._openings = Openings(store, policies, self._clock)

    async def handle(self, raw: object) -> EventRecord:
        """Take one event (a decoded JSON object, or `Unreadable`); returns what became of it."""
        return (await self.handle_all([raw]))[0]

    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        """Take several events: one write before, one after. Those of one order take turns, orders run side by side.

        `aftersales.ports.Intake` says the rest.
        """
        try:
            return await self._handle_all([sent_by(raw, shop) for raw in raws])
        except RPCError as error:
            raise Unavailable(rpc_problem(error)) from error

    async def _handle_all(self, raws: Sequence[object]) -> list[EventRecord]:
        wanted = {alias for raw in raws if (alias := alias_in(raw))}
        found = await self._store.aliases(wanted) if wanted else {}
        taken = [take(raw, found, self._clock()) for raw in raws]
        told = [alias for _, event, raw in taken if event for alias in told_by(event, raw)]
        owners = {of_order(event.order_id) for _, event, _ in taken if event}
        before, known, awaited = await self._store.take_events([record for record, *_ in taken], told, owners | wanted)
        results = [record for record, *_ in taken]
        here = {(record.source, record.id) for record, event, _ in taken if event}
        awaited = [record for record in awaited if (record.source, record.id) not in here]
        orders: dict[str, list[tuple[int, Event]]] = {}
        for index, (record, event, raw) in enumerate(taken):
            if event is None:
                # Its alias may have been taught while we looked.
                told_now = pick(known, alias_in(raws[index]), sender_of(raw))
                if told_now and record.status == EventStatus.NO_OPEN_CASE:
                    awaited.append(record)
                continue
            if before[index] in FINAL or any(_repeats(record, earlier) for earlier in results[:index]):
                results[index] = record.model_copy(update={"status": EventStatus.DUPLICATE})
            elif reason := foreign(event, raw, known.get(of_order(event.order_id), ())):
                results[index] = _settled(record, EventStatus.REFUSED, reason)
            else:
                orders.setdefault(event.order_id, []).append((index, event))

        async def in_turn(events: list[tuple[int, Event]]) -> None:
            for index, event in events:
                again = before[index] in {EventStatus.RECEIVED, EventStatus.NO_OPEN_CASE}
                writer = writer_of(event, taken[index].raw)
                if writer and isinstance(event, Message) and (reason := await self._stranger(writer, event)):
                    results[index] = _settled(results[index], EventStatus.FOR_A_PERSON, reason)
                else:
                    results[index] = await self._carry(results[index], event, again=again)

        carried = await asyncio.gather(*(in_turn(events) for events in orders.values()), return_exceptions=True)
        # One that no case awaited was settled at once, and may have reached a case that opened behind it.
        settled = {EventStatus.RECEIVED, EventStatus.DUPLICATE, EventStatus.NO_OPEN_CASE}
        await self._store.settle_events([r for r in results if r.status not in settled])
        for failure in filter(None, carried):
            raise failure
        if awaited:
            once = {(record.source, record.id): json.loads(record.raw) for record in awaited}
            late = await self._handle_all([*once.values()])
            became = {(record.source, record.id): record for record in late}
            results = [became.get((record.source, record.id), record) for record in results]
        return results

    async def _carry(self, record: EventRecord, event: Event, *, again: bool) -> EventRecord:
        """Start or signal what the event is for.

        `again` when an earlier try, or one beside this one, may have done so already and did not write it down. An open
        case knows the events that it was given; what a closed one was given, only the server remembers.
        """
        if isinstance(event, LetterBounced):
            return await self._bounced(record, event)
        if isinstance(event, MailIgnored):
            detail = f"{event.kind}: a machine wrote it"
            return _settled(record, EventStatus.SET_ASIDE, detail, *filter(None, [event.case_id]))
        opened = await self._openings.opened(event)
        if isinstance(opened, NotServed):
            return _settled(record, EventStatus.REFUSED, opened.reason)
        open_cases = await self._store.open_cases(event.order_id)
        targets = await self._targets(event, open_cases)
        reached = await histories.reached(self._client, event.order_id, event.identity) if again else []
        if not reached and isinstance(event, Message) and (answered := await self._answered(event, open_cases, again)):
            return _settled(record, *answered)
        if not (reached and isinstance(event, FOR_ONE)):
            reached += [case for case in targets if case not in reached and await self._cases.tell(case, event)]
        if again and not reached:
            # The case that another try gave it to may have closed since we looked.
            reached = await histories.reached(self._client, event.order_id, event.identity)
        if opened and (not in_hand(event, reached) or (again and _own(*opened) in reached)):
            process, opening = opened
            case, is_new = await self._start(process, opening, again=again)
            return _settled(record, EventStatus.STARTED if is_new else EventStatus.SIGNALLED, "", *reached, case)
        if not reached:
            known = {case.case_id for case in open_cases}
            for case in self._guesses(event):
                if case not in known and await self._cases.tell(case, event):
                    reached.append(case)
                    if isinstance(event, FOR_ONE):
                        break
        if not reached and isinstance(event, Message):
            if case_again := await self._reopen(event, again=again):
                return _settled(record, EventStatus.STARTED, "reopened", case_again)
            if inquiry := await self._inquire(event, again=again):
                case, is_new = inquiry
                return _settled(record, EventStatus.STARTED if is_new else EventStatus.SIGNALLED, "", case)
        if reached:
            return _settled(record, EventStatus.SIGNALLED, "", *reached)
        settled = _settled(record, EventStatus.NO_OPEN_CASE, f"no open case awaits {event.type}; it is kept")
        # At once, so that a case opened by a later event of the same batch finds it.
        await self._store.settle_events([settled])
        if set(await self._targets(event, await self._store.open_cases(event.order_id))) - set(targets):
            # Another process opened a case after we looked and before it could see that this event waits.
            return await self._carry(record, event, again=True)
        return settled

    async def _stranger(self, writer: str, message: Message) -> str:
        """Why a mail is not taken as one of the order's customer; empty where it is.

        Anybody can write an order id into a mail. Who answers a letter of ours has read it, and who writes from the
        address of the order is its customer.
        """
        letter = await self._store.letter_with(message.in_reply_to) if message.in_reply_to else None
        if letter and letter.case.order_id == message.order_id:
            return ""
        order = message.order or await self._openings.newest_order(message.order_id)
        if order and order.customer.email.lower() == writer:
            return ""
        whose = f"whose customer is {order.customer.email}" if order else "which is not known here"
        named = f"a mail from {writer} names the order {message.order_id}, {whose}"
        return f"{named}: read it, and send it on by ./dev route"

    async def _bounced(self, record: EventRecord, event: LetterBounced) -> EventRecord:
        """A letter came back: a person is told which, and the ledger says so."""
        letter = await self._store.letter_bounced(event.message_id, f"{event.status} {event.text}".strip()[:500])
        which = f"the letter {letter.letter}" if letter else "a letter"
        detail = (
            f"{which} to {event.recipient or 'the customer'} came back: {event.status} {one_line(event.text)[:200]}; "
            "correct the address by order.updated and write to the customer"
        )
        case = letter.case.case_id if letter else event.case_id
        return _settled(record, EventStatus.FOR_A_PERSON, detail, *filter(None, [case]))

    async def _answered(
        self, message: Message, open_cases: Sequence[CaseRecord], again: bool
    ) -> tuple[EventStatus, str, str] | None:
        """What became of a message that names a case which is not open as far as the database knows.

        It may have been handed over a moment ago, or have lapsed and reopen; but not beside another that could settle
        the same.
        """
        named = _named(message)
        if not named or named in {case.case_id for case in open_cases}:
            return None
        if await self._cases.tell(named, message):
            return EventStatus.SIGNALLED, "", named
        others = {case.process for case in listeners(message, open_cases, HEARS)}
        if others <= SETTLING_NOTHING and (case_again := await self._reopen(message, again=again)):
            return EventStatus.STARTED, "reopened", case_again
        return None

    async def _inquire(self, message: Message, *, again: bool) -> tuple[str, bool] | None:
        """Open an inquiry for a message that belongs to no open case; its id and whether it is new.

        None where its order is unknown, or where it answers a case that was never heard of, which may still come.
        """
        named = _named(message)
        if isinstance(message, CustomerReplied) and named and not await self._store.last_case(named):
            return None
        order = message.order or await self._openings.newest_order(message.order_id)
        start = start_for(message, order, self._policies.of(order.shop)) if order else None
        if order is None or not isinstance(start, Start):
            return None
        return await self._start(start.process, await self._openings.opening_of(start, order), again=again)

    async def _targets(self, event: Event, open_cases: Sequence[CaseRecord]) -> list[str]:
        """The open cases that an event is for: the one it names, else those that have a rule for it."""
        cases = {case.case_id for case in open_cases}
        if isinstance(event, Message) and (named := _named(event)) in cases:
            return [named]
        if isinstance(event, CustomerConfirmed):
            open_cases = [case for case in open_cases if case.case_id == event.case_id]
        if isinstance(event, ReturnReceived) and event.rma:
            known = await self._store.case_of_command(type="create_rma", reference=event.rma)
            if known and known.case_id in cases:
                return [known.case_id]
        if isinstance(event, RefundSettled) and event.key:
            known = await self._store.case_of_key(event.key)
            return [known.case_id] if known and known.case_id in cases else []
        if isinstance(event, Checkpoint | CarrierReplied):
            watch = case_id("shipment-watch", event.order_id, event.parcel_no)
            if watch not in cases and await self._store.last_case(watch):
                # Nobody watches it any more, and it is no return: only its claim may still await news of it.
                open_cases = of_parcel(event, open_cases)
        return [case.case_id for case in listeners(event, open_cases, HEARS)]

    def _guesses(self, event: Event) -> list[str]:
        """Cases that may run though the database does not know them yet: one that was handed over a moment ago."""
        named = [_named(event)] if isinstance(event, Message) else []
        parcel = [event.parcel_no] if isinstance(event, Checkpoint | CarrierReplied | CarrierClaimDecided) else []
        hearing = [process for process, heard in HEARS.items() if isinstance(event, heard)]
        guesses = [case_id(process, event.order_id, *parcel) for process in hearing]
        if isinstance(event, CustomerConfirmed):
            return [case for case in guesses if case == event.case_id]
        return [case for case in [*named, *guesses] if case]

    async def _start(self, process: str, opened: CaseOpened, *, again: bool) -> tuple[str, bool]:
        """Open a case, or tell the one that is open; returns its id and whether it is new."""
        case = _own(process, opened)
        last = await self._store.last_case(case) if again else None
        was_closed = last and last.closed_at and last.trigger == opened.identity
        if not was_closed and not await self._cases.open(process, opened, again=again):
            return case, False
        record = CaseRecord(**opened.ref(process, case).model_dump(), opening=opened.as_json())
        await self._store.open_case(record)
        await self._deliver_waiting(record)
        return case, True

    async def _deliver_waiting(self, case: CaseRecord) -> None:
        """Events that came before the case which awaits them, as when a queue turns the order round, reach it now."""
        for waiting in await self._store.waiting_events(case.order_id):
            if event := early(waiting, case, HEARS, case.opened_at):
                settled = await self._carry(waiting, event, again=True)
                await self._store.settle_events([settled])

    async def _reopen(self, message: Message, *, again: bool) -> str | None:
        """A lapsed case reopens when the customer answers late, before the goods' return window ends (§2)."""
        named = _named(message)
        reopening = [name for name, process in PROCESSES.items() if process.REOPENS]
        for case in [named] if named else [case_id(process, message.order_id) for process in reopening]:
            last = await self._store.last_case(case)
            if last is None or not _reopens(last, message) or not (opened := await self._openings.opening(last)):
                continue
            delivered = opened.order.delivered_at or opened.opened_at
            if message.happened_at < delivered + opened.policy.returns.window_for(opened.order.market):
                resume = Resume(letter=last.stage or "", sent_by=last.trigger, message=cast(Any, message))
                now = min(message.happened_at, self._clock())
                reopened = opened.model_copy(update={"resume": resume, "opened_at": now})
                await self._start(last.process, reopened, again=again)
                return case
        return None


def _reopens(last: CaseRecord, message: Message) -> bool:
    """Whether a message reopens a closed case: received before it closed, or late and meaning what the process asks."""
    meanings = PROCESSES[last.process].REOPENS
    if last.closed_at is None or last.result is None or last.result not in meanings:
        return False
    wanted = meanings[last.result]
    if not wanted or message.happened_at < last.closed_at:
        return True
    return screen(message.text, message.choice, (wanted, "insist"), message.language or "en").intent == wanted


def _named(message: Message) -> str:
    """The case that a message names: by the letter it answers, or outright; empty where it names none."""
    return (case_of(message.in_reply_to) if message.in_reply_to else None) or message.case_id or ""


def _own(process: str, opened: CaseOpened) -> str:
    """The case that an event opens."""
    return case_for(process, opened.trigger, opened.order)


def _repeats(record: EventRecord, earlier: EventRecord) -> bool:
    """Whether an event came before in the same batch; one that was refused may come again, corrected."""
    same = record.id == earlier.id and record.source == earlier.source
    return same and earlier.status != EventStatus.REFUSED


def _settled(record: EventRecord, status: EventStatus, detail: str, *cases: str) -> EventRecord:
    return record.model_copy(update={"status": status, "detail": detail, "cases": tuple(dict.fromkeys(cases))})


def main() -> None:
    """Entry point: the command line of `cli/`."""
    from cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
