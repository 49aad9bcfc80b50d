"""Order events: the contract with the outside (`spec/events.md`), one class a type.

An event arrives as a CloudEvent; here its envelope (`id`, `source`, `subject` = order id, `time`) and its `data` lie
flat in one value, so that a process can say `case Checkpoint(status="delivered")`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, cast, get_args

from pydantic import Field, RootModel, ValidationError, model_validator

from aftersales.model import Amount, Model, Name, Text, Time
from aftersales.order import Address, Order, Parcel

MAX_BYTES = 512 * 1024
"""The largest event taken, in bytes of JSON. Photos and documents travel as links."""

Url = Annotated[str, Field(max_length=2000, pattern=r"^https?://\S+$")]


class Event(Model):
    """What every event has: `id` + `source` identify it, `order_id` is its subject, `time` when it happened."""

    id: Name
    source: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S+$")]
    order_id: Name
    time: Time
    type: str

    by_customer: ClassVar[bool] = False
    """Whether it is the customer who speaks: then an answer is due (rules 4, 5)."""

    @property
    def identity(self) -> str:
        """What tells the event from every other: a repeat has the same."""
        return f"{self.source} {self.id}"

    @property
    def happened_at(self) -> datetime:
        """The moment that counts when the event is compared with a deadline."""
        return self.time


class OrderEvent(Event):
    """An event that may carry the snapshot of its order and so can start a case."""

    order: Order | None = None

    @model_validator(mode="after")
    def _one_order(self) -> OrderEvent:
        if self.order and self.order.order_id != self.order_id:
            raise ValueError(f"order.order_id {self.order.order_id!r} is not the subject {self.order_id!r}")
        return self

    def _must_have_lines(self, *line_ids: str) -> None:
        if self.order:
            known = {item.line_id for item in self.order.items}
            if unknown := [line for line in line_ids if line not in known]:
                raise ValueError(
                    f"line_id {unknown[0]!r} is not a line of the order; it has {', '.join(sorted(known))}"
                )


class CustomerEvent(OrderEvent):
    """Something that the customer asks for or says."""

    by_customer: ClassVar[bool] = True


class Line(Model):
    """Some of one line of the order, as it is asked for or sent back."""

    line_id: Name
    quantity: int = Field(default=1, ge=1)


class ReturnLine(Line):
    """A line that the customer wants to return."""

    opened: bool = False
    labels_on: bool = True


class ReceivedLine(Line):
    """A line as the warehouse found it."""

    condition: Literal["as_described", "damaged", "used", "wrong", "missing"]


class ReceivedItem(Model):
    """What arrived instead of the right item; `value` is what we sell it for."""

    sku: Name
    title: Name
    value: Amount


ReturnReason = Literal[
    "changed_mind",
    "no_longer_needed",
    "bought_by_other",
    "found_cheaper",
    "too_late",
    "size",
    "defective",
    "damaged",
    "not_as_described",
    "wrong_item",
    "missing_part",
    "other",
]


class OrderPaid(OrderEvent):
    """An order was paid."""

    type: Literal["order.paid"] = "order.paid"


class OrderUpdated(OrderEvent):
    """An order changed; its new snapshot replaces the old one in open cases."""

    type: Literal["order.updated"] = "order.updated"


class OrderCancelled(Event):
    """An order was cancelled; `refunded` where the shop has paid the money back itself."""

    type: Literal["order.cancelled"] = "order.cancelled"
    reason: Text = ""
    refunded: bool = False


class OrderShipped(OrderEvent):
    """A parcel was handed to its carrier. `lines` are those in the parcel; none given means the whole order."""

    type: Literal["order.shipped"] = "order.shipped"
    parcel: Parcel
    lines: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _lines_exist(self) -> OrderShipped:
        self._must_have_lines(*(line.line_id for line in self.lines))
        return self


class ReturnRequested(CustomerEvent):
    """A customer wants to return lines of an order; no lines given means all of them.

    `disputed`: there is a dispute about it already, so that the ladder begins at its end (§2).
    """

    type: Literal["order.return_requested"] = "order.return_requested"
    lines: tuple[ReturnLine, ...] = ()
    reason: ReturnReason | None = None
    text: Text = ""
    photos: tuple[Url, ...] = ()
    disputed: bool = False

    @model_validator(mode="after")
    def _lines_exist(self) -> ReturnRequested:
        self._must_have_lines(*(line.line_id for line in self.lines))
        return self


class ReturnCancelled(Event):
    """The customer takes the wish to return back."""

    type: Literal["order.return_cancelled"] = "order.return_cancelled"


class WrongItemReported(CustomerEvent):
    """The customer says that another item than the ordered line arrived. `received` is what a photo form found out."""

    type: Literal["order.wrong_item_reported"] = "order.wrong_item_reported"
    line_id: Name
    text: Text = ""
    photos: tuple[Url, ...] = ()
    received: ReceivedItem | None = None

    @model_validator(mode="after")
    def _line_exists(self) -> WrongItemReported:
        self._must_have_lines(self.line_id)
        return self


class ExchangeRequested(CustomerEvent):
    """The customer wants goods exchanged."""

    type: Literal["order.exchange_requested"] = "order.exchange_requested"
    lines: tuple[Line, ...] = ()
    wanted_sku: str = ""
    wanted_price: Amount | None = None
    reason: ReturnReason | None = None
    opened: bool = False
    labels_on: bool = True

    @model_validator(mode="after")
    def _lines_exist(self) -> ExchangeRequested:
        self._must_have_lines(*(line.line_id for line in self.lines))
        return self


class RepairRequested(CustomerEvent):
    """The customer wants a line repaired."""

    type: Literal["order.repair_requested"] = "order.repair_requested"
    line_id: Name
    fault: Text = ""
    photos: tuple[Url, ...] = ()

    @model_validator(mode="after")
    def _line_exists(self) -> RepairRequested:
        self._must_have_lines(self.line_id)
        return self


class ChangedLine(Line):
    """A line as the customer wants it: another number of units (0 takes it out), or another product at its price."""

    quantity: int = Field(default=1, ge=0)
    wanted_sku: str = Field(default="", max_length=200)
    wanted_title: str = Field(default="", max_length=500)
    wanted_price: Amount | None = None


class OrderChange(Model):
    """What the customer wants changed: the address, or the lines; lines that are not named stay as they are."""

    address: Address | None = None
    lines: tuple[ChangedLine, ...] = ()


class ChangeRequested(CustomerEvent):
    """The customer wants the order changed."""

    type: Literal["order.change_requested"] = "order.change_requested"
    change: OrderChange


class ExpediteRequested(CustomerEvent):
    """The customer asks where an order is that has not left."""

    type: Literal["order.expedite_requested"] = "order.expedite_requested"
    text: Text = ""


class InvoiceRequested(CustomerEvent):
    """The customer wants an invoice."""

    type: Literal["order.invoice_requested"] = "order.invoice_requested"
    urgent: bool = False
    tax_id: str = ""
    title: str = ""


class PerkRequested(CustomerEvent):
    """The customer asks for a gift or for free shipping."""

    type: Literal["order.perk_requested"] = "order.perk_requested"
    perk: Literal["gift", "free_shipping"]
    text: Text = ""


class BulkRequested(CustomerEvent):
    """The customer asks for a larger number of units."""

    type: Literal["order.bulk_requested"] = "order.bulk_requested"
    units: int = Field(ge=1)
    place: str = ""
    packaging: Literal["together", "apart"] | None = None
    wanted_discount: str | None = None


class Complaint(CustomerEvent):
    """A complaint about goods, way or service."""

    type: Literal["order.complaint"] = "order.complaint"
    text: Text = ""
    cause: Literal["product", "logistics", "service"] | None = None
    photos: tuple[Url, ...] = ()


class Message(CustomerEvent):
    """Something a customer wrote. It was received at `received_at`, else at the event's time."""

    text: Text = ""
    choice: str | int | None = None
    case_id: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    attachments: tuple[Url, ...] = ()
    language: str | None = None
    received_at: Time | None = None

    @property
    def happened_at(self) -> datetime:
        """When the customer's message was received, which is what makes it late or in time (rule 7)."""
        return self.received_at or self.time


