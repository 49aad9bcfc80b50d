"""Each step between activity, ledger, outbox and Temporal fails in turn after its effect: nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import email
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError

from adapters.counterparts import Booked
from adapters.database import Store, open_store
from adapters.outbox import Outbox
from adapters.settings import Settings
from aftersales.commands import Command, CommandAccepted, CommandRefused
from aftersales.letters import Books, Rendered
from aftersales.order import Customer
from aftersales.policies import Policies
from aftersales.policy import Policy, load_policy
from aftersales.records import EventStatus
from aftersales.sending import Outgoing
from starter import Starter
from tests.books import book
from tests.events import event, now, replied, return_requested, returned
from tests.letters_out import nothing
from worker import build_worker


class Cut(Exception):
    """The power went out."""


@dataclass
class Cuts:
    """Steps that fail, each the first time that it is done for something."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()

    def around(self, target: Any) -> Any:
        """The target, with the steps cut."""
        return _Cutting(target, self)

    def cut(self, step: str, what: str) -> None:
        """Fail when this is the first time."""
        if (step, what) not in self._seen:
            self._seen.add((step, what))
            self.happened[step] += 1
            raise Cut(f"{step} of {what}")


class _Cutting:
    def __init__(self, target: Any, cuts: Cuts) -> None:
        self._target, self._cuts = target, cuts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name not in self._cuts.before | self._cuts.after:
            return found

        @wraps(found)
        async def cutting(*args: Any, **kwargs: Any) -> Any:
            what = repr(args[:1]) + repr(kwargs.get("key", kwargs.get("id", "")))
            if name in self._cuts.before:
                self._cuts.cut(name, what)
            done = await found(*args, **kwargs)
            if name in self._cuts.after:
                self._cuts.cut(name, what)
            return done

        return cutting


class Counting(Booked):
    """A counterpart that counts what it carried out, and refuses what it is told to."""

    def __init__(self) -> None:
        self.done: Counter[tuple[str, str]] = Counter()
        self.refused: set[str] = set()

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Done once per key, as the port asks."""
        if command.type in self.refused:
            raise CommandRefused("no such order")
        self.done[command.type, command.key] += 1
        return await super().execute(command, shop=shop)

    def types(self, order: str) -> list[str]:
        """What was carried out for an order, repeats of a key left out."""
        return sorted(kind for kind, key in self.done if f"/{order}#" in key)


@dataclass
class Shop:
    """A worker, a starter and all that they write, in this process."""

    client: Client
    store: Store
    settings: Settings
    policy: Policy
    counterpart: Counting
    order: str
    """An order of this shop; the server is shared."""

    def starter(self, *, client: Cuts | None = None, store: Cuts | None = None) -> Starter:
        """A starter, cut where it is told."""
        return Starter(
            client.around(self.client) if client else self.client,
            store.around(self.store) if store else self.store,
            Policies(self.policy),
            self.settings,
        )

    def mails(self, order: str) -> list[str]:
        """The letters in the outbox, by name."""
        files = [path for path in self.settings.outbox.glob("*/*.eml") if path.parent.name.startswith(order)]
        identities = [email.message_from_bytes(path.read_bytes())["Message-ID"] for path in files]
        assert len(set(identities)) == len(files), "two files for one letter"
        return sorted(path.name.partition("-")[2].rpartition("-")[0] for path in files)

    async def results(self, order: str) -> list[str]:
        """How the order's cases ended."""
        return [f"{one.process} {one.result}" for one in await self.store.views.outcomes(order_id=order)]

    async def statuses(self, order: str) -> Counter[EventStatus]:
        """What became of the order's events."""
        return Counter(record.status for record in await self.store.views.events(order_id=order))

    async def rma(self, order: str) -> str:
        """The RMA number, as soon as it is there."""
        found: list[str] = []

        async def there() -> bool:
            story = await self.store.views.case_story(f"return-parcel/{order}")
            found[:] = [r for line in story if (r := getattr(line.what, "reference", None)) and r.startswith("RMA")]
            return bool(found)

        await until(there)
        return found[0]


