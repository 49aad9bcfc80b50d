"""What senders are told about their events."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from adapters.http.problems import Problem
from adapters.http.seen import Remembered
from aftersales.events import BadEvent, parse_event
from aftersales.records import EventRecord, EventStatus

JSON = "application/json"
_WAITING = frozenset({EventStatus.RECEIVED, EventStatus.NO_OPEN_CASE})
_FIELD = re.compile(r"(?P<field>[a-z_]+(?:\.[A-Za-z0-9_]+)*): (?P<detail>.*)", re.DOTALL)


def told(records: Sequence[EventRecord], note: str = "") -> Remembered:
    """What became of events: 200, or 202 where one is kept and waits for its case. Each event has its own result."""
    waits = any(record.status in _WAITING for record in records)
    body: dict[str, object] = {"events": results(records)}
    if note:
        body["note"] = note
    return Remembered("", 202 if waits else 200, JSON, json.dumps(body, ensure_ascii=False))


def refused(raw: object, record: EventRecord) -> Problem:
    """The one event of a request was refused: every wrong field with its remedy."""
    try:
        parse_event(raw)
        problems = [record.detail]
    except BadEvent as bad:
        problems = bad.problems
    return Problem(
        "bad-event", record.detail, errors=[_error(one) for one in problems], more={"events": results([record])}
    )


def results(records: Sequence[EventRecord]) -> list[dict[str, object]]:
    """Each event's identity, what became of it, in which cases, and why."""
    return [
        {
            "id": record.id,
            "source": record.source,
            "status": record.status.value,
            "cases": list(record.cases),
            "detail": record.detail,
        }
        for record in records
    ]


def _error(problem: str) -> dict[str, str]:
    found = _FIELD.fullmatch(problem)
    if not found:
        return {"detail": problem, "remedy": "Correct the event; /docs describes every type."}
    field, detail = found["field"], found["detail"]
    remedy = f"Add {field}." if detail == "is missing" else f"Correct {field}; /docs describes it."
    return {"field": field, "pointer": "/" + field.replace(".", "/"), "detail": detail, "remedy": remedy}
