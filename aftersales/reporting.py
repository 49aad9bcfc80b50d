"""What the report of figures measures with: its currency, its limits, who is warned (`§20`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from aftersales.deadlines import TimeZone
from aftersales.lanes import Section
from aftersales.model import Name
from aftersales.order import Currency, Customer
from aftersales.units import Share, Window

_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,10})?")


def _rate(value: object) -> Decimal:
    rate = value if isinstance(value, Decimal) else Decimal(0)
    if isinstance(value, str) and _RATE.fullmatch(value):
        rate = Decimal(value)
    if not rate > 0:
        raise ValueError(f'write a rate as a decimal string above 0 such as "1.08", in quotes, not {str(value)[:40]!r}')
    return rate


Rate = Annotated[Decimal, BeforeValidator(_rate), PlainSerializer(str, return_type=str)]
"""What one unit of a currency is worth in the report's currency."""


class Reporting(Section):
    """The report of figures (`§20`)."""

    currency: Currency = "USD"
    """The currency of the report; money in others is converted by `rates` (`§20`)."""
    rates: Mapping[Currency, Mapping[date, Rate]] = {}
    """What one unit of other currencies is worth in the report's, from each date on until the next (`§20`)."""
    report_zone: TimeZone = "UTC"
    """The time zone in which its days and months begin (`§20`)."""
    report_at: time = time(6)
    """When the reports of yesterday, and on the first of last month, are made, in that zone (`§20`)."""
    reply_within: Window = timedelta(hours=24)
    """How soon a letter must follow a customer's message to count as an answer in time (`§20`)."""
    return_processes: tuple[Name, ...] = (
        "return-request",
        "return-escalation",
        "return-parcel",
        "wrong-item",
        "exchange",
        "repair",
    )
    """The processes whose losses are losses on returns (`§20`)."""
    return_limit: Share = Decimal("0.035")
    """The return rate above which staff is warned, where its category has none of its own (`§20`)."""
    return_limits: Mapping[Name, Share] = {}
    """The same by category of goods (`§20`)."""
    non_quality_limits: Mapping[Name, Share] = {"large furniture": Decimal("0.01")}
    """The return rate without quality causes above which staff is warned, by category of goods (`§20`)."""
    limit_window: Window = timedelta(days=30)
    """The time over which rates are compared with the limits (`§20`)."""
    least_returns: Annotated[int, Field(ge=1)] = 5
    """With fewer returns than these in that time nobody is warned, and counts are shown before rates (`§20`)."""
    claim_window: Window = timedelta(days=60)
    """How long after a letter a claim counts as opened after it (`§20`)."""
    variant_claims_limit: Share = Decimal("0.03")
    """A variant of a letter is stopped when more than this share of it was certainly followed by a claim (`§20`)."""
    staff: tuple[Customer, ...] = ()
    """Who is warned, each with name, email and language; nobody without (`§20`)."""