async def until(there: Callable[[], Awaitable[bool]], within: float = 60) -> None:
    """Wait for something to be so."""
    for _ in range(int(within / 0.1)):
        if await there():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to be so")


@asynccontextmanager
async def open_shop(client: Client, folder: Path, cuts: Cuts) -> AsyncIterator[Shop]:
    """A shop in this folder; steps of its worker are cut."""
    folder.mkdir(exist_ok=True)
    order = f"A{uuid4().hex[:8].upper()}"
    settings = Settings(data=folder, task_queue=f"chaos-{order}")
    file = folder / "policy.yaml"
    windows = "returns: {reply_window: 5s, ship_back_window: 1h}\noperators: {operator_window: 1h}"
    file.write_text(f"extends: {settings.policy}\nversion: chaos\n{windows}\n")
    counterpart = Counting()
    async with open_store(settings.store) as store:
        worker = build_worker(
            client,
            cuts.around(store),
            settings,
            books=Books(book()),
            channel=cuts.around(Outbox(settings.outbox)),
            counterpart=cuts.around(counterpart),
            versioned=False,
        )
        async with worker:
            yield Shop(client, store, settings, load_policy(file, settings.law), counterpart, order)


@pytest_asyncio.fixture
async def shop(client: Client, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose worker does all steps."""
    async with open_shop(client, tmp_path, Cuts()) as opened:
        yield opened


async def through(shop: Shop, order: str) -> None:
    """One order by all steps: refused once, then on our label, sent back, refunded."""
    starter = shop.starter()
    said = [return_requested(order), replied(order, "", "1", choice=2), replied(order, "", "2", choice=2)]
    assert [record.status for record in await starter.handle_all(said)] == ["started", "signalled", "signalled"]
    await starter.handle(returned(order, await shop.rma(order)))

    async def ended() -> bool:
        return len(await shop.results(order)) == 3

    await until(ended)
    ends = ["return-escalation label_sent", "return-parcel refunded", "return-request handed_over"]
    assert sorted(await shop.results(order)) == ends
    assert shop.mails(order) == sorted(
        ["return-terms", "waive-restocking", "return-label", "return-instructions", "return-received", "refund-sent"]
    )
    assert shop.counterpart.types(order) == ["create_rma", "issue_return_label", "refund"]
    assert set(await shop.statuses(order)) == {EventStatus.STARTED, EventStatus.SIGNALLED}
    assert (await shop.store.views.summary()).letters.keys() == set(shop.mails(order))


STEPS = (
    "claim_letter",
    "deliver",
    "letter_sent",
    "claim_command",
    "execute",
    "command_accepted",
    "close_case",
)


async def test_a_step_of_an_effect_that_fails_is_not_done_twice(client: Client, tmp_path: Path) -> None:
    """All at the same time, each in a shop of its own: most of it is waiting for the next attempt."""
    cut = {step: Cuts(after=frozenset({step})) for step in STEPS}
    cut["unsettled"] = Cuts(before=frozenset({"letter_sent", "command_accepted"}))

    async def one(name: str, shop: Shop) -> None:
        try:
            await through(shop, shop.order)
        except Exception as error:
            error.add_note(f"when {name} fails")
            raise
        assert cut[name].happened, f"{name} was never cut"

    async with AsyncExitStack() as stack:
        shops = {
            name: await stack.enter_async_context(open_shop(client, tmp_path / name, cuts))
            for name, cuts in cut.items()
        }
        done = await asyncio.gather(*(one(name, shop) for name, shop in shops.items()), return_exceptions=True)
        if failed := [error for error in done if isinstance(error, Exception)]:
            raise ExceptionGroup(f"{len(failed)} of {len(cut)} steps", failed)


async def test_a_letter_is_one_file_though_two_attempts_write_it_at_once(tmp_path: Path, shop: Shop) -> None:
    outbox, at = Outbox(tmp_path / "letters"), now()
    rendered = Rendered(language="en", version="1", subject="Hello", text="Hello", html="<p>Hello</p>", choices=())
    await asyncio.gather(
        *(
            outbox.deliver(
                Outgoing(
                    key="key",
                    case_id="return-escalation/A-1",
                    message_id="<a@b>",
                    to=Customer(name="Ada", email="ada@example.com", language="en"),
                    shop="shop",
                    name="return-terms",
                    rendered=rendered,
                    at=at + timedelta(seconds=number),
                ),
                nothing,
            )
            for number in range(20)
        )
    )
    assert len(list((tmp_path / "letters").glob("*/*.eml"))) == 1


@pytest.mark.parametrize("step", ["take_events", "open_case", "waiting_events", "settle_events"])
async def test_a_starter_that_dies_at_a_step_of_the_database_goes_on_with_a_repeat(shop: Shop, step: str) -> None:
    cut, request = Cuts(after=frozenset({step})), return_requested(shop.order)
    early = event("order.return_cancelled", shop.order, at=now() + timedelta(seconds=1))
    await shop.starter().handle(early)
    with pytest.raises(Cut):
        await shop.starter(store=cut).handle(request)
    assert (await shop.starter().handle(request)).status == EventStatus.STARTED

    async def ended() -> bool:
        return sorted(await shop.results(shop.order)) == ["return-escalation withdrawn", "return-request handed_over"]

    await until(ended)
    assert shop.mails(shop.order) == ["return-terms"]
    assert await shop.statuses(shop.order) == {EventStatus.STARTED: 1, EventStatus.SIGNALLED: 1}
    last = await shop.store.last_case(f"return-request/{shop.order}")
    assert last
    assert last.opening, "a late reply could not reopen what it handed over"


async def test_a_starter_that_dies_after_the_start_opens_no_second_case(shop: Shop) -> None:
    request = return_requested(shop.order)
    with pytest.raises(Cut):
        await shop.starter(client=Cuts(after=frozenset({"start_workflow"}))).handle(request)

    async def ended() -> bool:
        return len(await shop.results(shop.order)) == 2

    await until(ended)  # abandoned, by then: the customer is silent
    again = await shop.starter().handle(request)
    opened = [f"return-escalation/{shop.order}", f"return-request/{shop.order}"]
    assert (again.status, sorted(again.cases)) == (EventStatus.STARTED, opened)
    assert sorted(await shop.results(shop.order)) == ["return-escalation abandoned", "return-request handed_over"]
    assert shop.mails(shop.order) == ["return-terms"]
    runs = [run.id async for run in shop.client.list_workflows(f"TaskQueue = '{shop.settings.task_queue}'")]
    assert sorted(runs) == opened
    last = await shop.store.last_case(f"return-request/{shop.order}")
    assert last
    assert last.opening


async def test_a_reply_that_was_given_is_not_given_to_the_next_case_by_a_repeat(shop: Shop) -> None:
    await shop.starter().handle(return_requested(shop.order))
    await shop.client.get_workflow_handle(f"return-request/{shop.order}").result()
    yes = replied(shop.order, "", choice=1)
    with pytest.raises(Cut):
        await shop.starter(store=Cuts(before=frozenset({"settle_events"}))).handle(yes)
    await shop.rma(shop.order)  # by then return-parcel is open, and hears messages too

    again = await shop.starter().handle(yes)
    assert (again.status, again.cases) == (EventStatus.SIGNALLED, (f"return-escalation/{shop.order}",))
    await asyncio.sleep(1)
    assert shop.mails(shop.order) == ["return-instructions", "return-terms"]
    assert await shop.statuses(shop.order) == {EventStatus.STARTED: 1, EventStatus.SIGNALLED: 1}


async def test_a_late_reply_reopens_once_though_its_starter_dies(shop: Shop) -> None:
    await shop.starter().handle(return_requested(shop.order))
    for case in (f"return-request/{shop.order}", f"return-escalation/{shop.order}"):
        await shop.client.get_workflow_handle(case).result()
    yes = replied(shop.order, "", choice=1)
    with pytest.raises(Cut):
        await shop.starter(client=Cuts(after=frozenset({"start_workflow"}))).handle(yes)
    await shop.rma(shop.order)
    await shop.starter().handle(yes)
    await asyncio.sleep(1)
    assert shop.mails(shop.order) == ["return-instructions", "return-terms"]
    assert await shop.results(shop.order) == [
        "return-request handed_over",
        "return-escalation abandoned",
        "return-escalation terms_accepted",
    ]
    assert set(await shop.statuses(shop.order)) <= {EventStatus.STARTED, EventStatus.SIGNALLED}


async def test_two_senders_of_the_same_events_at_once_are_as_one(shop: Shop) -> None:
    names = [f"{shop.order}-{number:02}" for number in range(12)]
    file = [one for name in names for one in (return_requested(name), replied(name, "", choice=1))]
    await asyncio.gather(*(shop.starter().handle_all(file) for _ in range(3)))
    for name in names:
        await shop.rma(name)
    await asyncio.sleep(1)
    for name in names:
        assert shop.mails(name) == ["return-instructions", "return-terms"], name
        assert await shop.statuses(name) == {EventStatus.STARTED: 1, EventStatus.SIGNALLED: 1}
        assert shop.counterpart.types(name) == ["create_rma"]


async def test_an_event_that_comes_beside_the_start_of_its_case_reaches_it(shop: Shop) -> None:
    """Two senders: one opens the case between the other's look for it and its note that none is open."""
    opened, noted = asyncio.Event(), asyncio.Event()

    class Slow(_Cutting):
        async def settle_events(self, records: Any) -> None:
            noted.set()
            await opened.wait()
            await self._target.settle_events(records)

    late = Starter(shop.client, cast(Store, Slow(shop.store, Cuts())), Policies(shop.policy), shop.settings)
    cancelling = asyncio.create_task(late.handle(event("order.return_cancelled", shop.order)))
    await noted.wait()
    await shop.starter().handle(return_requested(shop.order, at=now() - timedelta(seconds=5)))
    opened.set()
    assert (await cancelling).status == EventStatus.SIGNALLED


async def reset(handle: WorkflowHandle[Any, Any], task: int) -> str:
    """Reset a case to its n-th workflow task, as `temporal workflow reset` does; returns the new run id."""
    client, run = handle._client, (await handle.describe()).run_id
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    tasks = [e.event_id async for e in handle.fetch_history_events() if e.event_type == done]
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run),
            reason="test",
            workflow_task_finish_event_id=tasks[task],
            request_id=f"{run}-{task}",
        )
    )
    return answer.run_id


