"""What must be in memory before a workflow runs: its sandbox lets no module read files, passed through or not."""

from __future__ import annotations

from zoneinfo import available_timezones

from babel.numbers import get_currency_precision

from aftersales.deadlines import zone
from aftersales.order import currencies


def preload() -> None:
    """Read currencies and time zones from their files, once; takes about a tenth of a second."""
    currencies()
    get_currency_precision("USD")
    for name in available_timezones():
        zone(name)
