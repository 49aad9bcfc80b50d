"""Events that reached no case: listed with why, and sent where they belong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.events import event, order, return_requested, write
from tests.plant import Plant

pytestmark = pytest.mark.timeout(240)


async def send(running: Plant, *events: dict[str, Any]) -> None:
    await running.send(write(running.folder / "events.jsonl", events))


async def listed(running: Plant) -> list[dict[str, Any]]:
    """What `./dev cases --unrouted` tells."""
    code, said = await running.verb("cases", "--unrouted", "--json")
    assert code == 0, said
    return [json.loads(line) for line in said.splitlines()]


async def test_what_reached_no_case_is_listed_oldest_first_with_why_and_words(running: Plant, tmp_path: Path) -> None:
    message = event("customer.message", "U-1", text="Hello?\x1b[31m")
    await send(
        running, message, {**event("order.teleported", "U-2"), "id": "odd"}, event("order.return_cancelled", "U-3")
    )
    found = [one for one in await listed(running) if one["order_id"].startswith("U-")]
    assert [(one["order_id"], one["status"]) for one in found] == [
        ("U-1", "no_open_case"),
        ("U-2", "refused"),
        ("U-3", "no_open_case"),
    ]
    assert [one["text"][:6] for one in found] == ["Hello?", "", ""]
    assert "is not an order event" in found[1]["detail"]
    _, said = await running.verb("cases", "--unrouted")
    assert "\x1b" not in said
    assert "./dev route EVENT" in said


async def test_a_message_is_given_to_an_open_case_as_its_reply(running: Plant) -> None:
    await send(running, event("customer.message", "M-0", "1", text="I accept."), return_requested("M-1"))
    client = await running.client()
    assert (await client.get_workflow_handle("return-request/M-1").result())["result"] == "handed_over"
    case = "return-escalation/M-1"
    code, said = await running.verb("route", "M-0:customer.message:1", "--to", case, "--by", "Lin")
    assert code == 0, said
    assert f"signalled {case}" in said
    assert f"done by hand, by Lin: given to {case}" in said
    assert (await client.get_workflow_handle(case).result())["result"] == "terms_accepted"
    assert "M-0" not in {one["order_id"] for one in await listed(running)}
    code, said = await running.verb("route", "M-0:customer.message:1", "--to", case, "--by", "Lin")
    assert (code, "nothing left to send on" in said) == (1, True)


async def test_an_event_is_made_of_a_message_once_however_often_it_is_asked_for(running: Plant) -> None:
    await send(
        running,
        event("customer.message", "R-1", "1", text="The cup is not a lamp.", attachments=["https://p.example/1"]),
    )
    make = ["route", "R-1:customer.message:1", "--as", "order.wrong_item_reported", "--by", "Lin"]
    code, said = await running.verb(*make)
    assert (code, "data.line_id: is missing: say it with --data" in said) == (1, True)
    more = json.dumps({"line_id": "1", "order": order("R-1")})
    code, said = await running.verb(*make, "--data", more)
    assert code == 0, said
    assert "started wrong-item/R-1" in said
    client = await running.client()
    opened = await client.get_workflow_handle("wrong-item/R-1").describe()
    assert opened.workflow_type == "wrong-item"
    code, said = await running.verb(*make, "--data", more)
    assert (code, "nothing left to send on" in said) == (1, True)


WRONG = {
    (): "write either --to CASE or --as TYPE",
    ("--to", "return-escalation/X-1", "--as", "order.paid"): "write either --to CASE or --as TYPE",
    ("--as", "order.teleported"): "is no event type",
    ("--as", "order.paid", "--data", "5"): "write a JSON object",
    ("--to", "return-escalation/X-1"): "return-escalation/X-1 is not open",
    ("--to", "nonsense"): "is not a case id",
}


async def test_what_cannot_be_sent_on_says_why_and_stays(running: Plant) -> None:
    await send(running, event("customer.message", "X-0", "1", text="Hm."))
    for arguments, why in WRONG.items():
        code, said = await running.verb("route", "X-0:customer.message:1", *arguments, "--by", "Lin")
        assert code in (1, 2), arguments
        assert why in " ".join(said.split())
    assert "X-0" in {one["order_id"] for one in await listed(running)}
