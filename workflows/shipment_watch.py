"""shipment-watch: a parcel on its way, from its hand-over to its delivery, its return or its loss."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.claims import last_date, parcel_lost
    from aftersales.clocks import LAST_CLAIM, Waits
    from aftersales.consignment import consignment, evidence, goods, handover
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        Event,
        Message,
        OrderCancelled,
        OrderShipped,
        ParcelLost,
        WarehouseAnswered,
    )
    from aftersales.ids import case_id
    from aftersales.inquiries import topic_of
    from aftersales.lanes import ParcelWindows
    from aftersales.money import goods_value, paid_for, rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.parcel_talk import TOPICS
    from aftersales.parcels import Tracking

from workflows import messages
from workflows.case import Case
from workflows.own_claim import claims_itself

End: TypeAlias = Literal["delivered", "returned", "lost"]
Remedy: TypeAlias = Literal["reship", "refund"]

_LOST = Waits("carrier", "parcels.lost_after", "the shop: the parcel counts as lost; a new one or the money is owed")
_ELSEWHERE = "other-matters-are-inquiries"


@workflow.defn(name="shipment-watch")
class ShipmentWatch(Case):
    """A parcel is on its way to the customer (`spec/processes.md` §4, `003 §5`, `003 §10`).

    Every scan restarts the silence clock. Without a first scan warehouse and carrier are asked, then the customer is
    told. Silence, an exception scan or a delivery that does not come make the parcel stuck: the carrier is asked, the
    customer gets the last scan. Longer silence or the carrier's word make it lost: the customer chooses a new parcel or
    the money, and without an answer gets a new one where it is in stock. A customer who asks gets the facts; what is
    about something else is an inquiry's; for one who says that a delivered parcel never came the carrier is asked for
    proof, then the parcel counts as lost. A lost parcel that turns up after the remedy is kept at a discount or
    recalled, as an operator decides.

    Case id `shipment-watch/<order>/<parcel no>`. The windows are those of the parcel's lane. After a delivery the case
    stays open for the dispute window, after a remedy for the reappear window.
    """

    process = "shipment-watch"
    _SCAN = frozenset(
        {"carrier", "tracking_number", "tracking_url", "last_scan_at", "last_scan_place", "last_scan_text"}
    )
    LETTERS = {
        "parcel-on-its-way": _SCAN,
        "parcel-pickup-late": frozenset({"carrier", "tracking_number", "tracking_url", "handed_over_at"}),
        "parcel-stuck": _SCAN | {"kind"},
        "parcel-lost-choice": _SCAN | {"default_choice", "choose_by", "kind"},
        "parcel-reshipped": frozenset({"reference"}),
        "parcel-refunded": frozenset({"refund"}),
        "parcel-found": frozenset({"tracking_number", "discount_share", "discount", "remedy"}),
        "parcel-kept": frozenset({"price"}),
        "parcel-send-back": frozenset({"tracking_number", "label_url"}),
    }
    HEARS = (Message, Checkpoint, CarrierReplied, WarehouseAnswered, OrderCancelled)
    OPTIONS = {
        "received": "the customer has the parcel; it counts as delivered",
        "not_received": "the customer does not have the parcel; the carrier is asked for proof of the delivery",
        "thanks": "the customer only says thanks; nothing is sent",
        "other": "the customer writes about something else; the message goes on the list that a person reads",
        "reship": "send the goods again at no cost; where they are out of stock, the money goes back",
        "refund": "pay back what the customer paid for the goods in the parcel",
        "settled": "nothing is sent and nothing is paid; it has been settled in another way",
        "keep_offer": "let the customer choose: keep the parcel too at a discount, or send it back at our cost",
        "recall": "have the carrier bring it back; one that is delivered the customer sends back with our label",
        "leave": "do nothing; the customer keeps what arrives, and nothing is charged",
        "keep": "the customer keeps the parcel and is asked to pay for it, less the discount",
        "send_back": "the customer sends the parcel back and gets our label",
    }
    WAITS = {
        "handed_over": Waits("carrier", "parcels.pickup_window", "the shop: the pickup is late, in the end a loss"),
        "moving": Waits("carrier", "parcels.stuck_after", "the shop: the parcel counts as stuck"),
        "out_for_delivery": Waits("carrier", "parcels.delivery_window", "the shop: the parcel counts as stuck"),
        "awaiting_collection": Waits("customer", "parcels.collection_window", "the shop: the parcel counts as stuck"),
        "stuck": _LOST,
        "returning": _LOST,
        "disputed": Waits(
            "carrier", "parcels.proof_window", "the shop: the parcel counts as lost; a new one or the money is owed"
        ),
        "delivered": Waits(
            "customer", "parcels.dispute_window", "the customer: is heard no more who says that nothing came"
        ),
        "parcel-lost-choice": Waits(
            "customer", "parcels.choice_window", "the customer: a new parcel is sent, or the money where there is none"
        ),
        "remedied": Waits("carrier", "parcels.reappear_window", "nobody: the lost parcel is watched no longer"),
        "parcel-found": Waits(
            "customer", "parcels.reappear_window", "the shop: nothing is charged for the parcel that turned up"
        ),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        while not self.parcel.remedy:
            match await self.watch():
                case "delivered":
                    return await self.close("delivered", cause="logistics")
                case "returned":
                    return await self.returned()
                case "lost":
                    match await self.choice():
                        case "reship" if await self.reship():
                            self.remedied("reshipped")
                        case "reship" | "refund":
                            await self.refund()
                            self.remedied("refunded")
                        case None:
                            continue
        return await self.finish()

    async def watch(self) -> End:
        """What becomes of the parcel: scan by scan, answer by answer, and what silence brings."""
        while True:
            await self.renew()
            self.state.choices = TOPICS
            self.enter("stuck" if self.parcel.trouble else self.parcel.state)
            self.show_claim(runs=bool(self.parcel.trouble))
            due = self.parcel.due(self.windows, self.policy.operators.hours)
            unclear = "not_received" if self.parcel.state == "delivered" else ""
            match await self.next(
                Checkpoint, CarrierReplied, WarehouseAnswered, OrderCancelled, Reply, by=due.at, unclear=unclear
            ):
                case Reply() as asked:
                    await self.answer(asked)
                case OrderCancelled() as cancelled:
                    await self.called_off(cancelled)
                case None:
                    if end := await self.silence():
                        return end
                case fact:
                    self.learn(fact)

    def learn(self, fact: Event) -> bool:
        """Take a fact about the parcel or its goods; False for one that changes nothing."""
        news = self.parcel.learn(fact, workflow.now())
        if not news:
            self.note(f"{fact.type} changes nothing: it is older than what is known, or known")
        return news

    async def called_off(self, cancelled: OrderCancelled) -> None:
        """The shop has cancelled the order: where it has paid the money back itself, nothing is owed for a loss."""
        self.parcel.paid_back |= cancelled.refunded
        if not cancelled.refunded:
            await self.to_a_person(cancelled, "the parcel has left: have it come back, or settle it on arrival")

    def catch_up(self) -> None:
        """Take the scans that are here already."""
        while scan := self.arrived(Checkpoint):
            self.learn(scan)

    async def silence(self) -> End | None:
        """What the clock has brought, after all scans that are here; the end of the way, if that is it."""
        self.catch_up()
        due = self.parcel.due(self.windows, self.policy.operators.hours)
        if due.at > workflow.now():
            return None
        match due.step:
            case "pickup_overdue":
                await self.command("ask_warehouse", question="picked_up", parcel=consignment(self.shipped))
                await self.command("nudge_carrier", parcel=consignment(self.shipped))
            case "pickup_late":
                await self.send("parcel-pickup-late", **handover(self.shipped, self.parcel))
            case "stuck":
                self.parcel.stall()
                await self.command("carrier_inquiry", kind=self.parcel.trouble, parcel=consignment(self.shipped))
                await self.send("parcel-stuck", **evidence(self.shipped, self.parcel), kind=self.parcel.trouble)
            case "lost" if self.parcel.state != "lost":
                self.parcel.lose("disputed" if self.parcel.state == "disputed" else "silent")
                return "lost"
            case "delivered" | "returned" | "lost" as end:
                return end
        self.parcel.done.add(due.step)
        return None

    async def answer(self, asked: Reply) -> None:
        """What a customer is told who writes while the parcel is watched."""
        parcel = self.parcel
        match asked.intent:
            case "thanks" if parcel.state == "delivered":
                parcel.arrive(workflow.now())
            case "received":
                parcel.arrive(workflow.now())
            case "other" | "thanks":
                await self.elsewhere(asked)
            case "unclear" if parcel.state != "delivered" and await self.is_about_something_else(asked.message):
                await self.elsewhere(asked)
            case _ if parcel.state == "delivered" and parcel.last_at and asked.received_at < parcel.last_at:
                await self.to_a_person(asked, "the customer asked before the parcel was delivered")
            case _ if parcel.state == "delivered":
                parcel.dispute(workflow.now())
                await self.command("request_proof_of_delivery", parcel=consignment(self.shipped))
                await self.send("parcel-stuck", **evidence(self.shipped, self.parcel), kind="disputed")
            case _ if parcel.trouble in ("refused", "bad_address"):
                await self.to_a_person(asked, f"the customer answered about a parcel with trouble: {parcel.trouble}")
            case _:
                await self.calm(asked)

    async def elsewhere(self, asked: Reply) -> None:
        """What is not about where the parcel is goes to an inquiry, which knows by its name that it is not ours."""
        if not workflow.patched(_ELSEWHERE):
            await self.to_a_person(asked, "the customer wrote about something else than where the parcel is")
            return
        if self.parcel.state == "delivered":
            self.order = self.order.model_copy(update={"delivered_at": self.parcel.last_at})
        message = asked.message.model_copy(update={"case_id": case_id("inquiry", self.ref.order_id)})
        await self.open_case("inquiry", message, self.shipped)

    async def is_about_something_else(self, message: Message) -> bool:
        """Whether the classifier is sure that a message which no phrase fits is not about the parcel."""
        if not workflow.patched(_ELSEWHERE):
            return False
        read = await messages.classified(self, message)
        return topic_of(read, message) not in ("", "where_is_my_order")

    async def calm(self, asked: Reply) -> None:
        """The facts of the hour; who asks again while there are no newer ones is read by a person."""
        parcel, every = self.parcel, self.policy.letters.acknowledge_every
        troubled = parcel.trouble or ("disputed" if parcel.state == "disputed" else "")
        late = parcel.state == "handed_over" and "pickup_overdue" in parcel.done
        letter = "parcel-stuck" if troubled else "parcel-pickup-late" if late else "parcel-on-its-way"
        if not parcel.may_answer(letter, workflow.now(), every):
            await self.to_a_person(asked, "the customer asks again, and there is nothing new to say")
        elif troubled:
            await self.send("parcel-stuck", **evidence(self.shipped, self.parcel), kind=troubled)
        elif late:
            parcel.done.add("pickup_late")
            await self.send("parcel-pickup-late", **handover(self.shipped, self.parcel))
        else:
            await self.command("nudge_carrier", parcel=consignment(self.shipped))
            await self.send("parcel-on-its-way", **evidence(self.shipped, self.parcel))

    async def choice(self) -> Remedy | None:
        """Reship or refund, as the customer chooses, else by default; None where the parcel turned up meanwhile."""
        if self.parcel.loss != "damaged":
            self.parcel.traced_at = workflow.now()
            await self.command("carrier_trace", parcel=consignment(self.shipped))
        if self.parcel.paid_back:
            return "refund"
        self.show_claim(runs=True)
        kind, by = self.parcel.loss, self.until(self.windows.choice_window)
        default = self.default
        await self.send(
            "parcel-lost-choice", **evidence(self.shipped, self.parcel), default_choice=default, choose_by=by, kind=kind
        )
        while fact := await self.next(Reply, Checkpoint, CarrierReplied, WarehouseAnswered, OrderCancelled, by=by):
            if isinstance(fact, OrderCancelled):
                await self.called_off(fact)
                if self.parcel.paid_back:
                    return "refund"
            elif not isinstance(fact, Reply):
                self.learn(fact)
            elif fact.intent in ("reship", "refund"):
                return cast(Remedy, fact.intent)
            else:
                question = f"The customer wrote about the lost parcel: “{fact.text[:1000]}”. What is meant?"
                wish = await self.decision(question, "reship", "refund", "received", fallback=self.default)
                self.catch_up()
                if wish == "received":
                    self.parcel.arrive(workflow.now())
                elif self.parcel.state == "lost":
                    return cast(Remedy, wish)
            if self.parcel.state in ("delivered", "returned"):
                return None
        return self.default if self.parcel.state == "lost" else None

    async def reship(self) -> bool:
        """Send the goods again and have the loss claimed; False where that is not possible."""
        self.learn_stock()
        if self.parcel.out_of_stock:
            return False
        value = goods_value(self.order, self.shipped.lines)
        reference = await self.command(
            "reship",
            pays="reship",
            amount=value,
            instead="refund",
            parcel=consignment(self.shipped),
            lines=goods(self.shipped),
        )
        if reference:
            await self.send("parcel-reshipped", reference=reference)
            await self.claim()
        return bool(reference)

    async def refund(self, *, instead_of_reship: bool = False) -> None:
        """Pay back what the customer paid for the goods in the parcel, and have the loss claimed."""
        amount = paid_for(self.order, self.shipped.lines)
        replaces: Literal["reship"] | None = "reship" if instead_of_reship else None
        if not self.parcel.paid_back:
            await self.command(
                "refund",
                pays="refund",
                amount=amount,
                replaces=replaces,
                parcel=consignment(self.shipped),
                lines=goods(self.shipped),
            )
            await self.send("parcel-refunded", refund=amount)
        if not instead_of_reship:
            await self.claim()

    async def claim(self) -> None:
        """Have a lost parcel claimed from its carrier, whose dates are another clock."""
        if self.parcel.state == "lost" and claims_itself(self):
            value, parcel = goods_value(self.order, self.shipped.lines), consignment(self.shipped)
            await self.command("file_carrier_claim", value=value, kind=self.parcel.loss, parcel=parcel)
        elif self.parcel.state == "lost":
            await self.open_case("carrier-claim", self.lost)
        self.show_claim(runs=False)

    def show_claim(self, *, runs: bool) -> None:
        """Show the last date for a claim, while the parcel is stuck or lost and nothing is claimed."""
        self.clock("last date for a claim", last_date(self.lost, self.windows) if runs else None, LAST_CLAIM)

    async def returned(self) -> Outcome:
        """The goods are back with us: an operator says what the customer gets, the money when none does."""
        if self.parcel.paid_back:
            return await self.close("returned_to_sender", cause="logistics")
        question = f"Parcel {self.ref.part} came back to us. Refund it, send it again, or is it settled otherwise?"
        choice = await self.decision(question, "refund", "reship", "settled", fallback="refund")
        if choice == "refund" or (choice == "reship" and not await self.reship()):
            await self.refund()
        return await self.close("returned_to_sender", cause="logistics")

    def remedied(self, remedy: Literal["reshipped", "refunded"]) -> None:
        """Go on with a new run, which only waits for the parcel to turn up: the old one keeps the claim it opened."""
        self.parcel.remedy, self.parcel.watched_until = remedy, self.until(self.windows.reappear_window)
        if not claims_itself(self):
            workflow.continue_as_new(self.opened.model_copy(update={"order": self.order, "state": self.state}))

    async def finish(self) -> Outcome:
        """After the remedy: the goods may be out of stock after all, or the lost parcel turns up."""
        while not self.parcel.offered_until and (fact := await self.news("remedied", self.parcel.watched_until)):
            if isinstance(fact, Reply):
                await self.to_a_person(fact, f"the customer wrote after the parcel was {self.parcel.remedy}")
            elif not self.learn(fact):
                continue
            elif isinstance(fact, WarehouseAnswered):
                if self.parcel.remedy == "reshipped":
                    self.parcel.remedy = "refunded"
                    await self.refund(instead_of_reship=True)
            elif self.parcel.state == "returned" or (not self.parcel.is_away and not await self.unwind()):
                break
        if self.parcel.offered_until and await self.keeps():
            return await self.close("kept_both", cause="logistics", at_fault=True)
        refunded = self.parcel.remedy == "refunded"
        return await self.close("refunded" if refunded else "reshipped", cause="logistics", at_fault=True)

    async def news(self, stage: str, until: datetime | None, unclear: str = "") -> Event | None:
        """The next that is heard after the remedy; None once the parcel is watched no longer."""
        self.enter(stage)
        await self.renew()
        kinds = (Checkpoint, CarrierReplied, WarehouseAnswered, OrderCancelled, Reply)
        while isinstance(fact := await self.next(*kinds, by=until, unclear=unclear), OrderCancelled):
            await self.to_a_person(fact, f"the parcel was {self.parcel.remedy} already")
        return fact

    async def unwind(self) -> bool:
        """What becomes of a lost parcel that turned up, as an operator decides; True where it is offered."""
        question = (
            f"Parcel {self.ref.part} turned up after it was {self.parcel.remedy}. Offer it, recall it, or leave it?"
        )
        decided = await self.decision(question, "keep_offer", "recall", "leave", fallback="keep_offer")
        self.catch_up()
        if self.parcel.is_away:
            return False
        if decided == "recall" and self.parcel.state != "delivered":
            await self.command("intercept", parcel=consignment(self.shipped))
        elif decided == "recall":
            await self.recall()
        elif decided == "keep_offer":
            await self.hand_strays_on("the customer wrote before the parcel that turned up was offered")
            await self.send("parcel-found", tracking_number=self.number, remedy=self.parcel.remedy, **self.reduced)
            self.parcel.offered_until = self.until(self.windows.reappear_window)
            return True
        return False

    async def keeps(self) -> bool:
        """Whether the customer keeps both for the discount; who answers nothing is charged nothing."""
        while fact := await self.news("parcel-found", self.parcel.offered_until, unclear="send_back"):
            match fact:
                case Reply() if self.parcel.is_away:
                    await self.to_a_person(fact, "the customer answers about a parcel that is not on its way any more")
                    return False
                case Reply(intent="keep"):
                    await self.sell()
                    return True
                case Reply():
                    await self.recall()
                    return False
                case WarehouseAnswered(answer="out_of_stock") if self.parcel.remedy == "reshipped":
                    await self.to_a_person(fact, "the new parcel cannot be sent, while the lost one is offered")
                case _:
                    self.learn(fact)
        return False

    async def sell(self) -> None:
        """Have the customer pay for the parcel, less the discount."""
        price = goods_value(self.order, self.shipped.lines) - self.reduced["discount"]
        await self.command(
            "request_payment",
            amount=price,
            purpose="kept_parcel",
            parcel=consignment(self.shipped),
            lines=goods(self.shipped),
        )
        await self.send("parcel-kept", price=price)

    async def recall(self) -> None:
        """Have the customer send the parcel back at our cost."""
        label = await self.command("issue_return_label", parcel=consignment(self.shipped), lines=goods(self.shipped))
        url = label if label.startswith("http") else ""
        await self.send("parcel-send-back", tracking_number=self.number, label_url=url)

    def learn_stock(self) -> None:
        """Hear what the warehouse has said meanwhile."""
        while answer := self.arrived(WarehouseAnswered):
            self.learn(answer)

    @property
    def shipped(self) -> OrderShipped:
        """The hand-over of the parcel to its carrier."""
        return cast(OrderShipped, self.opened.trigger)

    @property
    def lost(self) -> ParcelLost:
        """The loss, as the case that claims it is told."""
        return parcel_lost(self.shipped, self.parcel, self.order, workflow.now())

    @property
    def number(self) -> str:
        """The parcel's tracking number."""
        return self.shipped.parcel.tracking_number

    @property
    def reduced(self) -> dict[str, Decimal]:
        """What a parcel that turned up costs less, as a share and as an amount."""
        share = self.policy.parcels.found_discount
        value = goods_value(self.order, self.shipped.lines)
        return {"discount_share": share, "discount": rounded(value * share, self.order.currency)}

    @property
    def parcel(self) -> Tracking:
        """What is known of the parcel."""
        if self.state.parcel is None:
            self.state.parcel = Tracking(handed_over_at=self.opened.opened_at, since=self.opened.opened_at)
        return self.state.parcel

    @property
    def windows(self) -> ParcelWindows:
        """The windows of the parcel's lane."""
        return self.policy.parcels.for_parcel(self.shipped.parcel, self.order.ship_to)

    @property
    def default(self) -> Remedy:
        """What a customer gets who does not choose; nobody is sent a second time what was refused at the door."""
        self.learn_stock()
        return "refund" if self.parcel.out_of_stock or self.parcel.trouble == "refused" else "reship"
