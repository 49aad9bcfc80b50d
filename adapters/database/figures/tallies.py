"""What is added up for a return rate, exactly, before it is rounded and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func

from adapters.database.figures import exact
from aftersales.figures import LossRate, Returned, Unconverted
from aftersales.rates import Exchange, in_units

T = TypeVar("T")


@dataclass
class Tally:
    """Loss and cost in grains of the report's currency, and how many lines they are of."""

    loss: int = 0
    cost: int = 0
    returns: int = 0
    shipped: int = 0

    def lose(self, loss: int, lines: int) -> None:
        """Add what was lost on so many lines of goods."""
        self.loss += loss
        self.returns += lines

    def ship(self, cost: int, lines: int) -> None:
        """Add what so many lines of parcels cost the shop."""
        self.cost += cost
        self.shipped += lines

    def shown(self, exchange: Exchange) -> LossRate:
        """Loss ÷ cost of goods shipped (`000`), both rounded."""
        loss, cost = exchange.shown(self.loss), exchange.shown(self.cost)
        return LossRate(loss=loss, cost=cost, returns=self.returns, shipped=self.shipped)


@dataclass
class Rates:
    """The return rate with all causes and without those of quality; goods that are shipped count for both."""

    total: Tally = field(default_factory=Tally)
    non_quality: Tally = field(default_factory=Tally)

    def lose(self, loss: int, lines: int, *, quality: bool) -> None:
        """Add what was lost; `quality` where the product is the cause."""
        self.total.lose(loss, lines)
        if not quality:
            self.non_quality.lose(loss, lines)

    def ship(self, cost: int, lines: int) -> None:
        """Add what goods cost."""
        self.total.ship(cost, lines)
        self.non_quality.ship(cost, lines)

    def shown(self, name: str, exchange: Exchange) -> Returned:
        """Both rates, rounded."""
        return Returned(name=name, total=self.total.shown(exchange), non_quality=self.non_quality.shown(exchange))


class Largest(Generic[T]):
    """The items of the largest loss, then of the largest count, then by name; never many more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[tuple[tuple[int, int, str], T]] = []

    def add(self, loss: int, count: int, name: str, item: T) -> None:
        """Take an item, or drop it where there are enough that are larger."""
        self._items.append(((-loss, -count, name), item))
        if len(self._items) > 2 * self._most:
            self._cut()

    def items(self) -> list[T]:
        """The largest first."""
        self._cut()
        return [item for _, item in self._items]

    def _cut(self) -> None:
        self._items.sort(key=lambda each: each[0])
        del self._items[self._most :]


class Without:
    """Money for which there is no rate, by currency; it is counted nowhere else."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int, datetime]] = {}

    def lose(self, currency: str, loss: int, since: datetime) -> None:
        """Add a loss."""
        self._add(currency, loss, 0, since)

    def ship(self, currency: str, cost: int, since: datetime) -> None:
        """Add what goods cost."""
        self._add(currency, 0, cost, since)

    def shown(self) -> tuple[Unconverted, ...]:
        """By currency, each in its own."""
        return tuple(
            Unconverted(currency=name, loss=in_units(loss, name), cost=in_units(cost, name), since=since)
            for name, (loss, cost, since) in sorted(self._found.items())
        )

    def _add(self, currency: str, loss: int, cost: int, since: datetime) -> None:
        known_loss, known_cost, known_since = self._found.get(currency, (0, 0, since))
        self._found[currency] = (known_loss + loss, known_cost + cost, min(known_since, since))


def lost_lines(loss: ColumnElement[Any]) -> ColumnElement[Any]:
    """How many lines cost the shop something: of a return that goes through several cases, one."""
    return exact.counted("lines", loss != 0)


def money(value: ColumnElement[Any], at: ColumnElement[Any], lines: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Columns that add up money, count its lines and say of when the first is."""
    return [*exact.total("money", value), lines.label("lines"), func.min(at).label("since")]
