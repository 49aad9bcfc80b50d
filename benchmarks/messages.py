"""Real customers' messages through the door: where each ends up, beside what its corpus says that it is about.

Each message is about an order of its own, which no event told before. It goes through the starter to cases on a real
server, in real time, and counts as placed when all cases of its order wait for somebody or have closed. Of the corpora
that the classifier learnt from, only sentences of the part that it did not learn from are sent.
"""

from __future__ import annotations

import asyncio
import csv
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table
from temporalio.client import Client

from adapters.database import Store, open_store
from adapters.database.views import CaseLine
from adapters.embedded import EmbeddedServer
from adapters.settings import Settings
from adapters.temporal import connect, type_name
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.records import CommandRecord, LetterRecord
from aftersales.triage import Intent
from cli.send import BATCH
from cli.unrouted import MOST, unrouted
from starter import Starter
from tests.events import event, now, order
from training import corpora
from worker import build_worker
from workflows import attributes

DATA = corpora.DATA
PARTS = {"bitext": 128, "banking77": 76, "clinc": 50, "fr-shop-chat": 46}
"""How many messages of which corpus; of the French chat all that there are."""
NUMBER = sum(PARTS.values())
SEED = 20261122
PATIENCE = 60.0
"""Seconds without any news after which a case that neither waits nor has closed counts as stuck."""
FRENCH: dict[str, Intent] = corpora.FRENCH | {
    "ChangeData": "change",
    "CustomerComplaint": "complaint",
    "DeliveryPlace": "pre_sale",
    "DeliveryTime": "where_is_my_order",
    "Discount": "perk",
    "Returned": "return",
}
"""All labels of the French chat that mean something here; the others are `other`."""
OPERATOR, LOST, FAILED, STUCK, UNROUTED = "operator", "lost", "failed", "stuck", "unrouted"
RIGHT: dict[Intent, tuple[str, ...]] = {
    "where_is_my_order": ("expedite", "answer-order-state"),
    "return": ("return-request",),
    "wrong_item": ("wrong-item",),
    "damaged": ("compensation",),
    "complaint": ("compensation",),
    "exchange": ("exchange",),
    "repair": ("repair",),
    "cancel": ("answer-cancel",),
    "invoice": ("invoice",),
    "perk": ("perk-request",),
    "thanks": ("answer-thanks",),
}
"""Where a message about something may go without a person."""
QUESTIONS: dict[str, tuple[str, ...]] = {
    "check_refund_policy": ("answer-return-policy",),
    "track_refund": (),
    "Refund_not_showing_up": (),
}
"""Labels that ask about refunds and want nothing returned, and where their messages may go without a person."""
STATES = ("not sent", "sent", "delivered")
HARMLESS = frozenset({"inquiry", "invoice", "shipment-watch"})
"""The processes that move no money and cancel nothing."""


class Said(NamedTuple):
    """A message, the corpus that it is from, and what that says it is about: one intent or several."""

    text: str
    language: str
    corpus: str
    label: str
    meant: tuple[Intent, ...]


class Placed(NamedTuple):
    """Where a message went: a process, an answer's letter, `operator`, or what became of it instead."""

    said: Said
    order: str
    """The state of its order, one of `STATES`."""
    to: str
    processes: tuple[str, ...]
    """Of all cases of its order, in the order in which they opened."""
    commands: tuple[str, ...]

    @property
    def gone(self) -> bool:
        """Whether it was lost, or a case of its order went wrong."""
        return self.to in {LOST, FAILED, STUCK}

    @property
    def elsewhere(self) -> bool:
        """Whether it was acted upon as something else than what its corpus says."""
        of_intents = [place for intent in self.said.meant for place in RIGHT.get(intent, ())]
        right = QUESTIONS.get(self.said.label, of_intents)
        return not self.gone and self.to not in {OPERATOR, UNROUTED, *right}

    @property
    def harmful(self) -> bool:
        """Whether it was, by a case that moves money or cancels something."""
        return self.elsewhere and not HARMLESS.issuperset(self.processes)


def present() -> bool:
    """Whether all the corpora lie beside this checkout."""
    folders = ("bitext-customer-support", "banking77-payment-messages", "clinc150-smalltalk-and-out-of-scope")
    return all((DATA / folder).is_dir() for folder in (*folders, "fr-shop-chat"))


