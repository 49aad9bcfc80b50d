"""The rules: one workflow a process, one file each, in the words of `spec/processes.md`.

Touch this folder when a rule changes; `case.py` is the toolkit that all of them speak. A change here must pass the
replay tests, because cases of the old code are running.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aftersales.events import Event
    from workflows.case import Case

    ALL: tuple[type[Case], ...]
    """Every process that a worker runs."""
    HEARS: dict[str, tuple[type[Event], ...]]
    """What reaches the cases of each process. A changed order and the end of a dispute reach every one: the toolkit
    has a rule for them."""

_PROCESSES = {
    "expedite": "Expedite",
    "fulfilment_check": "FulfilmentCheck",
    "carrier_claim": "CarrierClaim",
    "compensation": "Compensation",
    "dispute": "Dispute",
    "exchange": "Exchange",
    "large_order": "LargeOrder",
    "inquiry": "Inquiry",
    "invoice": "Invoice",
    "late_dispatch": "LateDispatch",
    "order_change": "OrderChange",
    "perk_request": "PerkRequest",
    "repair": "Repair",
    "return_escalation": "ReturnEscalation",
    "return_parcel": "ReturnParcel",
    "return_request": "ReturnRequest",
    "review_recovery": "ReviewRecovery",
    "shipment_watch": "ShipmentWatch",
    "wrong_item": "WrongItem",
}


def __getattr__(name: str) -> object:
    """All processes, imported when asked for: the sandbox imports this package for every case, which needs one."""
    if name == "ALL":
        return _all()
    if name == "HEARS":
        from aftersales.events import DisputeClosed, OrderUpdated

        return {process.process: (*process.HEARS, OrderUpdated, DisputeClosed) for process in _all()}
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _all() -> tuple[type[Case], ...]:
    return tuple(getattr(import_module(f"workflows.{module}"), cls) for module, cls in _PROCESSES.items())
