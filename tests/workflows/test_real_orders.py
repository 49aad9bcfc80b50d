"""Real orders: 500 sales of a Brazilian marketplace go from payment to arrival in virtual time, each at its own pace.

The data lies beside the checkout and is read there. What its times must bring is worked out here once more, by
arithmetic on them and the sections 4, 5, 6 and 9 of `spec/processes.md`, in another way than the processes do it.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from adapters.settings import ROOT, Settings
from aftersales.expectations import SLACK, Came
from aftersales.scenario import load_scenario
from cli.rehearsal import Performance, Theatre, policy_for

DATA = ROOT.parent / "shared" / "data" / "olist-orders"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the real orders lie beside the checkout and are not here")

TROUBLED, NATURAL = "orders_problem_heavy", "orders_natural_rate"
SHOWN, ALL = 24, 500
"""How many orders every run plays, and how many `./dev test --slow` plays."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEAR = timedelta(minutes=3)
NEVER = datetime.max
UNHAPPY = 2
"""The most stars of a review that is a complaint."""
PRICE, FREIGHT = Decimal("100.00"), Decimal("20.00")
"""What an order cost of which the data does not say it."""
ASKS = "Onde está o meu pedido?"
PROCESSES = ("fulfilment-check", "expedite", "shipment-watch", "carrier-claim")
PAID = ("refund", "compensation", "gift", "reship", "claim_lost")

DISPATCH, FOLLOW_UP, OPERATOR, CHOICE = 3 * DAY, DAY, DAY, 48 * HOUR
FOLLOW_UPS = 3
ANSWERED = 12 * HOUR
"""How long the warehouse takes to say that goods are not there."""
REAPPEAR, SEARCH, CLAIM_LEAD, CLAIM_ANSWER = 30 * DAY, 7 * DAY, 3 * DAY, 30 * DAY


class Lane(NamedTuple):
    """How long a parcel may be silent after its hand-over, and until when its carrier takes a claim."""

    asked: timedelta
    told: timedelta
    lost: timedelta
    claimed: timedelta


PLAIN = Lane(24 * HOUR, 48 * HOUR, 72 * HOUR, 30 * DAY)
BRAZIL = Lane(10 * DAY, 20 * DAY, 40 * DAY, 90 * DAY)
POLICY = {
    "parcels": {
        "lanes": {
            "*:BR>BR": {
                "pickup_window": "10d",
                "pickup_letter_after": "20d",
                "stuck_after": "20d",
                "lost_after": "40d",
                "claim_until": "90d",
            }
        }
    }
}


@dataclass(frozen=True)
class Sale:
    """A row of the data; None for what has not happened or is not known."""

    number: int
    id: str
    source: str
    status: str
    placed: datetime
    paid: datetime | None
    left: datetime | None
    delivered: datetime | None
    estimate: datetime
    limit: datetime | None
    goods: Decimal
    freight: Decimal
    region: str
    complaint: tuple[datetime, str] | None

    @property
    def lane(self) -> Lane:
        """Every fifth order is played under the default policy, whose windows are for parcels that are scanned."""
        return BRAZIL if self.number % 5 else PLAIN

    @property
    def due(self) -> datetime:
        """When it has to leave: as was promised, else in the time of the policy from its payment."""
        since = self.paid or self.placed
        return self.limit if self.limit and self.limit > since else since + DISPATCH

    @property
    def cancelled(self) -> datetime | None:
        """The data does not say when: at a part, fixed by its id, of the time from its last news to the estimate."""
        if self.status != "canceled":
            return None
        since = max(at for at in (self.placed, self.paid, self.left, self.delivered) if at)
        return since + max(self.estimate - since, DAY) * (int(self.id[:2], 16) / 256)

    @property
    def refunded(self) -> bool:
        """Whether the shop gave the money back itself when it cancelled; the id says so."""
        return self.cancelled is not None and self.paid is not None and int(self.id[2], 16) % 2 == 1

    @property
    def asked(self) -> tuple[datetime, str] | None:
        """When the customer asks, and how: in a bad review before the arrival, else as the promises are not kept."""
        slow = self.due + FOLLOW_UP * 1.5
        late = slow if not self.left or self.left > slow else max(self.estimate, self.left) + DAY
        first, last = self.paid or self.placed, self.delivered or NEVER
        said = [*([self.complaint] if self.complaint else []), (late, ASKS)]
        return next((ask for ask in said if first < ask[0] < last), None)

    @property
    def kind(self) -> str:
        """What is special about it, for the choice of the orders."""
        left, delivered, cancelled = self.left or NEVER, self.delivered or NEVER, self.cancelled or NEVER
        ways = {
            "never paid": not self.paid,
            "delivered before hand-over": delivered < left != NEVER,
            "left before it was paid": bool(self.paid and left < self.paid),
            "cancelled on its way": left < cancelled < delivered,
            "cancelled after delivery": delivered < cancelled != NEVER,
            "cancelled early": cancelled < self.due,
            "cancelled late": self.due <= cancelled != NEVER,
            "unavailable": self.status == "unavailable",
            "never left": left == NEVER,
            "left late": left > self.due,
            "never arrived": delivered == NEVER,
            "arrived late": delivered > self.estimate,
        }
        return next((name for name, fits in ways.items() if fits), "in time")


