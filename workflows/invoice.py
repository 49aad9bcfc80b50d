"""invoice: a customer wants an invoice."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal, TypeAlias, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import deadlines
    from aftersales.clocks import Waits
    from aftersales.events import CustomerMessage, InvoiceAnswered, InvoiceRequested, Message, OrderCancelled
    from aftersales.invoicing import cannot_be_right, corrected
    from aftersales.opening import CaseOpened
    from aftersales.outcome import Outcome

from workflows import commands, messages
from workflows.case import Case
from workflows.requests import Decide
from workflows.values import Value, link

Way: TypeAlias = Literal["finance", "details", "issued", "silent", "cancelled"]
"""What comes next: finance issues it, the customer corrects the data, or how it ended."""


@workflow.defn(name="invoice")
class Invoice(Case):
    """A customer wants an invoice (`spec/processes.md` §14, `003 §11`).

    In normal order the request is queued, an urgent one goes to finance with the customer's id, and the customer hears
    by when the invoice is there. Finance is reminded at half of the time; when it is over an operator says whether the
    invoice was issued, what is wrong, or that we wait on, as we do when none decides. What finance answers is the
    invoice's number or a link to it, which is sent. A tax number that cannot be right, or data that finance refuses,
    is corrected by the customer, whose words are given on as they are; a second refusal an operator sees first. Silence
    for the window, with a reminder at half, lets the request lapse, and so does a cancelled order.

    Case id `invoice/<order>`.
    """

    process = "invoice"
    LETTERS = {
        "invoice-queued": frozenset({"issued_by"}),
        "invoice-urgent": frozenset({"issued_by"}),
        "invoice-details-question": frozenset({"title", "tax_id", "answer_by"}),
        "invoice-details-question-reminder": frozenset({"title", "tax_id", "answer_by"}),
        "invoice-sent": frozenset({"number", "invoice_url", "late"}),
        "invoice-closed": frozenset({"why"}),
    }
    WAITS = {
        "invoice-queued": Waits("ours", "invoices.invoice_window", "the shop: the invoice is late"),
        "invoice-urgent": Waits("ours", "invoices.urgent_window", "the shop: the invoice is late"),
        "invoice-details-question": Waits("customer", "invoices.tax_data_window", "the customer: the request lapses"),
    }
    HEARS = (Message, InvoiceRequested, InvoiceAnswered, OrderCancelled)
    OPTIONS = {
        "wait": "finance is reminded and has as long again",
        "done_by_hand": 'finance has issued it; write its number or link beside the option: "reference": "…"',
        "ask_customer": "the data is wrong: ask the customer for the right one",
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
        way: Way = "details" if cannot_be_right(self.asked.tax_id, self.order.market) else "finance"
        while True:
            match way:
                case "details":
                    way = await self.corrected()
                case "finance":
                    way = await self.issue()
                case "issued":
                    return await self.tell_number()
                case "silent" | "cancelled":
                    await self.send("invoice-closed", why=way)
                    return await self.finish("lapsed")

    def begin(self, opened: CaseOpened) -> None:
        """Nothing was given to finance yet."""
        self.asked = cast(InvoiceRequested, opened.trigger)
        self.words, self.files = "", list[JsonValue]()
        self.number, self.round, self.late = "", 0, False
        self.with_finance: list[asyncio.Task[None]] = []

    async def corrected(self) -> Way:
        """The right data from the customer, with a reminder at half of the window."""
        by = self.until(self.policy.invoices.tax_data_window)
        said: dict[str, Value] = {"title": self.asked.title, "tax_id": self.asked.tax_id, "answer_by": by}
        return await self.ask("invoice-details-question", self.answered, by=by, **said) or "silent"

    async def answered(self, by: datetime) -> Way | None:
        """What the customer answers by this moment: a request with the right data, or words, given on as they are."""
        while True:
            match await self.next(Message, InvoiceRequested, OrderCancelled, by=by):
                case None:
                    return None
                case OrderCancelled():
                    return "cancelled"
                case InvoiceRequested() as again:
                    self.asked = corrected(self.asked, again)
                    return "finance"
                case Message(text=text, attachments=files) as message if text.strip() or files:
                    await self.look_out_for_anger(message)
                    self.words, self.files = text, list(files)
                    return "finance"
                case _:
                    continue

    async def look_out_for_anger(self, message: Message) -> None:
        """Tell a person of an angry customer; the words may hold the data all the same."""
        read = await messages.read(self, message, "")
        if read.angry:
            await self.to_a_person(read, "an angry customer, asked for the data of an invoice")

    async def issue(self) -> Way:
        """Have finance issue it in its window, with a reminder at half; then an operator finds out."""
        urgent, self.round = self.asked.urgent, self.round + 1
        window = self.policy.invoices.urgent_window if urgent else self.policy.invoices.invoice_window
        by = self.until(window)
        if urgent:
            await self.send("invoice-urgent", issued_by=by)
        else:
            await self.send("invoice-queued", issued_by=by)
        first = self.key(f"issue_invoice:{self.state.done.get('issue_invoice', 0) + 1}")
        self.with_finance.append(asyncio.create_task(self.give(by)))
        way = await self.heard(deadlines.half(workflow.now(), by))
        while way is None:
            self.with_finance.append(asyncio.create_task(self.give(by, reminds=first)))
            way = await self.heard(by)
            if way is None and workflow.now() >= by:
                self.late, by = True, self.until(window)
                way = await self.found_out("Finance has not issued the invoice in time, though reminded.", "wait")
        return way

    async def give(self, by: datetime, reminds: str = "") -> None:
        """Have finance issue it, or remind finance of the command with the key `reminds`.

        It runs beside the case's clock, which does not wait for finance; the answer comes as a fact.
        """
        this = self.round
        reference = await self.command(
            "issue_invoice",
            urgent=self.asked.urgent,
            issue_by=by,
            customer=self.order.customer.email,
            customer_name=self.order.customer.name,
            title=self.asked.title,
            tax_id=self.asked.tax_id,
            details=self.words,
            attachments=self.files,
            reminds=reminds,
        )
        known = self.asked.model_dump(include={"source", "order_id"})
        answer = InvoiceAnswered(
            **known,
            id=f"{self.ref.trigger} {len(self.state.seen)}",
            time=workflow.now(),
            reference=reference,
            round=this,
        )
        self.state.receive(answer, workflow.now())
        asked = self.open_decision()
        if reference and asked and asked.answer is None:
            Case.decide(self, Decide(option="wait", by="finance", reason=f"issued {reference}"))

    async def heard(self, by: datetime) -> Way | None:
        """What comes of it by this moment; a request with other data is read by a person, as finance has the first."""
        while True:
            match await self.next(InvoiceAnswered, InvoiceRequested, OrderCancelled, by=by):
                case None:
                    return None
                case OrderCancelled():
                    why = "the order was cancelled; finance has its invoice in hand"
                    await self.tell(f"aftersales {self.key('cancelled')}", why)
                    return "cancelled"
                case InvoiceRequested() as again:
                    await self.to_a_person(
                        _as_message(again), "the customer asks for the invoice again; finance has it"
                    )
                case InvoiceAnswered() as answer if answer.round < self.round:
                    await self.set_aside(answer)
                case InvoiceAnswered(reference=""):
                    return await self.refused()
                case InvoiceAnswered(reference=number):
                    self.number = number
                    return "issued"
                case _:
                    continue

    async def refused(self) -> Way | None:
        """Finance does not take the data: the customer corrects it once, then an operator says what is wrong."""
        if "letter:invoice-details-question" not in self.state.done:
            return "details"
        return await self.found_out("Finance refuses the invoice although the customer was asked.", "ask_customer")

    async def found_out(self, what: str, fallback: str) -> Way | None:
        """What an operator learns from finance; None to wait on. An invoice that comes meanwhile ends the question."""
        asked = self.asked
        question = (
            f"{what} Customer {self.order.customer.email}, invoice to “{asked.title[:200]}”, tax number "
            f"“{asked.tax_id[:100]}”, the customer's words: “{self.words[:500]}”. What now?"
        )
        chosen = await self.decision(question, "wait", "done_by_hand", "ask_customer", fallback=fallback)
        taken = self.state.decisions[-1]
        if chosen == "ask_customer" and taken.by:
            return "details"
        while answer := self.arrived(InvoiceAnswered):
            self.number = self.number or answer.reference
        if chosen == "done_by_hand":
            self.number = taken.reference or self.number
        elif not self.number:
            return "details" if chosen == "ask_customer" else None
        return "issued"

    async def set_aside(self, answer: InvoiceAnswered) -> None:
        """Tell a person of another invoice that finance has issued; a refusal says nothing any more."""
        if answer.reference not in ("", self.number):
            why = f"finance has issued {answer.reference} with data that was wrong, or too late: have it cancelled"
            await self.tell(f"aftersales {self.key(answer.reference)}", why)

    async def tell_number(self) -> Outcome:
        """Send the invoice: its number or the link to it."""
        url, untold = link(self.number), commands.WITHOUT_NUMBER
        number = "" if url or self.number == untold else self.number
        await self.send("invoice-sent", number=number, invoice_url=url, late=self.late)
        return await self.finish("issued")

    async def finish(self, result: str) -> Outcome:
        """Close; a request that is left is read by a person."""
        while answer := self.arrived(InvoiceAnswered):
            await self.set_aside(answer)
        while again := self.arrived(InvoiceRequested):
            await self.to_a_person(_as_message(again), "the customer asked for the invoice again")
        return await self.close(result, cause="service" if self.late else "customer", at_fault=self.late)


def _as_message(asked: InvoiceRequested) -> CustomerMessage:
    """A request in the form of a message, which a person reads and the customer is told so."""
    said = ", ".join(filter(None, ["urgent" if asked.urgent else "", asked.title, asked.tax_id]))
    known = asked.model_dump(include={"id", "source", "order_id", "time"})
    return CustomerMessage(**known, text=f"Please send me the invoice. {said}")