class CustomerMessage(Message):
    """A message that answers no letter that its sender could name."""

    type: Literal["customer.message"] = "customer.message"
    channel: str = ""


class CustomerReplied(Message):
    """The answer to a letter of a case."""

    type: Literal["customer.replied"] = "customer.replied"


class CustomerConfirmed(Event):
    """The customer says whether a question is solved."""

    type: Literal["customer.confirmed"] = "customer.confirmed"
    case_id: str
    solved: bool


class Checkpoint(Event):
    """A scan of a parcel, made `at`; `status` is one of AfterShip's nine tags in snake case, or `returned`."""

    type: Literal["shipment.checkpoint"] = "shipment.checkpoint"
    parcel_no: Name
    status: Literal[
        "info_received",
        "in_transit",
        "out_for_delivery",
        "attempt_fail",
        "exception",
        "delivered",
        "available_for_pickup",
        "pending",
        "expired",
        "returned",
    ]
    substatus: str = ""
    location: str = ""
    at: Time | None = None
    message: str = Field(default="", max_length=2000)

    @property
    def happened_at(self) -> datetime:
        """When the parcel was scanned."""
        return self.at or self.time

    @property
    def proves_dispatch(self) -> bool:
        """Whether the carrier has the parcel in hand; no while it only knows of a label."""
        return self.status not in ("info_received", "pending", "expired")


