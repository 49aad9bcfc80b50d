"""How a case is started, by the starter and by a case that hands over: its id, title and search attributes."""

from __future__ import annotations

from hashlib import sha256
from typing import TypedDict

from temporalio import workflow
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy

with workflow.unsafe.imports_passed_through():
    from aftersales.opening import CaseOpened
    from aftersales.routing import case_for

from workflows import attributes
from workflows.details import about, title

_LONGEST_KEY = 64


class StartOptions(TypedDict):
    """Options that a client's start and a child's start share."""

    id: str
    static_summary: str
    static_details: str
    search_attributes: TypedSearchAttributes
    id_reuse_policy: WorkflowIDReusePolicy
    priority: Priority


def start_options(process: str, opened: CaseOpened) -> StartOptions:
    """Under which name and title a case runs.

    The id is the idempotency of the start while the case is open; after it closed, a new request opens a new run
    under the same id, and a repeat of the old event is stopped by the ledger of event ids.
    """
    return StartOptions(
        id=case_for(process, opened.trigger, opened.order),
        static_summary=title(process, opened),
        static_details=about(opened.order, opened.policy.version),
        search_attributes=TypedSearchAttributes(
            [
                SearchAttributePair(attributes.ORDER_ID, opened.order.order_id),
                SearchAttributePair(attributes.SHOP, opened.order.shop),
                SearchAttributePair(attributes.PROCESS, process),
                SearchAttributePair(attributes.STAGE, "opened"),
                SearchAttributePair(attributes.POLICY_VERSION, opened.policy.version),
            ]
        ),
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        # Shops take turns at the workers: one that sends a flood delays its own cases.
        priority=Priority(fairness_key=_fairness_key(opened.order.shop)),
    )


def _fairness_key(shop: str) -> str:
    """The shop, in the 64 bytes that the server takes."""
    name = shop.encode()
    if len(name) <= _LONGEST_KEY:
        return shop
    return f"{name[:40].decode(errors='ignore')}-{sha256(name).hexdigest()[:16]}"
