"""A repair: whether the warranty covers it, and what the steps of a repair centre mean (`§12`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from aftersales.order import Item

Step = Literal[
    "received",
    "diagnosed",
    "quote",
    "repairing",
    "waiting_for_parts",
    "testing",
    "repaired",
    "shipped",
    "not_repairable",
    "not_covered",
]
"""What a step of a repair means to us."""

_WORDS: Mapping[Step, str] = {
    "received": "received arrived checked_in",
    "diagnosed": "diagnosed diagnosing diagnosis inspected examined",
    "quote": "quote quoted quotation estimate",
    "repairing": "repairing in_repair repair_started started in_progress",
    "waiting_for_parts": "waiting_for_parts waiting_parts awaiting_parts parts_ordered missing_part",
    "testing": "testing tested quality_check",
    "repaired": "repaired fixed done finished completed ready",
    "shipped": "shipped sent dispatched returned handed_over",
    "not_repairable": "not_repairable irreparable unrepairable beyond_repair",
    "not_covered": "not_covered out_of_warranty no_warranty warranty_void",
}
_STEPS: Mapping[str, Step] = {word: step for step, words in _WORDS.items() for word in words.split()}


def step_of(text: str) -> Step | None:
    """The step that a repair centre's word names, in small or capital letters alike; None for an unknown one."""
    return _STEPS.get(re.sub(r"[\W_]+", "_", text.casefold()).strip("_"))


def in_warranty(item: Item, asked_at: datetime) -> bool:
    """Whether the warranty ran when the repair was asked for; its last day counts whole. No date is no warranty."""
    until = item.warranty_until
    if until is None:
        return False
    return asked_at <= until if isinstance(until, datetime) else asked_at.date() <= until