class CarrierReplied(Event):
    """The carrier's answer to an inquiry or a trace."""

    type: Literal["carrier.replied"] = "carrier.replied"
    parcel_no: Name
    answer: Literal["moving", "found", "lost", "returning", "damaged"]
    text: Text = ""


class CarrierClaimDecided(Event):
    """The carrier's decision about a claim."""

    type: Literal["carrier.claim_decided"] = "carrier.claim_decided"
    parcel_no: Name
    granted: bool
    amount: Amount = Decimal(0)


class CarrierIntercepted(Event):
    """Whether the carrier stopped a parcel."""

    type: Literal["carrier.intercepted"] = "carrier.intercepted"
    parcel_no: Name
    ok: bool


class CarrierRedirected(Event):
    """Whether the carrier took the new address."""

    type: Literal["carrier.redirected"] = "carrier.redirected"
    parcel_no: Name
    ok: bool


class WarehouseAnswered(Event):
    """The warehouse's answer to a question."""

    type: Literal["warehouse.answered"] = "warehouse.answered"
    question: str = ""
    answer: Literal["dispatched", "missing_part", "out_of_stock", "amended", "too_late"]
    until: Time | None = None


class ReturnReceived(Event):
    """The warehouse has a return in hand and looked at it. `freight_receipt` is what the customer paid to send it."""

    type: Literal["warehouse.return_received"] = "warehouse.return_received"
    rma: str = ""
    lines: tuple[ReceivedLine, ...] = ()
    photos: tuple[Url, ...] = ()
    freight_receipt: Amount | None = None

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not as described, each once."""
        return tuple(dict.fromkeys(line.condition for line in self.lines if line.condition != "as_described"))


class RepairProgressed(Event):
    """A step of a repair."""

    type: Literal["repair.progressed"] = "repair.progressed"
    rma: str = ""
    step: Name
    tracking_number: str = ""
    quote: Amount | None = None


class PaymentReceived(Event):
    """A customer's payment came in."""

    type: Literal["payment.received"] = "payment.received"
    purpose: str = ""
    amount: Amount


class RefundSettled(Event):
    """A refund reached the customer."""

    type: Literal["refund.settled"] = "refund.settled"
    amount: Amount
    key: str = ""


class InsurancePaid(Event):
    """The freight insurer paid."""

    type: Literal["insurance.paid"] = "insurance.paid"
    amount: Amount


class DispatchBlocked(OrderEvent):
    """A region cannot be served by some carriers."""

    type: Literal["dispatch.blocked"] = "dispatch.blocked"
    region: Name
    carriers_blocked: tuple[str, ...] = ()
    carriers_usual: tuple[str, ...] = ()
    proof: tuple[Url, ...] = ()
    platform_deadline: Time | None = None


class PlatformDecided(Event):
    """The platform's decision. What it decides about stands in `data.subject`, apart from the envelope's subject."""

    type: Literal["platform.decided"] = "platform.decided"
    subject: Literal["exemption", "review_appeal"]
    granted: bool


class DisputeOpened(OrderEvent):
    """A claim, a chargeback or a complaint to the platform."""

    type: Literal["dispute.opened"] = "dispute.opened"
    kind: Literal["a_to_z", "chargeback", "platform_complaint"]
    claim_id: str = ""
    text: Text = ""
    amount: Amount | None = None
    respond_by: Time | None = None


class DisputeUpdated(Event):
    """The platform moved the date to respond by."""

    type: Literal["dispute.updated"] = "dispute.updated"
    claim_id: str = ""
    respond_by: Time


class DisputeWithdrawn(Event):
    """The customer withdrew the dispute."""

    type: Literal["dispute.withdrawn"] = "dispute.withdrawn"
    claim_id: str = ""


