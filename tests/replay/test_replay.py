"""Cases that run while the code changes must go on as they began: frozen histories replay to frozen transcripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

import workflows
from adapters.sandbox import sandbox
from aftersales.returning import shop_pays
from tests.replay.transcript import HISTORIES, load, replay
from workflows import return_escalation
from workflows.case import Case
from workflows.return_escalation import ReturnEscalation

FROZEN = sorted(HISTORIES.glob("*.json"))
TEACHING = (
    "running cases of the frozen build would take another way with this code. Keep the old way for them with "
    "workflow.patched, or let them end with their pinned build; never edit a frozen history"
)


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
async def test_a_frozen_history_replays_to_its_transcript(path: Path) -> None:
    now = await replay(load(path), sandbox())
    assert now == path.with_suffix(".txt").read_text().splitlines(), TEACHING


def test_every_process_has_a_finished_and_an_open_history() -> None:
    names = {path.name.split(".")[0] + "." + path.name.split(".")[1].partition("-")[0] for path in FROZEN}
    assert names >= {f"{process.process}.{kind}" for process in workflows.ALL for kind in ("finished", "open")}


def _swapped_letter(patch: pytest.MonkeyPatch) -> None:
    ladder = ReturnEscalation.ladder
    patch.setattr(ReturnEscalation, "ladder", lambda self: ladder(self)[::-1])


def _other_amount(patch: pytest.MonkeyPatch) -> None:
    def less(*args: Any) -> Any:
        terms = shop_pays(*args)
        return terms.model_copy(update={"refund": terms.refund - 1})

    patch.setattr(return_escalation, "shop_pays", less)


def _removed_timer(patch: pytest.MonkeyPatch) -> None:
    async def at_once(self: Case, *kinds: Any, **_: Any) -> None:
        return None

    patch.setattr(Case, "next", at_once)


def _changed_timer(patch: pytest.MonkeyPatch) -> None:
    until = Case.until
    patch.setattr(Case, "until", lambda self, window: until(self, window + timedelta(minutes=1)))


@pytest.mark.parametrize("plant", [_swapped_letter, _other_amount, _removed_timer, _changed_timer])
async def test_a_planted_change_is_caught(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "return-escalation.finished-step-3-label-and-full-refund"
    path = next(path for path in FROZEN if path.name.startswith(name))
    frozen = path.with_suffix(".txt").read_text().splitlines()
    assert await replay(load(path), UnsandboxedWorkflowRunner()) == frozen
    plant(monkeypatch)
    try:
        changed = await replay(load(path), UnsandboxedWorkflowRunner())
    except NondeterminismError:
        return
    assert changed != frozen