def moment(text: str | None) -> datetime | None:
    """A time of the data, Brazilian without a zone; only what lies between them counts here."""
    return datetime.fromisoformat(text) if text else None


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of both lists."""
    for source in (TROUBLED, NATURAL):
        with (DATA / f"{source}.csv").open(encoding="utf-8", newline="") as file:
            yield from ((source, row) for row in csv.DictReader(file))


def complaints() -> dict[str, tuple[datetime, str]]:
    """The first bad review with words, by order."""
    found: dict[str, tuple[datetime, str]] = {}
    with (DATA / "reviews.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["review_score"]) <= UNHAPPY and row["review_comment_message"]:
                said = (datetime.fromisoformat(row["review_answer_timestamp"]), row["review_comment_message"])
                found[row["order_id"]] = min(found.get(row["order_id"], said), said)
    return found


def read() -> list[Sale]:
    """All orders of the data, some in both lists."""
    said = complaints()
    return [
        Sale(
            number=0,
            id=row["order_id"],
            source=source,
            status=row["order_status"],
            placed=datetime.fromisoformat(row["order_purchase_timestamp"]),
            paid=moment(row["order_approved_at"]),
            left=moment(row["order_delivered_carrier_date"]),
            delivered=moment(row["order_delivered_customer_date"]),
            estimate=datetime.fromisoformat(row["order_estimated_delivery_date"]),
            limit=moment(row.get("shipping_limit_date")),
            goods=Decimal(row.get("items_price") or 0) or PRICE,
            freight=Decimal(row.get("freight") or 0) or FREIGHT,
            region=row.get("customer_state", ""),
            complaint=said.get(row["order_id"]),
        )
        for source, row in rows()
    ]


def chosen(sales: Sequence[Sale]) -> list[Sale]:
    """The orders that are played: of every kind, status and list in turn; one in both lists as the fuller has it."""
    groups: dict[tuple[str, ...], list[Sale]] = defaultdict(list)
    once = {sale.id: sale for sale in sorted(sales, key=lambda sale: sale.source == TROUBLED)}
    for sale in sorted(once.values(), key=lambda sale: sale.id):
        groups[sale.kind, sale.status, sale.source].append(sale)
    turns = zip_longest(*(groups[name] for name in sorted(groups)))
    mixed = [sale for turn in turns for sale in turn if sale]
    return [replace(sale, number=number) for number, sale in enumerate(mixed[:ALL])]


READ = read() if DATA.exists() else []
SALES = chosen(READ)


class Said(NamedTuple):
    """A letter or a command: of which process, its name, and when."""

    process: str
    name: str
    at: datetime


class Expected:
    """What the times of an order must bring, and the events that its shop sends; not what came after it was stopped."""

    def __init__(self, sale: Sale, *, asks: bool = True) -> None:
        self.sale = sale
        self.letters: list[Said] = []
        self.commands: list[Said] = []
        self.results: dict[str, str] = {}
        self.stopped = NEVER
        self.ask = sale.asked[0] if sale.asked and asks else NEVER
        self.left, self.delivered = sale.left or NEVER, sale.delivered or NEVER
        self.cancelled = sale.cancelled or NEVER
        if sale.paid:
            self._checked(sale.paid)
        elif self.ask < self.cancelled:
            self._awaited(self.ask, sale.due)
        if self.left < self.stopped and sale.left:
            self._watched(sale.left)

    @property
    def owned(self) -> Decimal:
        """What the shop has of the customer's money: nothing where it was never paid, or given back by the shop."""
        back = self.sale.refunded and self.cancelled <= self.stopped
        return self.sale.goods + self.sale.freight if self.sale.paid and not back else Decimal(0)

    def wrote(self, letter: str) -> bool:
        """Whether this letter is due."""
        return any(said.name == letter for said in self.letters)

    def _letter(self, process: str, name: str, at: datetime) -> None:
        self.letters.append(Said(process, name, at))

    def _command(self, process: str, at: datetime, *names: str) -> None:
        self.commands += [Said(process, name, at) for name in names]

    def _refund(self, process: str, at: datetime, letter: str, *, by_shop: bool) -> None:
        """The order is stopped and paid back, unless the shop did that itself."""
        refund = [] if by_shop and self.sale.refunded else ["refund"]
        self._command(process, at, "cancel_order", *refund)
        self._letter(process, letter, at)
        self.results[process] = "cancelled_refunded"
        self.stopped = at

    def _checked(self, paid: datetime) -> None:
        """§9: released at once, then it leaves, is cancelled, is asked for, or is overdue."""
        process, due = "fulfilment-check", self.sale.due
        self.results[process] = "released"
        if self.left <= paid:
            return
        self._command(process, paid, "release_order")
        match min(self.left, self.cancelled, self.ask, due):
            case self.left:
                return
            case self.cancelled:
                self._refund(process, self.cancelled, "unsent-order-refunded", by_shop=True)
            case first:
                self._awaited(first, due)

    def _awaited(self, opened: datetime, due: datetime) -> None:
        """§6: late, asked for day by day, then the customer chooses; who is silent gets the money."""
        process, ask, gone = "expedite", self.ask, min(self.left, self.cancelled)
        if opened < due:
            self._command(process, opened, "ask_warehouse")
            self._letter(process, "dispatch-calm", opened)
        late = max(opened, due)
        waits = ANSWERED if self.sale.status == "unavailable" else FOLLOW_UPS * FOLLOW_UP
        decided = waits if waits == ANSWERED else waits + OPERATOR
        choice, end = late + decided, late + decided + CHOICE
        at = choice if late + waits <= gone < choice else gone
        if late < gone:
            self._letter(process, "dispatch-late-sorry", late)
        times = [late + number * FOLLOW_UP for number in range(FOLLOW_UPS)]
        for time in times:
            if time < gone and time < late + waits:
                self._command(process, time, "ask_warehouse")
        if opened < ask < min(gone, end) and not late + waits <= ask < choice:
            self._letter(process, "dispatch-update", ask)
        if choice < gone:
            self._letter(process, "out-of-stock-choice", choice)
        if gone >= end:
            self._refund(process, end, "late-order-refunded", by_shop=False)
        elif gone == self.left:
            self._letter(process, "dispatch-done", at)
            self.results[process] = "dispatched"
        else:
            self._refund(process, at, "late-order-refunded", by_shop=True)

    def _watched(self, left: datetime) -> None:
        """§4: silence after the hand-over, until the parcel arrives or counts as lost."""
        process, lane, came = "shipment-watch", self.sale.lane, self.delivered
        asked, told, lost = left + lane.asked, left + lane.told, left + lane.lost
        ask = self.ask if self.ask > left else NEVER
        if asked < came:
            self._command(process, asked, "ask_warehouse", "nudge_carrier")
        if ask < min(lost, came):
            if ask < asked:
                self._command(process, ask, "nudge_carrier")
            self._letter(process, "parcel-on-its-way" if ask < asked else "parcel-pickup-late", ask)
        if told < came and not asked <= ask < told:
            self._letter(process, "parcel-pickup-late", told)
        self.results[process] = "delivered"
        if lost < came:
            self._command(process, lost, "carrier_trace")
            back = self.cancelled if self.sale.refunded else NEVER
            if lost <= back:
                self._letter(process, "parcel-lost-choice", lost)
            remedy = ask + OPERATOR if lost <= ask < lost + CHOICE else lost + CHOICE
            remedy = min(remedy, max(back, lost))
            if remedy < came:
                self._replaced(remedy, lost, paid_back=back <= remedy)

    def _replaced(self, remedy: datetime, lost: datetime, *, paid_back: bool) -> None:
        """A new parcel on us unless the shop has paid the money back, a claim, and the old one that may turn up."""
        process, came = "shipment-watch", self.delivered
        self.results[process] = "refunded" if paid_back else "reshipped"
        if not paid_back:
            self._command(process, remedy, "reship")
            self._letter(process, "parcel-reshipped", remedy)
        if remedy < self.ask < min(remedy + REAPPEAR, came):
            self._letter(process, "message-received", self.ask)
        if came < remedy + REAPPEAR:
            self._letter(process, "parcel-found", came + OPERATOR)
        self._claimed(lost)

    def _claimed(self, lost: datetime) -> None:
        """§5: the claim, once the carrier has searched; nobody answers it, so it is written off."""
        process, left = "carrier-claim", cast(datetime, self.sale.left)
        files = min(lost + SEARCH, left + self.sale.lane.claimed - CLAIM_LEAD)
        if self.delivered < files:
            self.results[process] = "expired"
            return
        self._command(process, files, "file_carrier_claim")
        self._command(process, files + CLAIM_ANSWER, "carrier_inquiry")
        self.results[process] = "refused"

    def events(self) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        """What the shop, its carrier and its customer send; the goods that are not there once it is asked for them."""
        sale = self.sale
        parcel = {"parcel_no": "P", "carrier": "Correios", "tracking_number": sale.id[:13], "origin": "BR"}
        happened: list[tuple[datetime, str, dict[str, Any]]] = [
            (sale.paid or NEVER, "order.paid", {}),
            (self.left, "order.shipped", {"parcel": parcel}),
            (self.delivered, "shipment.checkpoint", {"parcel_no": "P", "status": "delivered"}),
            (self.cancelled, "order.cancelled", {"reason": sale.status, "refunded": sale.refunded}),
        ]
        late = [said.at for said in self.letters if said.name == "dispatch-late-sorry"]
        if sale.status == "unavailable" and late:
            happened.append((late[0] + ANSWERED, "warehouse.answered", {"answer": "out_of_stock"}))
        if sale.asked:
            watch = {"case_id": f"shipment-watch/{sale.id}/P", "language": "pt-BR"}
            way = "customer.message" if self.left < self.ask else "order.expedite_requested"
            said = watch if self.left < self.ask else {}
            cancelled = way != "customer.message" and self.cancelled < self.ask
            happened += [] if cancelled else [(self.ask, way, {"text": sale.asked[1], **said})]
        for at, kind, data in happened:
            if at < self.stopped or at == self.cancelled == self.stopped < NEVER:
                yield at, kind, data

    @property
    def begins(self) -> datetime:
        """The first event."""
        return min(at for at, _, _ in self.events())


