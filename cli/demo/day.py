"""The day that the demo plays, read from `day.yaml`: orders, what happens to each, and how its cases must end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from aftersales.events import TYPES
from aftersales.model import Amount, Model, Name
from aftersales.records import EventStatus
from aftersales.routing import STARTING
from aftersales.yamlfile import load_model

FILE = Path(__file__).with_name("day.yaml")

PLACED_BEFORE_DELIVERY = timedelta(days=4)
_SOURCES = {"shipment": "carrier", "carrier": "carrier", "warehouse": "warehouse", "insurance": "insurer"}


class _Strict(Model):
    model_config = ConfigDict(extra="forbid")


class Shop(_Strict):
    """Where orders come from: what all orders of a shop have in common, as the order snapshot names it."""

    channel: Name
    market: Name
    locale: Name
    currency: Name
    freight: Amount
    """What the customer pays for the delivery of an order."""
    address: dict[str, str]


class Goods(_Strict):
    """What is sold."""

    sku: Name
    title: Name
    category: Name
    price: Amount
    cost: Amount


class Customer(_Strict):
    """Who bought."""

    name: Name
    language: Name


class Step(_Strict):
    """Something that happens to an order: an event, a customer's answer, or an operator's decision.

    It happens `wait` seconds after the step before it, or after the fact that it names, which must have come later
    than the fact of the step before: `letter NAME`, `command TYPE`, `decision` (one is needed), `closed PROCESS`.
    In `data`, a text `$TYPE` stands for the reference that the order's newest command of this type was given.
    """

    after: Annotated[str, Field(pattern=r"^(letter [a-z-]+|command [a-z_]+|decision|closed [a-z-]+)$")] | None = None
    wait: float = Field(default=1.5, ge=0)
    event: Name | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)
    says: str | None = None
    """The customer answers the newest letter of the order in these words,"""
    chooses: int | str | None = None
    """or by the number of a choice; `data` may have attachments."""
    names_case: str | None = None
    """The answer names this case instead of the letter."""
    decide: Name | None = None
    """The operator's option in the case that asks."""
    amount: Amount | None = None
    by: Name = "Lin"
    reason: Name = "as the photos show"
    twice: bool = False
    """Whether the event comes a second time, as queues have it."""
    becomes: EventStatus | None = None
    """What becomes of the event, if not that a case gets it."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        answer = self.says is not None or self.chooses is not None
        if (self.event is not None) + answer + (self.decide is not None) != 1:
            raise ValueError("a step is one of event, says or chooses, decide")
        return self


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Story(_Strict):
    """What happens to one order; `ends` has the results of its cases, several where a case opens again."""

    order: Name
    about: Name
    at: float = Field(ge=0)
    """When it begins, in seconds since the day began."""
    shop: Name
    customer: Customer
    goods: Name
    delivered: Annotated[int, Field(ge=0)] | None = None
    """How many days ago the order was delivered; none where it was not yet."""
    insured_by: Literal["shop", "customer", "none"] = "none"
    steps: tuple[Step, ...] = Field(min_length=1)
    ends: dict[str, Annotated[tuple[Name, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)


class Day(_Strict):
    """A whole day."""

    shops: dict[Name, Shop]
    goods: dict[Name, Goods]
    stories: tuple[Story, ...]

    @model_validator(mode="after")
    def _knows_its_names(self) -> Day:
        for story in self.stories:
            if story.shop not in self.shops or story.goods not in self.goods:
                raise ValueError(f"{story.order}: shop {story.shop} or goods {story.goods} is not described")
        return self

    def languages(self) -> dict[str, str]:
        """The customer's language by order id."""
        return {story.order: story.customer.language for story in self.stories}

    def expected(self) -> dict[str, tuple[str, ...]]:
        """The results of every case, in the order in which its runs close."""
        return {case: results for story in self.stories for case, results in story.ends.items()}

    def order_of(self, story: Story, now: datetime) -> dict[str, Any]:
        """The order snapshot of a story, as `spec/events.md` has it."""
        shop, goods = self.shops[story.shop], self.goods[story.goods]
        delivered = now - timedelta(days=story.delivered) if story.delivered is not None else None
        order: dict[str, Any] = {
            "order_id": story.order,
            "shop": story.shop,
            **shop.model_dump(include={"channel", "market", "locale", "currency"}),
            "placed_at": ((delivered or now) - PLACED_BEFORE_DELIVERY).isoformat(),
            "total": str(goods.price + shop.freight),
            "freight_paid": str(shop.freight),
            "customer": {
                **story.customer.model_dump(),
                "email": f"{story.order.lower()}@customers.example",
            },
            "ship_to": {"name": story.customer.name, **shop.address},
            "freight_insurance": {"bought_by": story.insured_by, "cap": str(Decimal("12.00"))},
            "items": [
                {
                    "line_id": "1",
                    "quantity": 1,
                    **goods.model_dump(include={"sku", "title", "category"}),
                    "unit_price": str(goods.price),
                    "unit_cost": str(goods.cost),
                }
            ],
        }
        return order | ({"delivered_at": delivered.isoformat()} if delivered else {})

    def event_of(
        self, story: Story, step: Step, *, now: datetime, letter: str = "", references: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The event of a step, happening now: `letter` is the Message-ID that an answer refers to, `references` those
        of the order's commands by their type."""
        data = {name: _filled(value, references or {}) for name, value in step.data.items()}
        kind = step.event or "customer.replied"
        if step.event is None:
            answered = {"case_id": step.names_case} if step.names_case else {"in_reply_to": letter}
            data |= answered | {"text": step.says or "", "choice": step.chooses}
        elif _can_open(kind):
            data = {"order": self.order_of(story, now), **data}
        number = story.steps.index(step) + 1
        return {
            "specversion": "1.0",
            "id": f"{story.order}-{number}",
            "source": _SOURCES.get(kind.partition(".")[0], f"shop/{story.shop}"),
            "type": kind,
            "subject": story.order,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }


def load_day() -> Day:
    """The demo's day. Raises `BadFile`."""
    return load_model(FILE, Day)


def _can_open(kind: str) -> bool:
    return TYPES.get(kind) in STARTING


def _filled(value: JsonValue, references: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str) and value.startswith("$"):
        return references[value[1:]]
    return value