class DisputeDecided(Event):
    """The ruling."""

    type: Literal["dispute.decided"] = "dispute.decided"
    claim_id: str = ""
    won: bool
    amount: Amount | None = None


class FurtherDispute(OrderEvent):
    """Another dispute was opened while an order's first one is open, whose case hands it to one of its own.

    Comes from inside only.
    """

    type: Literal["dispute.further"] = "dispute.further"
    dispute: DisputeOpened


class ReviewThreatened(OrderEvent):
    """The customer threatens with a bad review."""

    type: Literal["review.threatened"] = "review.threatened"
    text: Text = ""
    rating: int | None = Field(default=None, ge=1, le=5)
    violates: Literal["privacy", "abuse", "competitor"] | None = None


class ReviewPublished(OrderEvent):
    """A review is out."""

    type: Literal["review.published"] = "review.published"
    text: Text = ""
    rating: int | None = Field(default=None, ge=1, le=5)
    violates: Literal["privacy", "abuse", "competitor"] | None = None


class ReturnTerms(Model):
    """On which terms goods come back: who pays the return freight, the fee kept, what is refunded, and why (§3)."""

    lines: tuple[ReturnLine, ...] = ()
    freight: Literal["customer", "shop"]
    fee: Amount = Decimal(0)
    refund: Amount
    our_fault: bool = False
    cause: Literal["product", "logistics", "service", "customer"] = "customer"


class ReturnAgreed(OrderEvent):
    """The terms of a return are settled: what a process hands to return-parcel. Comes from inside only."""

    type: Literal["return.agreed"] = "return.agreed"
    terms: ReturnTerms


class LostParcel(Parcel):
    """A parcel that a claim is about; of a return with a label of ours the carrier may not be known by name."""

    carrier: str = Field(default="", max_length=200)


class ParcelLost(Event):
    """A parcel was lost or damaged on its way: what a process hands to carrier-claim. Comes from inside only.

    `time` is when the customer's side was settled. `last_scan` is the last that was heard of the parcel, `traced_at`
    when its carrier was told to search, `rma` there for a return.
    """

    type: Literal["parcel.lost"] = "parcel.lost"
    parcel: LostParcel
    lines: tuple[Line, ...] = ()
    value: Amount
    kind: Literal["silent", "lost", "damaged", "disputed"]
    handed_over_at: Time
    last_scan: Checkpoint | None = None
    traced_at: Time | None = None
    rma: str = ""


class DispatchOverdue(OrderEvent):
    """A paid order has not left in time: what fulfilment-check hands to expedite. Comes from inside only.

    The customer did not ask. `lines` is what is still to be sent.
    """

    type: Literal["dispatch.overdue"] = "dispatch.overdue"
    promised_by: Time
    lines: tuple[Line, ...] = ()


class InvoiceAnswered(Event):
    """What finance says to the command to issue an invoice. Comes from inside only.

    `reference` is the invoice's number or a link to it, empty where finance refuses; `round` counts the attempts, each
    with other data.
    """

    type: Literal["invoice.answered"] = "invoice.answered"
    reference: str = ""
    round: int


class DisputeClosed(Event):
    """A dispute about the order is over: its case tells the others, whose payments waited. Comes from inside only.

    `time` is when the case closed; `case_id` is that case.
    """

    type: Literal["dispute.closed"] = "dispute.closed"
    case_id: str


class LetterBounced(Event):
    """A letter of ours came back: the customer did not get it. A person is told.

    `message_id` is that of the letter, `status` the enhanced code (RFC 3463), `text` the mail server's words.
    """

    type: Literal["letter.bounced"] = "letter.bounced"
    message_id: str = Field(default="", max_length=1000)
    case_id: str = Field(default="", max_length=400)
    recipient: str = Field(default="", max_length=320)
    status: str = Field(default="", max_length=40)
    permanent: bool = True
    text: Text = ""


class MailIgnored(Event):
    """A mail that nobody wrote: an auto-reply, a notice of delay, a receipt. It is kept and nothing follows.

    Its order need not be known.
    """

    type: Literal["mail.ignored"] = "mail.ignored"
    order_id: str = Field(default="", max_length=200)
    kind: Name
    case_id: str = Field(default="", max_length=400)
    text: Text = ""