def snapshot(sale: Sale, at: datetime, begins: datetime) -> dict[str, Any]:
    """The order as its shop sees it at a moment: one line of goods, an address of which the data has the state."""

    def told(time: datetime | None) -> str | None:
        return since(time, begins) if time and time <= at else None

    return {
        "order_id": sale.id,
        "shop": "olist",
        "channel": "marketplace",
        "market": "BR",
        "locale": "pt-BR",
        "currency": "BRL",
        "placed_at": since(sale.placed, begins),
        "promised_dispatch_by": since(sale.limit, begins) if sale.limit else None,
        "dispatched_at": told(sale.left),
        "delivered_at": told(sale.delivered),
        "total": str(sale.goods + sale.freight),
        "freight_paid": str(sale.freight),
        "customer": {"name": "Cliente", "email": "cliente@example.com", "language": "pt-BR"},
        "ship_to": {
            "name": "Cliente",
            "line1": "Rua 1",
            "city": sale.region or "Brasil",
            "region": sale.region or None,
            "postcode": "01000-000",
            "country": "BR",
        },
        "items": [
            {
                "line_id": "1",
                "sku": "G-1",
                "title": "Produto",
                "category": "goods",
                "quantity": 1,
                "unit_price": str(sale.goods),
                "unit_cost": "1.00",
            }
        ],
    }