def drawn(number: int = NUMBER) -> list[Said]:
    """So many messages, or one or two more or fewer: a part of each corpus, the same ones every time."""
    chance = random.Random(SEED)
    pools: dict[str, list[Said]] = {
        "bitext": [_said(each) for each in corpora.bitext() if each.part == "test"],
        "banking77": [_said(each) for each in corpora.banking()],
        "clinc": [_said(each) for each in corpora.clinc() if each.part == "test"],
        "fr-shop-chat": list(_french()),
    }
    some = [said for name, pool in pools.items() for said in chance.sample(pool, round(PARTS[name] * number / NUMBER))]
    # Messages about the same thing stand together, so that they meet orders in all three states.
    return sorted(some, key=lambda said: (said.corpus, said.meant))


def _said(message: corpora.Labelled) -> Said:
    return Said(message.text, message.language, message.corpus, message.label, (message.intent,))


def _french() -> Iterator[Said]:
    with (DATA / "fr-shop-chat/messages.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            meant = dict.fromkeys(FRENCH.get(label, "other") for label in row["intent"].split("+"))
            yield Said(row["text"], "fr", "fr-shop-chat", row["intent"], tuple(meant))


class Shop(NamedTuple):
    """A server with a worker, and the starter that speaks to it."""

    client: Client
    store: Store
    starter: Starter


class Desk(NamedTuple):
    """What is to be seen of all cases once they have settled; cases in the order in which they opened."""

    stages: dict[str, str]
    """Of each open case the stage at which it waits, of one that went wrong `FAILED` or `STUCK`."""
    cases: list[CaseLine]
    letters: list[LetterRecord]
    commands: list[CommandRecord]
    listed: set[str]
    """The orders of events that a person has to read."""


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Shop]:
    """A shop of its own that keeps its data in this folder."""
    settings = Settings(data=data)
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with (
        EmbeddedServer(log_file=data / "temporal.log", search_attributes=kinds) as server,
        open_store(settings.store) as store,
    ):
        client = await connect(server.address)
        async with build_worker(client, store, settings, versioned=False):
            policy = load_policy(settings.policy, settings.law)
            yield Shop(client, store, Starter(client, store, Policies(policy), settings))


