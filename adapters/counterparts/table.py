"""Which counterpart a command is for, as `spec/processes.md` has it."""

from __future__ import annotations

from typing import Literal

from aftersales.commands import Command, CommandType
from aftersales.ids import parse_case_id

CounterpartName = Literal["shop", "warehouse", "carrier", "payment", "platform", "insurer"]

TABLE: dict[CommandType, CounterpartName] = {
    # Money: what leaves, and what is asked for.
    "refund": "payment",
    "pay_compensation": "payment",
    "waive_freight": "payment",
    "request_payment": "payment",
    # Goods, and orders before they have left.
    "create_rma": "warehouse",
    "reship": "warehouse",
    "amend_order": "warehouse",
    "hold_order": "warehouse",
    "release_order": "warehouse",
    "cancel_order": "warehouse",
    "add_gift": "warehouse",
    "ask_warehouse": "warehouse",
    "send_back": "warehouse",
    "repair": "warehouse",
    # Parcels.
    "issue_return_label": "carrier",
    "nudge_carrier": "carrier",
    "carrier_inquiry": "carrier",
    "carrier_trace": "carrier",
    "file_carrier_claim": "carrier",
    "intercept": "carrier",
    "redirect": "carrier",
    "request_proof_of_delivery": "carrier",
    # Where the shop sells.
    "file_exemption": "platform",
    "submit_evidence": "platform",
    "appeal": "platform",
    # What the shop keeps itself: its prices, its books, where it sells to.
    "apply_discount": "shop",
    "issue_invoice": "shop",
    "restrict_region": "shop",
    "chase_insurer": "insurer",
}
"""The counterpart of each command."""

BY_PROCESS: dict[tuple[CommandType, str], CounterpartName] = {("appeal", "carrier-claim"): "carrier"}
"""Where the process that commands makes another counterpart of it: against a carrier's ruling, one asks the carrier."""


def counterpart_of(command: Command) -> CounterpartName:
    """Who a command is for, where the settings name nobody else."""
    return BY_PROCESS.get((command.type, parse_case_id(command.case_id).process), TABLE[command.type])