@pytest.mark.parametrize("task", [0, 2, -1])
async def test_a_reset_case_writes_no_letter_and_pays_no_refund_twice(shop: Shop, task: int) -> None:
    await through(shop, shop.order)
    before = shop.mails(shop.order), shop.counterpart.done.copy()
    for case in (f"return-parcel/{shop.order}", f"return-escalation/{shop.order}"):
        handle = shop.client.get_workflow_handle(case)
        run = await reset(handle, task)
        if case.startswith("return-parcel"):
            await shop.client.get_workflow_handle(case, run_id=run).result()
    await asyncio.sleep(2)
    assert shop.mails(shop.order) == before[0]
    assert shop.counterpart.done == before[1]


async def test_a_command_that_was_refused_and_done_the_second_time_stays_so_after_a_reset(shop: Shop) -> None:
    """The counterpart would do the first one now: then the money would leave twice."""
    shop.counterpart.refused = {"refund"}
    await shop.starter().handle_all([return_requested(shop.order), replied(shop.order, "", choice=1)])
    await shop.starter().handle(returned(shop.order, await shop.rma(shop.order)))
    handle = shop.client.get_workflow_handle(f"return-parcel/{shop.order}")

    async def asked() -> bool:
        story = await shop.store.views.case_story(f"return-parcel/{shop.order}")
        return any(getattr(line.what, "refused", None) for line in story)

    await until(asked)
    shop.counterpart.refused = set()
    again = {"option": "try_again", "by": "operator-7", "reason": "it was down"}

    async def decided() -> bool:
        with contextlib.suppress(WorkflowUpdateFailedError):
            await handle.execute_update("decide", again)
            return True
        return False

    await until(decided)
    await handle.result()
    assert shop.counterpart.types(shop.order) == ["create_rma", "refund"]
    await reset(handle, 0)
    await until(decided)
    await shop.client.get_workflow_handle(handle.id).result()
    assert shop.counterpart.types(shop.order) == ["create_rma", "refund"]