async def placed(messages: Sequence[Said]) -> list[Placed]:
    """Send the messages, and where they went."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as shop:
            sent = [_event(number, said) for number, said in enumerate(messages)]
            for begin in range(0, len(sent), BATCH):
                await shop.starter.handle_all(sent[begin : begin + BATCH])
            desk = await _looked_at(shop)
    return [_place(number, said, desk) for number, said in enumerate(messages)]


def _event(number: int, said: Said) -> dict[str, Any]:
    """The message as an event, with its order in one of the three states."""
    state = _state(number)
    changes: dict[str, Any] = {"delivered_at": None} if state != "delivered" else {}
    if state == "not sent":
        changes["placed_at"] = (now() - timedelta(days=1)).isoformat()
    else:
        changes["dispatched_at"] = (now() - timedelta(days=10)).isoformat()
    if said.language == "fr":
        customer = {"name": "Ada Roche", "email": "ada@example.com", "language": "fr"}
        changes |= {"market": "FR", "locale": "fr-FR", "currency": "EUR", "customer": customer}
    order_id = _order_id(number)
    return event("customer.message", order_id, text=said.text, order=order(order_id, **changes))


def _order_id(number: int) -> str:
    return f"M-{number}"


def _state(number: int) -> str:
    return STATES[number % len(STATES)]


async def _looked_at(shop: Shop) -> Desk:
    """What is to be seen once all cases have settled."""
    stages = await _settled(shop)
    views = shop.store.views
    return Desk(
        stages=stages,
        cases=sorted(await views.cases(limit=MOST), key=lambda case: case.opened_at),
        letters=await views.letters(),
        commands=await views.commands(),
        listed={record.order_id for record in await unrouted(shop.store, None, MOST)},
    )


async def _settled(shop: Shop) -> dict[str, str]:
    """Wait until every case waits for somebody or has closed; the stage of each that is open, or what went wrong."""
    stages: dict[str, str] = {}
    before, since = list[str](), time.monotonic()
    # A case that opens another one closes only once that one is known.
    while busy := [case for case in await _open_cases(shop) if case not in stages]:
        if busy != before:
            before, since = busy, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            stages |= dict.fromkeys(busy, STUCK)
            break
        shown = await asyncio.gather(*(_waits(shop.client, case) for case in busy))
        stages |= {case: stage for case, stage in zip(busy, shown, strict=True) if stage}
        await asyncio.sleep(0.5)
    async for gone in shop.client.list_workflows("ExecutionStatus != 'Running' AND ExecutionStatus != 'Completed'"):
        stages[gone.id] = FAILED
    return stages


async def _open_cases(shop: Shop) -> list[str]:
    return [case.case_id for case in await shop.store.views.cases(open_only=True, limit=MOST)]


async def _waits(client: Client, case: str) -> str:
    """The stage at which an open case waits; empty where it is at work."""
    shown = (await client.get_workflow_handle(case).describe()).search_attributes
    return str(shown["Stage"][0]) if shown.get("Deadline") else ""


def _place(number: int, said: Said, desk: Desk) -> Placed:
    """Where the message with this number went: the first thing that tells it."""
    order_id = _order_id(number)
    cases = [case for case in desk.cases if case.order_id == order_id]
    stages = [desk.stages.get(case.case_id, case.result or "") for case in cases]
    answers = [
        letter.letter
        for letter in desk.letters
        if letter.case.case_id == f"inquiry/{order_id}" and letter.letter.startswith("answer-")
    ]
    signs = [
        *(stage for stage in stages if stage in {FAILED, STUCK}),
        *(case.process for case in cases if case.process != "inquiry"),
        *answers,
        *(OPERATOR for stage in stages if stage == "decision"),
        *([UNROUTED] if order_id in desk.listed else []),
        *stages,
    ]
    given = tuple(command.type for command in desk.commands if command.case.order_id == order_id)
    return Placed(said, _state(number), next(iter(signs), LOST), tuple(case.process for case in cases), given)


def measure() -> list[Placed]:
    """Send all messages; nothing where the corpora are absent."""
    return asyncio.run(placed(drawn())) if present() else []


def tables(places: Sequence[Placed]) -> Iterator[Table]:
    """By the corpora's own labels, and by the state of the orders: how many messages, and where they went.

    Labels of a corpus whose messages all went to an operator share a row.
    """
    moved = {(place.said.corpus, place.said.label) for place in places if place.to != OPERATOR}
    labels: dict[tuple[str, ...], list[Placed]] = {}
    for place in sorted(places, key=lambda place: (place.said.corpus, place.said.meant, place.said.label)):
        said = place.said
        key = (said.label, " and ".join(said.meant)) if (said.corpus, said.label) in moved else ("all others", "")
        labels.setdefault((said.corpus, *key), []).append(place)
    yield _table(("corpus", "label", "about"), labels)
    states: dict[tuple[str, ...], Sequence[Placed]] = {
        (state,): [place for place in places if place.order == state] for state in STATES
    }
    yield _table(("order",), states | {("all",): places})


def _table(headings: tuple[str, ...], rows: Mapping[tuple[str, ...], Sequence[Placed]]) -> Table:
    shown = Table(*headings, "number", "went to", "as something else", title="Messages through the door")
    for names, group in rows.items():
        went = ", ".join(f"{to} {count}" for to, count in went_to(group).items())
        shown.add_row(*names, str(len(group)), went, str(sum(place.elsewhere for place in group)))
    return shown


def went_to(places: Iterable[Placed]) -> dict[str, int]:
    """How many went where, the most first."""
    return dict(Counter(place.to for place in places).most_common())


def figures(places: Sequence[Placed]) -> dict[str, object]:
    """For JSON."""
    counts = {"as something else": sum(place.elsewhere for place in places), "gone": len(gone(places))}
    return {"number": len(places), "went to": went_to(places)} | counts


def misread(places: Iterable[Placed]) -> Iterator[str]:
    """The messages that were acted upon as something else, a line each, with the commands that were given."""
    for place in places:
        if place.elsewhere:
            given = f", which gave {', '.join(place.commands)}" if place.commands else ""
            yield f"{place.said.corpus}, {place.said.label}, {place.order}: “{place.said.text}” → {place.to}{given}"


def gone(places: Iterable[Placed]) -> list[str]:
    """The messages that were lost, or whose case failed or got stuck, a line each."""
    return [
        f"{place.to}: {place.said.corpus}, {place.said.label}: “{place.said.text}”" for place in places if place.gone
    ]
