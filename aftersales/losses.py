"""What a closed case cost the shop, line by line (`spec/processes.md` §20, `000`)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from aftersales.outcome import Goods, Kind, Outcome

UNITS = 10_000
"""Money is counted in whole ten-thousandths of a currency's unit, the finest that an amount may be."""
_LOST: tuple[Kind, ...] = ("refund", "compensation", "freight", "gift", "reship", "claim_lost")
_PAYS_FOR_GOODS: tuple[Kind, ...] = ("refund", "reship")


class LineLoss(NamedTuple):
    """What a case lost on one line of its order, in ten-thousandths of a unit; less than 0 where it gained.

    The texts are empty where the outcome does not say which goods it was about.
    """

    line_id: str
    sku: str
    category: str
    quantity: int
    loss: int


def losses(outcome: Outcome) -> list[LineLoss]:
    """The loss of a case, split exactly over its goods: the lines add up to the whole, to the ten-thousandth.

    loss = refund + compensation + freight + gift + reship + claim_lost − recovered − cost of goods that came back

    - All money that left for the order counts (rule 8), at what it was booked with: a reship at its goods' value.
    - `recovered` is what a carrier paid, so that much is not lost.
    - `fee` does not count: a refund is less by the fee already.
    - Goods that came back as described can be sold again, so what they cost is not lost; but only where the case paid
      for them, by a refund or a reship: goods that go back to the customer were never ours.

    Money is split by what the customer paid for the lines (by their quantity where that is nothing), the parts that do
    not divide to the largest remainders, and among equals to the first line. What came back is taken off its own line.
    """
    money = sum(map(_units, (outcome.amounts.get(kind, Decimal(0)) for kind in _LOST)))
    money -= _units(outcome.amounts.get("recovered", Decimal(0)))
    if not outcome.goods:
        return [LineLoss("", "", "", 0, money)]
    pays = any(outcome.amounts.get(kind) for kind in _PAYS_FOR_GOODS)
    weights = [_units(goods.value) for goods in outcome.goods]
    parts = split(money, weights if any(weights) else [goods.quantity for goods in outcome.goods])
    return [
        LineLoss(goods.line_id, goods.sku, goods.category, goods.quantity, part - (_back(goods) if pays else 0))
        for goods, part in zip(outcome.goods, parts, strict=True)
    ]


def split(whole: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers that add up to `whole` and are as near to the weights as can be; one weight at least is above 0."""
    total = sum(weights)
    parts = [whole * weight // total for weight in weights]
    remainders = [whole * weight % total for weight in weights]
    largest = sorted(range(len(weights)), key=lambda number: (-remainders[number], number))
    for number in largest[: whole - sum(parts)]:
        parts[number] += 1
    return parts


def _back(goods: Goods) -> int:
    return _units(goods.cost) * goods.back // goods.quantity


def _units(amount: Decimal) -> int:
    """Exact: an amount has four places at most."""
    return int(amount.scaleb(4))
