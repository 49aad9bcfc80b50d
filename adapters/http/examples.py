"""Examples in the contract of the HTTP door. A test sends every one of them."""

from __future__ import annotations

RETURN = {
    "specversion": "1.0",
    "id": "evt-000123",
    "source": "shop/lamps-us",
    "type": "order.return_requested",
    "subject": "A-1001",
    "time": "2026-11-20T09:30:00Z",
    "datacontenttype": "application/json",
    "data": {
        "lines": [{"line_id": "1", "quantity": 1, "opened": True}],
        "reason": "changed_mind",
        "text": "It does not fit the room.",
    },
}
SCAN = {
    "specversion": "1.0",
    "id": "scan-77",
    "source": "carrier/parcels",
    "type": "shipment.checkpoint",
    "orderalias": "tracking/1Z999AA10123456784",
    "time": "2026-11-21T16:05:00+01:00",
    "data": {"parcel_no": "1", "status": "out_for_delivery", "location": "Austin, TX"},
}
ATTRIBUTES = {name: str(value) for name, value in RETURN.items() if name not in {"data", "datacontenttype"}}
"""Those of `RETURN`, for binary mode."""
BINARY = {**{f"ce-{name}": value for name, value in ATTRIBUTES.items()}, "content-type": "application/json"}
"""Its headers there; the body is its data."""
SIGNED = {
    "webhook-id": "msg_2mQ7",
    "webhook-timestamp": "1795167000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
PLATFORM = {"id": 820982911946154508, "note": "What the platform sends, unchanged."}
MAIL = (
    "From: Ada Reyes <ada@example.com>\r\nTo: help@shop.example\r\nSubject: Order A-1001\r\n"
    "Message-ID: <1@example.com>\r\n\r\nWhere is my lamp?\r\n"
)
TAKEN = {
    "events": [
        {
            "id": "evt-000123",
            "source": "shop/lamps-us",
            "status": "started",
            "cases": ["return-request/A-1001"],
            "detail": "",
        }
    ]
}
