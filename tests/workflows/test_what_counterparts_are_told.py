"""What stands in the commands for finance and for the warehouse: stories name commands, not what is in them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHistory

from adapters.counterparts import Booked
from adapters.settings import ROOT
from aftersales.commands import Command
from aftersales.scenario import load_scenario
from cli.rehearsal import Theatre


async def played(theatre: Theatre, story: str) -> list[WorkflowHistory]:
    """The cases of a story."""
    histories: list[WorkflowHistory] = []
    await theatre.play(load_scenario(ROOT / "scenarios" / f"{story}.yaml"), histories=histories)
    return histories


def asked(histories: list[WorkflowHistory], activity: str) -> list[dict[str, Any]]:
    """What the activities of this type were asked for."""
    scheduled = [one.activity_task_scheduled_event_attributes for history in histories for one in history.events]
    return [json.loads(one.input.payloads[0].data) for one in scheduled if one.activity_type.name == activity]


async def told(theatre: Theatre, story: str, command: str) -> list[dict[str, Any]]:
    """The commands of this type that the cases of a story gave, as counterparts get them."""
    given = [one["command"] for one in asked(await played(theatre, story), "give_command")]
    return [one for one in given if one["type"] == command]


async def test_finance_gets_an_urgent_invoice_with_the_customers_id_and_a_date(theatre: Theatre) -> None:
    (command,) = await told(theatre, "invoice/urgent-and-issued", "issue_invoice")
    data = command["data"]
    assert (data["urgent"], data["customer"], data["title"]) == (True, "ada@example.com", "Reyes Lighting LLC")
    left = datetime.fromisoformat(data["issue_by"]) - datetime.fromisoformat(command["at"])
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


async def test_a_reminder_names_the_command_that_it_reminds_of(theatre: Theatre) -> None:
    first, second = await told(theatre, "invoice/urgent-finance-reminded", "issue_invoice")
    assert first["data"]["reminds"] == ""
    assert second["data"] == {**first["data"], "reminds": first["key"]}


async def test_what_the_customer_answers_is_given_on_as_it_is(theatre: Theatre) -> None:
    (words,) = await told(theatre, "invoice/tax-data-wrong-answered-in-words-de", "issue_invoice")
    assert words["data"]["details"] == "Unsere USt-IdNr. ist DE136695976, Braun-Koch GmbH, Berlin."
    (document,) = await told(theatre, "invoice/tax-data-wrong-answered-with-a-document", "issue_invoice")
    assert document["data"]["attachments"] == ["https://files.example/licence.pdf"]
    (again,) = await told(theatre, "invoice/tax-data-wrong-customer-corrects", "issue_invoice")
    assert (again["data"]["tax_id"], again["data"]["title"]) == ("DE136695976", "Braun-Koch GmbH")


async def test_the_customer_gets_the_invoice_with_the_right_data_and_no_earlier_one(theatre: Theatre) -> None:
    histories = await played(theatre, "invoice/urgent-overdue-the-data-was-wrong")
    commands = [Command.model_validate(one["command"]) for one in asked(histories, "give_command")]
    right = next(one for one in commands if one.data["details"])
    letter = asked(histories, "send_letter")[-1]
    assert letter["letter"] == "invoice-sent"
    assert letter["values"]["number"] == (await Booked().execute(right, shop="")).reference


async def test_the_customer_gets_the_number_or_the_link_that_an_operator_has_from_finance(theatre: Theatre) -> None:
    by_hand = asked(await played(theatre, "invoice/urgent-overdue-operator-issued"), "send_letter")[-1]["values"]
    assert by_hand == {**by_hand, "number": "INV-2026-17", "invoice_url": "", "late": True}
    linked = asked(await played(theatre, "invoice/tax-data-refused-by-finance"), "send_letter")[-1]["values"]
    assert linked == {**linked, "number": "", "invoice_url": "https://files.example/INV-17.pdf", "late": False}


async def test_the_warehouse_is_told_where_a_gift_goes(theatre: Theatre) -> None:
    (inside,) = await told(theatre, "perk-request/allowed-gift", "add_gift")
    assert (inside["data"]["sku"], inside["data"]["note"]) == ("GIFT-01", "gift")
    (after,) = await told(theatre, "perk-request/gift-after-it-left-a-supervisor-sends-it-after", "add_gift")
    assert after["data"]["note"] == "gift, to be sent after the order"
