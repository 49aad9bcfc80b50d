"""Messages that belong to no open case: their numbers, and the events that they become (`§17`). Pure.

An event never says more than the customer did. What a message leaves open is asked for by the process that the event
starts, or named by an operator before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from aftersales.events import (
    ChangeRequested,
    Complaint,
    CustomerMessage,
    Event,
    ExchangeRequested,
    ExpediteRequested,
    InvoiceRequested,
    Line,
    Message,
    OrderChange,
    PerkRequested,
    RepairRequested,
    ReturnLine,
    ReturnRequested,
    WrongItemReported,
)
from aftersales.inquiry_words import is_question, perk_meant, return_meant
from aftersales.lanes import Section
from aftersales.model import Name
from aftersales.order import Item, Order
from aftersales.triage import Classified
from aftersales.units import Share, Window

ABOUT_LINES = frozenset({"return", "wrong_item", "exchange", "repair"})
"""The topics that are about lines of an order."""
OTHER_CHANNELS = "default"
"""The key of the first response on channels that have none of their own, such as marketplaces."""


class Inquiries(Section):
    """Messages that belong to no open case (`§17`)."""

    confidence: Share = Decimal("0.80")
    """How sure the classifier must be that a message means what it says; below, a person reads it (`§17`)."""
    confidence_in: Mapping[Name, Share] = {}
    """The same by language (ISO 639-1), where it differs, as where the classifier has learnt less (`§17`)."""
    first_response: Mapping[Name, Window] = {OTHER_CHANNELS: timedelta(hours=24), "chat": timedelta(minutes=1)}
    """By when a message is answered or acknowledged, by channel; `default` for all others (`§17`)."""
    confirm_window: Window = timedelta(hours=72)
    """How long a customer may say that an answer did not help; silence means that it did (`§17`)."""
    answers_at_most: int = Field(default=3, ge=1, le=100)
    """How many answers a case gives by itself; then a person reads, as it may be a machine that writes (`§17`)."""

    @field_validator("first_response")
    @classmethod
    def _has_default(cls, windows: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
        if OTHER_CHANNELS not in windows:
            raise ValueError(f"needs {OTHER_CHANNELS}, such as {OTHER_CHANNELS}: 24h")
        return windows

    def threshold(self, language: str) -> float:
        """How sure the classifier must be of a message in this language, such as `fr` or `zh-CN`."""
        return float(self.confidence_in.get(language.partition("-")[0].casefold(), self.confidence))

    def first_response_on(self, channel: str) -> timedelta:
        """By when a message on this channel is answered or acknowledged."""
        return self.first_response.get(channel.casefold(), self.first_response[OTHER_CHANNELS])


class Request(NamedTuple):
    """A process, and the event that starts it."""

    process: str
    event: Event


def channel_of(message: Message, order: Order) -> str:
    """The channel on which a message came; where it does not say, that of its order."""
    return (message.channel if isinstance(message, CustomerMessage) else "") or order.channel


def topic_of(read: Classified, message: Message) -> str:
    """What a message asks for that can go on without a person; empty where a person must look at it.

    What an exchange or a change is to be stands in words only. A cancelled order is the shop's to cancel.
    """
    if read.abstained:
        return ""
    match read.intent:
        case "wrong_item" | "repair" | "invoice" | "where_is_my_order" | "cancel" as topic:
            return topic
        case "thanks":
            return "" if is_question(message.text) else "thanks"
        case "return":
            return return_meant(message.text)
        case "damaged" | "complaint":
            return "complaint"
        case "perk":
            return perk_meant(message.text)
        case _:
            return ""


def lines_named(order: Order, text: str) -> tuple[Item, ...]:
    """The lines that a message is about: those that it names by title or SKU, or the only one; empty for unknown."""
    said = text.casefold()
    named = tuple(item for item in order.items if item.title.casefold() in said or item.sku.casefold() in said)
    return named or (order.items if len(order.items) == 1 else ())


def requests(
    topic: str, message: Message, order: Order, lines: Sequence[Item], *, urgent: bool = False
) -> tuple[Request, ...]:
    """What a message about a topic becomes, for these lines where it is about lines; nothing for other topics."""
    known: dict[str, Any] = {**message.model_dump(include={"id", "source", "order_id", "time"}), "order": order}
    said, photos = message.text, message.attachments
    some = [] if len(lines) == len(order.items) else [_whole(item) for item in lines]
    match topic:
        case "return":
            goods = tuple(ReturnLine(**line) for line in some)
            return (Request("return-request", ReturnRequested(**known, lines=goods, text=said, photos=photos)),)
        case "exchange":
            return (Request("exchange", ExchangeRequested(**known, lines=tuple(Line(**line) for line in some))),)
        case "wrong_item":
            return tuple(
                Request("wrong-item", WrongItemReported(**known, line_id=item.line_id, text=said, photos=photos))
                for item in lines
            )
        case "repair":
            return tuple(
                Request("repair", RepairRequested(**known, line_id=item.line_id, fault=said, photos=photos))
                for item in lines
            )
        case "change":
            return (Request("order-change", ChangeRequested(**known, change=OrderChange())),)
        case "complaint":
            return (Request("compensation", Complaint(**known, text=said, photos=photos)),)
        case "invoice":
            return (Request("invoice", InvoiceRequested(**known, urgent=urgent)),)
        case "gift" | "free_shipping" as perk:
            return (Request("perk-request", PerkRequested(**known, perk=perk, text=said)),)
        case "where_is_my_order":
            return (Request("expedite", ExpediteRequested(**known, text=said)),)
        case _:
            return ()


def _whole(item: Item) -> dict[str, Any]:
    return {"line_id": item.line_id, "quantity": item.quantity}
