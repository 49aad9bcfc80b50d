"""Order events as shops send them, for tests that begin outside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SOURCE = "shop/amazon-us"


def now() -> datetime:
    """The moment, as events carry it."""
    return datetime.now(UTC)


def order(order_id: str, **changes: Any) -> dict[str, Any]:
    """An order of one desk lamp for 129.90 USD, delivered a week ago."""
    return {
        "order_id": order_id,
        "shop": "amazon-us",
        "channel": "webshop",
        "market": "US",
        "locale": "en-US",
        "currency": "USD",
        "placed_at": (now() - timedelta(days=14)).isoformat(),
        "delivered_at": (now() - timedelta(days=7)).isoformat(),
        "total": "129.90",
        "freight_paid": "9.90",
        "customer": {"name": "Ada Reyes", "email": "ada@example.com", "language": "en"},
        "ship_to": {
            "name": "Ada Reyes",
            "line1": "1 Main St",
            "city": "Austin",
            "region": "TX",
            "postcode": "78701",
            "country": "US",
        },
        "items": [
            {
                "line_id": "1",
                "sku": "LAMP-01",
                "title": "Desk lamp",
                "category": "lighting",
                "quantity": 1,
                "unit_price": "120.00",
                "unit_cost": "48.00",
            }
        ],
        **changes,
    }


def event(kind: str, order_id: str, name: str = "", /, *, at: datetime | None = None, **data: Any) -> dict[str, Any]:
    """One event; its id follows from order, type and `name`, so the same arguments give a repeat of it."""
    return {
        "specversion": "1.0",
        "id": f"{order_id}:{kind}:{name}",
        "source": SOURCE,
        "type": kind,
        "subject": order_id,
        "time": (at or now()).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def return_requested(order_id: str, *, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """A customer who changed her mind; `changes` are those of the order."""
    return event(
        "order.return_requested",
        order_id,
        at=at,
        order=order(order_id, **changes),
        lines=[{"line_id": "1", "quantity": 1}],
        reason="changed_mind",
    )


def replied(order_id: str, text: str, name: str = "1", *, at: datetime | None = None, **data: Any) -> dict[str, Any]:
    """The customer's answer to return-escalation."""
    known = {"case_id": f"return-escalation/{order_id}", "text": text}
    return event("customer.replied", order_id, name, at=at, **(known | data))


def returned(order_id: str, rma: str, condition: str = "as_described", name: str = "") -> dict[str, Any]:
    """The lamp is back in the warehouse."""
    line = {"line_id": "1", "quantity": 1, "condition": condition}
    return event("warehouse.return_received", order_id, name, rma=rma, lines=[line])


def write(file: Path, events: Iterable[dict[str, Any]]) -> Path:
    """A file of events, one a line."""
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events), encoding="utf-8")
    return file
