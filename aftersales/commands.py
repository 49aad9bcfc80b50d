"""Commands: what a counterpart must do for us, each with an idempotency key (`spec/events.md`, Commands)."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import JsonValue

from aftersales.model import Model, Time

CommandType = Literal[
    "refund",
    "pay_compensation",
    "issue_return_label",
    "create_rma",
    "reship",
    "amend_order",
    "hold_order",
    "release_order",
    "cancel_order",
    "add_gift",
    "waive_freight",
    "apply_discount",
    "request_payment",
    "ask_warehouse",
    "send_back",
    "repair",
    "nudge_carrier",
    "carrier_inquiry",
    "carrier_trace",
    "file_carrier_claim",
    "intercept",
    "redirect",
    "request_proof_of_delivery",
    "file_exemption",
    "restrict_region",
    "submit_evidence",
    "appeal",
    "issue_invoice",
    "chase_insurer",
]


ASKING = frozenset(
    {
        "ask_warehouse",
        "nudge_carrier",
        "carrier_inquiry",
        "carrier_trace",
        "request_proof_of_delivery",
        "chase_insurer",
        "issue_invoice",
    }
)
"""Commands that ask or tell, or whose refusal the case answers itself. It goes on where one is refused, as the
customer's clocks do; a person is told."""


class Command(Model):
    """Something asked of a counterpart.

    `key` is the same on every try; `data` holds what the type needs, money as strings.
    """

    key: str
    type: CommandType
    case_id: str
    order_id: str
    at: Time
    data: dict[str, JsonValue]


class CommandAccepted(Model):
    """A counterpart took the command; `reference` is its own number for it (an RMA number, a label, a refund id)."""

    reference: str


class CommandRefused(Exception):
    """A counterpart will not do it, and trying again will not help. The text is in the counterpart's words."""


class NotNow(Exception):
    """A counterpart did not say whether it will do it: it is away, busy, or its answer cannot be used. Try it again.

    `retry_after` is when it wants to be asked again, None where it does not say.
    """

    def __init__(self, text: str, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