AnyEvent = Annotated[
    OrderPaid
    | OrderUpdated
    | OrderCancelled
    | OrderShipped
    | ReturnRequested
    | ReturnCancelled
    | WrongItemReported
    | ExchangeRequested
    | RepairRequested
    | ChangeRequested
    | ExpediteRequested
    | InvoiceRequested
    | PerkRequested
    | BulkRequested
    | Complaint
    | CustomerMessage
    | CustomerReplied
    | CustomerConfirmed
    | Checkpoint
    | CarrierReplied
    | CarrierClaimDecided
    | CarrierIntercepted
    | CarrierRedirected
    | WarehouseAnswered
    | ReturnReceived
    | RepairProgressed
    | PaymentReceived
    | RefundSettled
    | InsurancePaid
    | DispatchBlocked
    | PlatformDecided
    | DisputeOpened
    | DisputeUpdated
    | DisputeWithdrawn
    | DisputeDecided
    | ReviewThreatened
    | ReviewPublished
    | LetterBounced
    | MailIgnored
    | ReturnAgreed
    | ParcelLost
    | DispatchOverdue
    | InvoiceAnswered
    | DisputeClosed
    | FurtherDispute,
    Field(discriminator="type"),
]


class Envelope(RootModel[AnyEvent]):
    """Any event, told apart by its `type`: the form in which an event reaches a case as a signal."""


def enveloped(event: Event) -> Envelope:
    """The event in the form of a signal."""
    return Envelope(cast(Any, event))


INTERNAL = frozenset(
    {"return.agreed", "parcel.lost", "dispatch.overdue", "invoice.answered", "dispute.closed", "dispute.further"}
)
ANSWERED = (ReturnAgreed, DisputeOpened, FurtherDispute, ReviewThreatened)
"""Events behind which a customer stands who asked for something: what we write then is an answer."""
INFORMATIVE = (OrderPaid, OrderUpdated, OrderShipped, Checkpoint, RefundSettled, DispatchOverdue, DisputeClosed)
"""Events that a closing case may leave unanswered: they only say that something took its course."""
TYPES: Mapping[str, type[Event]] = {cls.model_fields["type"].default: cls for cls in get_args(get_args(AnyEvent)[0])}
"""Every known event type with its class."""


class BadEvent(ValueError):
    """An event that cannot be taken. `problems` name field, reason and remedy, one a line."""

    def __init__(
        self, problems: list[str], *, id: str = "", source: str = "", order_id: str = "", type: str = ""
    ) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.id, self.source, self.order_id, self.type = id, source, order_id, type


def parse_event(raw: object) -> Event:
    """Read one CloudEvent (a decoded JSON object).

    Raises:
        BadEvent: not a CloudEvent 1.0, an unknown type, or data that does not fit; every problem names its field.
    """
    if not isinstance(raw, Mapping):
        raise BadEvent([f"an event is a JSON object, got {_kind(raw)}"])
    event: dict[str, Any] = _clean(raw)
    given = {name: str(event.get(key) or "")[:200] for name, key in _IDENTITY.items()}
    problems = []
    if event.get("specversion") != "1.0":
        problems.append(f'specversion: must be "1.0", got {event.get("specversion")!r}')
    data = event.get("data", {})
    if not isinstance(data, Mapping):
        problems.append(f"data: must be a JSON object, got {_kind(data)}")
    name = event.get("type")
    cls = TYPES.get(name) if isinstance(name, str) and name not in INTERNAL else None
    if cls is None:
        problems.append(f"type: {name!r} is not an order event; docs/events.md lists them")
    if problems or cls is None:
        raise BadEvent(problems, **given)
    envelope: dict[str, Any] = {key: event[key] for key in ("id", "source", "time", "type") if key in event}
    if "subject" in event:
        envelope["order_id"] = event["subject"]
    try:
        return cls.model_validate({**data, **envelope})
    except ValidationError as error:
        raise BadEvent([_problem(dict(item)) for item in error.errors()], **given) from None


_IDENTITY = {"id": "id", "source": "source", "order_id": "subject", "type": "type"}
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def _clean(value: Any) -> Any:
    """Without NUL and lone surrogates, which no database column and no letter can hold."""
    if isinstance(value, str):
        return _UNSAFE.sub("", value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _kind(value: object) -> str:
    names = {
        type(None): "null",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)


def _problem(error: dict[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    if path and path[0] == "order_id":
        path[0] = "subject"
    elif not path or path[0] not in {"id", "source", "time"}:
        path.insert(0, "data")
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing"
    elif error["type"] != "value_error" and isinstance(error["input"], str | int | float | bool | None):
        message += f", got {error['input']!r:.60}"
    return f"{'.'.join(path)}: {message}"
