"""wrong-item: something else arrived than was ordered."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Literal, NamedTuple, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import keeping
    from aftersales.claims import return_lost
    from aftersales.clocks import NEXT_SCAN, Waits
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        Event,
        Message,
        OrderCancelled,
        ParcelLost,
        ReceivedItem,
        ReturnReceived,
        WarehouseAnswered,
        WrongItemReported,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.order import Item
    from aftersales.outcome import Outcome

from workflows.case import Case
from workflows.values import Value, link

WayBack = Literal["back", "out_of_stock", "reship", "compensate"]
"""How a way back ends: the wrong item is back (or on its way), the right one is not there, or an operator's choice."""


class Evidence(NamedTuple):
    """What the customer showed: links to photos, and what the photo form found out."""

    photos: tuple[str, ...]
    received: ReceivedItem | None
    text: str


@workflow.defn(name="wrong-item")
class WrongItem(Case):
    """Another item than the ordered one arrived (`spec/processes.md` §10, `003 §3`).

    The customer shows what arrived, with a reminder at half of the evidence window; at its end without photos the
    request is closed. The photo form confirms it where it names another SKU, else an operator does. Who was sent the
    wrong item is offered to keep it with compensation. Who would rather have the right one gets it at once and keeps
    both where the way back costs more than the wrong item is worth, else gets a prepaid label and the right item once
    the wrong one is received, or handed over, as the policy says. Where the right item is out of stock, the money goes
    back instead. Silence about the offer counts as declining: we owe the right item. Who then never sends the wrong one
    back has kept it, and an operator says for what; when none does, for the compensation.

    Case id `wrong-item/<order>`, with `/<line id>` for one line of several. Closed for want of photos, it reopens when
    the customer writes again before the goods' return window ends.
    """

    process = "wrong-item"
    LETTERS = {
        "ask-wrong-item-evidence": frozenset({"item", "evidence_by"}),
        "ask-wrong-item-evidence-reminder": frozenset({"item", "evidence_by"}),
        "wrong-item-closed": frozenset({"item"}),
        "wrong-item-not-confirmed": frozenset({"item", "photos", "findings"}),
        "keep-offer": frozenset({"item", "received", "compensation", "reply_by"}),
        "wrong-item-compensated": frozenset({"compensation"}),
        "wrong-item-return-label": frozenset({"item", "rma", "label_url", "ship_by"}),
        "wrong-item-return-label-reminder": frozenset({"item", "rma", "ship_by"}),
        "wrong-item-reship": frozenset({"item", "keeps_both"}),
        "wrong-item-refunded": frozenset({"item", "refund"}),
    }
    HEARS = (Message, WrongItemReported, WarehouseAnswered, ReturnReceived, Checkpoint, CarrierReplied, OrderCancelled)
    OPTIONS = {
        "accept": "the customer keeps what came, for the compensation",
        "decline": "the customer wants the right item; what came goes back with our label",
        "confirmed": "another item came than was ordered: offer to keep it for a compensation, or the right one",
        "not_confirmed": "what came is what was ordered: tell the customer what the photos show",
        "compensate": "pay the compensation; the customer keeps what came",
        "reship": "send the right item all the same; what came stays with the customer",
        "refund": "give the money for the item back instead of sending it",
    }
    WAITS = {
        "ask-wrong-item-evidence": Waits(
            "customer", "products.evidence_window", "the customer: the request is closed without evidence"
        ),
        "keep-offer": Waits("customer", "products.keep_offer_window", "the shop: the right item is owed"),
        "wrong-item-return-label": Waits(
            "customer",
            "returns.ship_back_window",
            "the customer: the wrong item counts as kept, unless it is on its way",
        ),
    }
    REOPENS = {"no_evidence": ""}

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.loss: ParcelLost | None = None
        evidence = await self.evidence()
        if evidence is None:
            await self.send("wrong-item-closed", item=self.item.title)
            return await self.close("no_evidence")
        if not await self.confirmed(evidence):
            await self.explain(evidence)
            return await self.close("not_confirmed")
        if await self.keeps(evidence):
            return await self.compensate(evidence)
        if self.out_of_stock():
            return await self.refund()
        if not self.worth_returning(evidence):
            return await self.reship(keeps_both=True)
        match await self.way_back(evidence):
            case "back":
                return await self.reship(keeps_both=False)
            case "out_of_stock":
                return await self.refund()
            case "reship":
                return await self.reship(keeps_both=True)
            case "compensate":
                return await self.compensate(evidence)

    async def evidence(self) -> Evidence | None:
        """What the customer shows, at once or when asked; None without any by the end of the window."""
        if not self.opened.resume and (shown := _shown(self.report)):
            return shown
        by = self.until(self.policy.products.evidence_window)
        said: dict[str, Value] = {"item": self.item.title, "evidence_by": by}
        if self.opened.resume:
            self.enter("ask-wrong-item-evidence")
            return await self.remind("ask-wrong-item-evidence", self.shown, by=by, **said)
        return await self.ask("ask-wrong-item-evidence", self.shown, by=by, **said)

    async def shown(self, by: datetime) -> Evidence | None:
        """The first message with photos by this moment; words alone are for a person, while we go on waiting."""
        while fact := await self.next(Message, WrongItemReported, by=by):
            if evidence := _shown(fact):
                return evidence
            await self.to_a_person(fact, "the customer wrote about the wrong item without photos")
        return None

    async def confirmed(self, evidence: Evidence) -> bool:
        """Whether it is another item: by the photo form, else an operator; when none decides, the customer is right."""
        if keeping.is_other_item(self.item, evidence.received):
            return True
        said = " ".join(dict.fromkeys(filter(None, [self.report.text, evidence.text]))) or "nothing"
        form = f" The photo form names {evidence.received.sku}." if evidence.received else ""
        question = (
            f"Is it another item than {self.item.title} ({self.item.sku})? "
            f"Photos: {', '.join(evidence.photos) or 'none'}.{form} The customer wrote: “{said[:1000]}”."
        )
        verdict = await self.decision(question, "confirmed", "not_confirmed", fallback="confirmed")
        await self.hand_strays_on("the customer wrote while an operator looked at the photos")
        return verdict == "confirmed"

    async def explain(self, evidence: Evidence) -> None:
        """Say with the evidence why we cannot confirm it."""
        findings: list[JsonValue] = ["as_described"] if evidence.received else []
        await self.send(
            "wrong-item-not-confirmed", item=self.item.title, photos=list(evidence.photos), findings=findings
        )

    async def keeps(self, evidence: Evidence) -> bool:
        """Whether the customer keeps the wrong item for the compensation."""
        window = self.policy.products.keep_offer_window
        await self.send(
            "keep-offer",
            item=self.item.title,
            received=evidence.received.title if evidence.received else "",
            compensation=self.compensation(evidence),
            reply_by=self.until(window),
        )
        reply = await self.next(Reply, within=window, unclear="decline")
        return reply is not None and reply.intent == "accept"

    async def way_back(self, evidence: Evidence) -> WayBack:
        """A prepaid label; then what becomes of the wrong item, and an operator's choice where it never leaves."""
        rma = await self.command("create_rma", lines=self.lines)
        label = await self.command("issue_return_label", rma=rma)
        by = self.until(self.policy.returns.ship_back_window)
        said: dict[str, Value] = {"item": self.item.title, "rma": rma, "label_url": link(label), "ship_by": by}
        self.way: list[Event] = []
        self.lost = partial(
            return_lost,
            self.report,
            self.opened.order,
            self.way,
            rma=rma,
            label=label,
            lines=keeping.whole_line(self.item),
            value=keeping.received_value(self.opened.order, self.item, evidence.received),
        )
        returned = partial(self.returned, rma)
        back: WayBack | None = await self.ask("wrong-item-return-label", returned, by=by, **said)
        self.clock("next scan", None, NEXT_SCAN)
        if back is not None:
            return back
        question = (
            f"The customer wants {self.item.title} and has not sent the wrong item back ({rma}). Pay the compensation, "
            "or send the right item all the same?"
        )
        choice = await self.decision(question, "compensate", "reship", fallback="compensate")
        return "reship" if choice == "reship" else "compensate"

    async def returned(self, rma: str, by: datetime) -> WayBack | None:
        """What becomes of the wrong item by this moment; one that is on its way has until its scans stop."""
        sent = False
        while True:
            match await self.next(ReturnReceived, Checkpoint, CarrierReplied, WarehouseAnswered, Reply, by=by):
                case ReturnReceived():
                    return "back"
                case WarehouseAnswered(answer="out_of_stock"):
                    return "out_of_stock"
                case Reply(intent="accept"):
                    return "compensate"
                case Reply() as message:
                    await self.to_a_person(message, "the customer wrote while the wrong item was on its way back")
                case CarrierReplied(answer="lost") as word:
                    self.way.append(word)
                    self.loss = self.lost(now=workflow.now())
                    return "back"
                case Checkpoint(proves_dispatch=True) if self.policy.products.reship_on == "dispatch_scan":
                    return "back"
                case Checkpoint(proves_dispatch=True) as scan:
                    self.way.append(scan)
                    sent, by = True, self.until(self.policy.parcels.lost_after)
                    self.clock("next scan", by, NEXT_SCAN)
                case None if sent:
                    await self.command("carrier_trace", rma=rma)
                    self.loss = self.lost(now=workflow.now(), traced_for=timedelta())
                    return "back"
                case None:
                    return None
                case _:
                    continue

    async def compensate(self, evidence: Evidence) -> Outcome:
        """Pay for keeping the wrong item."""
        amount = self.compensation(evidence)
        await self.command("pay_compensation", pays="compensation", amount=amount, lines=self.lines)
        await self.send("wrong-item-compensated", compensation=amount)
        return await self.finish("kept")

    async def reship(self, *, keeps_both: bool) -> Outcome:
        """Send the right item, or the money where it is out of stock."""
        value = keeping.line_value(self.opened.order, self.item)
        if self.out_of_stock() or not await self.command(
            "reship", pays="reship", amount=value, instead="refund", lines=self.lines
        ):
            return await self.refund()
        await self.send("wrong-item-reship", item=self.item.title, keeps_both=keeps_both)
        return await self.finish("reshipped" if keeps_both else "exchanged")

    async def refund(self) -> Outcome:
        """Pay back what the customer paid for the right item."""
        amount = keeping.line_refund(self.opened.order, self.item)
        await self.command("refund", pays="refund", amount=amount, lines=self.lines)
        await self.send("wrong-item-refunded", item=self.item.title, refund=amount)
        return await self.finish("refunded")

    async def finish(self, result: str) -> Outcome:
        """Close a case in which we sent the wrong item; one that was lost on its way back is claimed."""
        if self.loss:
            await self.open_case("carrier-claim", self.loss)
        return await self.close(result, cause="service", at_fault=True)

    def out_of_stock(self) -> bool:
        """Whether the warehouse has told us that it does not have the right item."""
        while answer := self.arrived(WarehouseAnswered):
            if answer.answer == "out_of_stock":
                return True
        return False

    def worth_returning(self, evidence: Evidence) -> bool:
        """Whether the wrong item is worth its way back."""
        freights = self.policy.products.return_freight
        return keeping.worth_returning(self.opened.order, self.item, evidence.received, freights)

    def compensation(self, evidence: Evidence) -> Decimal:
        """What we pay for keeping the wrong item."""
        return keeping.compensation(self.opened.order, self.item, evidence.received, self.policy.products.keep_offer)

    @property
    def report(self) -> WrongItemReported:
        """What the customer reported."""
        return cast(WrongItemReported, self.opened.trigger)

    @property
    def item(self) -> Item:
        """The line that should have arrived."""
        return self.opened.order.lines([self.report.line_id])[0]

    @property
    def lines(self) -> JsonValue:
        """The line for a counterpart."""
        return [line.model_dump() for line in keeping.whole_line(self.item)]


def _shown(fact: Event) -> Evidence | None:
    """What a report or a message shows; None where it holds words only."""
    match fact:
        case Message(attachments=photos, text=text) if photos:
            return Evidence(photos, None, text)
        case WrongItemReported(photos=photos, received=received, text=text) if photos or received:
            return Evidence(photos, received, text)
        case _:
            return None
