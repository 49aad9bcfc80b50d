"""What opens a case, as it is sent and kept."""

from __future__ import annotations

import json

import pytest

from adapters.settings import Settings
from adapters.shops import load_policies
from aftersales.events import CustomerMessage, ReturnRequested, parse_event
from aftersales.opening import CaseOpened, Resume
from tests.events import event, return_requested


@pytest.mark.parametrize("reopened", [False, True])
def test_it_is_written_as_its_model_says_whatever_changed_since_the_last_one(reopened: bool) -> None:
    known = Settings()
    policies = load_policies(known.policy, known.law, {})
    request = parse_event(return_requested("A-1"))
    assert isinstance(request, ReturnRequested)
    assert request.order
    for market in ("DE", "US", "DE"):
        policy = policies.snapshot("lumen", market)
        opened = CaseOpened(order=request.order, policy=policy, opened_at=request.time, trigger=request)
        if reopened:
            reply = parse_event(event("customer.message", "A-1", text="Still here?"))
            assert isinstance(reply, CustomerMessage)
            opened = opened.model_copy(update={"resume": Resume(letter="offer", sent_by="x", message=reply)})
        assert json.loads(opened.as_json()) == json.loads(opened.model_dump_json())
        assert CaseOpened.model_validate_json(opened.as_json()) == opened
        changed = opened.model_copy(update={"policy": policy.model_copy(update={"version": "another"})})
        assert json.loads(changed.as_json())["policy"]["version"] == "another"