def since(at: datetime, begins: datetime) -> str:
    """A moment as stories write it."""
    seconds = round((at - begins).total_seconds())
    return f"{'-' if seconds < 0 else '+'}{abs(seconds)}s"


def scenario(expected: Expected, folder: Path) -> Path:
    """The order as a story."""
    sale, begins = expected.sale, expected.begins
    events = []
    for at, kind, data in sorted(expected.events(), key=lambda event: event[0]):
        whole = {"order": snapshot(sale, at, begins)} if kind.startswith("order.") and kind != "order.cancelled" else {}
        begun = since(at, begins).removeprefix("+")
        events.append({"at": begun, "id": kind, "type": kind, "subject": sale.id, "data": whole | data})
    file = folder / f"{sale.id}.yaml"
    told = {"name": sale.id, "policy": POLICY if sale.lane is BRAZIL else {}, "events": events}
    # YAML does not put the halves of an escaped emoji together.
    file.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    return file


class Play(NamedTuple):
    """An order that was played, with what was expected of it."""

    expected: Expected
    performance: Performance

    @property
    def told(self) -> str:
        """Both, for a message."""
        begins = self.expected.begins
        lines = [f"{line.at} {line.kind} {line.case} {line.text}" for line in self.performance.timeline]
        wanted = [f"{said.at - begins} {said.process}: {said.name}" for said in self._wanted()]
        return "\n".join([f"{self.expected.sale}", "expected", *wanted, "came", *lines])

    def _wanted(self) -> list[Said]:
        return sorted([*self.expected.letters, *self.expected.commands], key=lambda said: said.at)


