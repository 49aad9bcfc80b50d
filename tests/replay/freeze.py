"""Freezes histories: `python -m tests.replay.freeze NAME SCENARIO…` plays scenarios and keeps their cases' histories.

Writes `histories/<process>.finished-<scenario>.<NAME>.json`, and `….open-….json` for the same case as it was at its
last wait, each with its transcript. NAME says which build it is, such as a release. A file that is there is never
overwritten: a frozen history guards the cases that run with that code.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from adapters.sandbox import sandbox
from adapters.settings import Settings
from aftersales.scenario import load_scenario
from cli.rehearsal import Theatre
from tests.replay.transcript import HISTORIES, load, replay


async def freeze(build: str, scenarios: list[Path]) -> None:
    """Play scenarios and freeze the histories of all their cases under this name of a build."""
    async with Theatre.open(Settings()) as theatre:
        for path in scenarios:
            histories: list[WorkflowHistory] = []
            await theatre.play(load_scenario(path), histories=histories)
            for history in histories:
                await _keep(history.to_json(), f"{path.stem}.{build}")


async def _keep(text: str, name: str) -> None:
    """Write a finished history, and the same one cut where it waited last."""
    document = json.loads(text)
    events = _impersonal(document["events"])
    process = events[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
    waits = [number for number, event in enumerate(events, 1) if event["eventType"] == "EVENT_TYPE_TIMER_STARTED"]
    kinds = {"finished": len(events), **({"open": waits[-1]} if waits else {})}
    for kind, length in kinds.items():
        path = HISTORIES / f"{process}.{kind}-{name}.json"
        with path.open("x") as file:
            json.dump({"events": events[:length]}, file, ensure_ascii=False, separators=(",", ":"))
        path.with_suffix(".txt").write_text("\n".join(await replay(load(path), sandbox())) + "\n")


def _impersonal(value: Any) -> Any:
    """Without what only tells of the machine that it ran on: identities of processes, and stack traces with paths."""
    if isinstance(value, dict):
        return {key: _impersonal(item) for key, item in value.items() if key not in ("identity", "stackTrace")}
    return [_impersonal(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(freeze(sys.argv[1], [Path(name) for name in sys.argv[2:]]))
