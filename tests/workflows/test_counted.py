"""What a case writes down for the figures when it closes: goods, letters, and how long its customer waited."""

from __future__ import annotations

import asyncio
import json

import pytest
from temporalio.client import WorkflowHistory

from adapters.settings import ROOT, Settings
from aftersales.outcome import Outcome
from aftersales.policy import Policy, load_policy
from aftersales.scenario import load_scenario
from cli.rehearsal import Theatre

FOLDER = ROOT / "scenarios"
HOUR = 3600


async def outcomes(theatre: Theatre, name: str) -> dict[str, Outcome]:
    """How the cases of a scenario ended, by process."""
    histories: list[WorkflowHistory] = []
    performance = await asyncio.wait_for(theatre.play(load_scenario(FOLDER / f"{name}.yaml"), histories=histories), 60)
    assert not performance.missed
    ended = [history.events[-1].workflow_execution_completed_event_attributes for history in histories]
    found = [Outcome.model_validate_json(end.result.payloads[0].data) for end in ended if end.result.payloads]
    return {outcome.process: outcome for outcome in found}


def letters(outcome: Outcome) -> list[tuple[str, bool, int | None, bool]]:
    """Each letter: whether it was awaited, after how many whole hours it was answered, whether with a yes."""
    return [
        (
            each.letter,
            each.awaited,
            round((each.answered_at - each.sent_at).total_seconds() / HOUR) if each.answered_at else None,
            each.accepted,
        )
        for each in outcome.letters
    ]


async def test_a_message_is_counted_where_it_is_answered(theatre: Theatre) -> None:
    """The request goes on to the ladder, the yes to the parcel; each answers at once what the one before left."""
    ended = await outcomes(theatre, "return-escalation/step-1-accepts")
    request, ladder, parcel = (ended[name] for name in ("return-request", "return-escalation", "return-parcel"))
    assert (request.messages, request.replies, request.letters) == (0, (), ())
    assert (ladder.messages, len(ladder.replies), ladder.replied_in_time) == (1, 1, 1)
    assert letters(ladder) == [("return-terms", True, 5, True)]
    assert (parcel.messages, len(parcel.replies), parcel.replied_in_time) == (1, 1, 1)
    assert max(*ladder.replies, *parcel.replies) < HOUR
    assert letters(parcel) == [
        ("return-instructions", True, 95, False),
        ("return-received", False, None, False),
        ("refund-sent", False, None, False),
    ]
    (lamp,) = parcel.goods
    assert (lamp.line_id, lamp.quantity, lamp.back) == ("1", 1, 1)
    assert [each.back for each in ladder.goods] == [0], "what comes back after it closed is not its own"


async def test_silence_leaves_the_last_letter_awaited_and_unanswered(theatre: Theatre) -> None:
    ladder = (await outcomes(theatre, "return-escalation/step-2-silent"))["return-escalation"]
    assert letters(ladder) == [("return-terms", True, 5, False), ("waive-restocking", True, None, False)]
    assert (ladder.result, ladder.messages, len(ladder.replies)) == ("abandoned", 2, 2)


async def test_goods_that_come_after_a_reminder_answer_the_reminder(theatre: Theatre) -> None:
    parcel = (await outcomes(theatre, "return-parcel/received-after-the-reminder"))["return-parcel"]
    assert letters(parcel)[:2] == [
        ("return-instructions", True, None, False),
        ("return-instructions-reminder", True, 32, False),
    ]
    assert letters(parcel)[2][:2] == ("return-received", False)


async def test_a_case_with_terms_of_before_the_report_writes_none_of_it(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = load_policy(Settings().policy, Settings().law).model_dump(mode="json")
    before = Policy.model_validate({name: value for name, value in written.items() if name != "report"})
    monkeypatch.setattr(theatre, "_policy", before.model_copy(update={"version": "before"}))
    ended = await outcomes(theatre, "return-escalation/step-1-accepts")
    assert {outcome.policy_version for outcome in ended.values()} == {"before"}
    for outcome in ended.values():
        told = json.loads(outcome.model_dump_json())
        assert not {"goods", "letters", "messages", "replies", "replied_in_time"} & set(told)