@pytest.fixture(scope="module")
async def performances(
    theatre: Theatre, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[int, asyncio.Task[Play]]]:
    """The orders of this run, under way, each in one world for all of its tests."""
    folder = tmp_path_factory.mktemp("orders")
    functions = [item for item in request.session.items if isinstance(item, pytest.Function)]
    given = [getattr(item, "callspec", None) for item in functions if item.module is request.module]
    asked = {
        cast(Sale, spec.params["sale"]).number: Expected(cast(Sale, spec.params["sale"])) for spec in given if spec
    }
    of_lane = {expected.sale.lane: expected for expected in asked.values()}
    # Read once: that takes as long as to play a short story.
    policies = {
        lane: policy_for(load_scenario(scenario(expected, folder)), Settings()) for lane, expected in of_lane.items()
    }

    async def played(expected: Expected) -> Play:
        story = load_scenario(scenario(expected, folder))
        return Play(expected, await theatre.play(story, policies[expected.sale.lane]))

    tasks = {number: asyncio.create_task(played(expected)) for number, expected in asked.items()}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def given_away(sale: Sale) -> str:
    """Why the order gives more away than it has; empty where it does not."""
    expected = Expected(sale)
    if expected.owned or {said.name for said in expected.commands}.isdisjoint({"refund", "reship"}):
        return ""
    return "expedite pays back an order that was never paid: nothing tells it"


def orders(known: Callable[[Sale], str] = lambda sale: "") -> list[Any]:
    """The orders as parameters: all but the first ones slow; of some it is known why they do not come out."""
    params = []
    for sale in SALES:
        marks = [pytest.mark.slow] if sale.number >= SHOWN else []
        marks += [pytest.mark.xfail(reason=reason)] if (reason := known(sale)) else []
        params.append(pytest.param(sale, id=f"{sale.number}-{sale.kind.replace(' ', '-')}", marks=marks))
    return params


