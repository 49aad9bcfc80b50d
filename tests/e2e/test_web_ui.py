"""The Web UI of a waiting case in a headless browser: an operator sees what is to be decided, and decides there."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from temporalio.service import RPCError

from aftersales.records import LetterRecord
from tests.e2e.browser import find_chromium, open_page
from tests.events import replied, return_requested, write
from tests.plant import Plant, plant

CASE = "return-escalation/A-1001"
SAID = "I opened the box and the lamp is nice, but it is too bright for my desk. What can we do?"

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not find_chromium(), reason="chromium and chromium-driver are not installed"),
]


async def waiting(running: Plant) -> None:
    """A case whose customer wrote something that only a person understands."""
    await running.start_worker()
    code, said = await running.send(
        write(running.folder / "events.jsonl", [return_requested("A-1001"), replied("A-1001", SAID)])
    )
    assert code == 0, said
    for _ in range(200):
        # The case that hands over to it may not have come so far.
        with contextlib.suppress(RPCError):
            run = await (await running.client()).get_workflow_handle(CASE).describe()
            if dict(run.search_attributes).get("Stage") == ["decision"]:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the case asks nobody")


async def test_an_operator_sees_the_case_and_decides_in_the_dialog(tmp_path: Path) -> None:
    async with plant(tmp_path) as running:
        await waiting(running)
        await asyncio.to_thread(_decide, running.server.ui_url)
        async with running.store() as store:
            for _ in range(100):
                story = await store.views.case_story(CASE)
                letters = [line.what.letter for line in story if isinstance(line.what, LetterRecord)]
                if letters == ["return-terms", "waive-restocking"]:
                    break
                await asyncio.sleep(0.1)
            assert letters == ["return-terms", "waive-restocking"]


def _decide(ui_url: str) -> None:
    with open_page(ui_url, CASE) as page:
        seen = page.metadata()
        assert "Return escalation · A-1001 · Desk lamp" in seen
        assert "Your decision is needed" in seen
        assert SAID in seen
        assert re.search(r"Stage: decision · until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", seen)
        assert '{"option": "insist", "by": "your name", "reason": "why"}' in seen
        attributes = page.attributes()
        assert '"Stage": "decision"' in attributes
        assert re.search(r'"Deadline": "\d{4}-', attributes)

        page.send_update("decide", '{"option": "insist", "by": "operator-7", "reason": "does not want to pay"}')

        seen = page.metadata()
        assert "operator-7 decided: insist (does not want to pay)" in seen
        assert "letter waive-restocking (en) sent" in seen
        assert "Stage: waive-restocking" in seen
        assert "Your decision is needed" not in seen
