"""What a message is about: the answer of the classifier that reads messages which belong to no open case (`§17`)."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from aftersales.model import Model

Intent = Literal[
    "pre_sale",
    "where_is_my_order",
    "return",
    "wrong_item",
    "damaged",
    "exchange",
    "repair",
    "change",
    "cancel",
    "invoice",
    "perk",
    "complaint",
    "thanks",
    "other",
]
"""What a customer wants; `other` is all that the shop's processes have no rule for."""
Confidence = Annotated[float, Field(ge=0, le=1)]


class Entities(Model):
    """What a message names, as it is written there."""

    order_ids: tuple[str, ...] = ()
    tracking_numbers: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()


class Classified(Model):
    """How a message was read.

    `confidence` is the calibrated probability that `intent` is right. `abstained` says that it is below the threshold
    asked for: then a person reads the message. `language` is an ISO 639-1 code, empty where nothing tells it.
    `problem` says what kept a classifier from reading.
    """

    intent: Intent
    confidence: Confidence
    abstained: bool
    language: str = ""
    urgent: bool = False
    angry: bool = False
    entities: Entities = Entities()
    problem: str = ""


class Classifier(Protocol):
    """Who reads messages: the embedded one, or a team's own behind HTTP."""

    async def classify(self, text: str, *, threshold: float, language: str = "") -> Classified:
        """Read one message. `language` is what its sender's system says, where it does."""
        ...