def near(came: Sequence[Came], expected: Sequence[Said], begins: datetime) -> bool:
    """Whether the same things came, each at its time."""
    return [one.name for one in came] == [said.name for said in expected] and all(
        abs(one.at - (said.at - begins)) < NEAR for one, said in zip(came, expected, strict=True)
    )


def of_process(came: Sequence[Came], process: str) -> list[Came]:
    """What came of a process."""
    return [one for one in came if one.case.startswith(f"{process}/")]


@pytest.mark.parametrize("sale", orders())
async def test_times_bring_what_the_rules_say(sale: Sale, performances: dict[int, asyncio.Task[Play]]) -> None:
    play = await performances[sale.number]
    expected, result = play.expected, play.performance.result
    assert not play.performance.missed, play.told
    assert not result.open_cases, play.told
    ends = [(one.case.partition("/")[0], one.fields["result"]) for one in result.outcomes]
    assert sorted(ends) == sorted(expected.results.items()), play.told
    for process in PROCESSES:
        for came, wanted in [(result.letters, expected.letters), (result.commands, expected.commands)]:
            said = sorted((one for one in wanted if one.process == process), key=lambda one: one.at)
            assert near(of_process(came, process), said, expected.begins), f"{process}: {play.told}"


@pytest.mark.parametrize("sale", orders(given_away))
async def test_nothing_comes_after_the_end_and_nothing_twice(
    sale: Sale, performances: dict[int, asyncio.Task[Play]]
) -> None:
    play = await performances[sale.number]
    result = play.performance.result
    closed = {one.case: one.at for one in result.outcomes}
    late = [letter for letter in result.letters if letter.at > closed.get(letter.case, letter.at) + SLACK]
    assert not late, play.told
    given = sum((Decimal(str(one.fields.get(kind) or 0)) for one in result.outcomes for kind in PAID), Decimal(0))
    owned = play.expected.owned
    assert given <= owned, f"{given} was given away of {owned}: {play.told}"


def played() -> dict[str, int]:
    """What came of the orders that are played."""
    expected = [Expected(sale) for sale in SALES]
    letters = Counter(said.name for one in expected for said in one.letters)
    ends = Counter(f"{process}: {result}" for one in expected for process, result in one.results.items())
    counts = {"orders": len(SALES), **Counter(f"status {sale.status}" for sale in SALES), **ends}
    return counts | {f"letter {name}": count for name, count in letters.items()}


def reckoned() -> dict[str, int]:
    """What comes of the list at its natural rate, by arithmetic alone, where no customer asks."""
    sales = [sale for sale in READ if sale.source == NATURAL]
    lanes = {"default windows": 0, "lane": 1}
    by_lane = {
        name: [Expected(replace(sale, number=number), asks=False) for sale in sales] for name, number in lanes.items()
    }
    late = [one for one in by_lane["lane"] if one.sale.delivered and one.sale.delivered > one.sale.estimate]
    told = [one for one in late if any(said.at < one.sale.estimate for said in one.letters)]
    counts = {
        "orders at their natural rate": len(sales),
        "told that it leaves late": sum(one.wrote("dispatch-late-sorry") for one in by_lane["lane"]),
        "cancelled, although it left later": sum(one.stopped <= one.left < NEVER for one in by_lane["lane"]),
        "arrived after the estimate": len(late),
        "of them had a letter before it": len(told),
    }
    for name, all_of_lane in by_lane.items():
        lost = [one for one in all_of_lane if one.wrote("parcel-lost-choice")]
        counts[f"{name}: counts as lost"] = len(lost)
        counts[f"{name}: sent again"] = sum(one.wrote("parcel-reshipped") for one in lost)
        counts[f"{name}: of the lost ones, arrived after all"] = sum(one.delivered < NEVER for one in lost)
    return counts


def test_what_came_out_is_what_the_docs_say() -> None:
    docs = (ROOT / "docs" / "real-parcels.md").read_text("utf-8")
    for name, count in (played() | reckoned()).items():
        assert f"| {name} | {count:,} |" in docs, f"docs/real-parcels.md: {name} is {count:,}"
