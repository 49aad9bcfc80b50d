"""An exchange: whether it may be, what it is about, and what the wanted goods cost more or less (`§11`)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from aftersales.events import ExchangeRequested, Line, ReturnReason, ReturnReceived
from aftersales.money import goods_value, paid_for, rounded
from aftersales.order import Order
from aftersales.outcome import Cause

OUR_FAULT: frozenset[ReturnReason] = frozenset(
    {"defective", "damaged", "not_as_described", "wrong_item", "missing_part"}
)
"""The reasons that are our fault: such goods are exchanged whenever and in whatever state they come back."""
_CAUSES: dict[ReturnReason, Cause] = {"wrong_item": "service", "too_late": "logistics"}

Refusal = Literal["late", "opened", "labels_off"]
"""Why goods cannot be exchanged: asked for after the window, opened, or the labels are off."""


class Wish(NamedTuple):
    """What a customer wants exchanged, and for what; `found` is what an operator read about the reason."""

    order: Order
    asked: ExchangeRequested
    found: Literal["our_fault", "no_fault"] | None = None

    @property
    def our_fault(self) -> bool:
        """Whether what is wrong with the goods is our fault."""
        return self.found == "our_fault" or self.asked.reason in OUR_FAULT

    @property
    def freight(self) -> Literal["shop", "customer", "open"]:
        """Who pays the way back; open as long as nobody knows why the goods come back (rule 1)."""
        if self.our_fault:
            return "shop"
        return "customer" if self.asked.reason or self.found else "open"

    @property
    def cause(self) -> Cause:
        """What the outcome names as the cause."""
        usual: Cause = "product" if self.our_fault else "customer"
        return _CAUSES.get(self.asked.reason, usual) if self.asked.reason else usual

    def refusals(self, window: timedelta) -> list[Refusal]:
        """What speaks against the exchange, nothing where it may be. The window begins with the delivery."""
        if self.our_fault:
            return []
        delivered = self.order.delivered_at
        late = delivered is not None and self.asked.happened_at > delivered + window
        found: dict[Refusal, bool] = {
            "late": late,
            "opened": self.asked.opened,
            "labels_off": not self.asked.labels_on,
        }
        return [refusal for refusal, speaks in found.items() if speaks]

    def renewed(self, again: ExchangeRequested) -> Wish:
        """The newest wish counts; but what was promised for our fault stays, as a reason does when none is named."""
        reason = self.asked.reason if self.our_fault or not again.reason else again.reason
        return self._replace(asked=again.model_copy(update={"reason": reason}))

    @property
    def lines(self) -> tuple[Line, ...]:
        """What comes back: the lines that were named, never more of one than was bought; none named means all."""
        wanted = {line.line_id: line.quantity for line in self.asked.lines}
        return tuple(
            Line(line_id=item.line_id, quantity=min(wanted.get(item.line_id, item.quantity), item.quantity))
            for item in self.order.lines(wanted.keys())
        )

    @property
    def item(self) -> str:
        """The goods that come back, in words."""
        return ", ".join(item.title for item in self.order.lines([line.line_id for line in self.lines]))

    @property
    def wanted(self) -> str:
        """The other product that the customer wants, empty where it is the same; a wish that names none is."""
        wanted = self.asked.wanted_sku.strip()
        bought = {item.sku.strip().casefold() for item in self.order.lines([line.line_id for line in self.lines])}
        return "" if bought == {wanted.casefold()} else wanted

    @property
    def named(self) -> dict[str, str]:
        """The goods as letters name them."""
        return {"item": self.item, "wanted": self.wanted}

    @property
    def value(self) -> Decimal:
        """What the customer paid for the goods, without freight."""
        return goods_value(self.order, self.lines)

    @property
    def paid(self) -> Decimal:
        """What goes back to the customer where there is no exchange."""
        return paid_for(self.order, self.lines)

    @property
    def difference(self) -> Decimal | None:
        """What the wanted goods cost more (or less, then negative) than was paid; None where nobody named their price.

        `wanted_price` is that of one piece, as many are wanted as come back.
        """
        if not self.wanted:
            return Decimal(0)
        if self.asked.wanted_price is None:
            return None
        price = self.asked.wanted_price * sum(line.quantity for line in self.lines)
        return rounded(price, self.order.currency) - self.value

    def findings(self, received: ReturnReceived) -> tuple[str, ...]:
        """What is not as described; pieces that did not come with the others are missing."""
        came = {line.line_id: 0 for line in self.lines}
        for line in received.lines:
            came[line.line_id] = came.get(line.line_id, 0) + line.quantity
        short = bool(received.lines) and any(came[line.line_id] < line.quantity for line in self.lines)
        return tuple(dict.fromkeys([*received.findings, *["missing"] * short]))
