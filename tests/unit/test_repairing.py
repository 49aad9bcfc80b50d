from datetime import UTC, date, datetime
from typing import Any

import pytest

from aftersales.order import Item
from aftersales.repairing import in_warranty, step_of
from tests.events import order

ASKED = datetime(2026, 11, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, False),
        (date(2026, 11, 6), False),
        (date(2026, 11, 7), True),
        (datetime(2026, 11, 7, 15, tzinfo=UTC), True),
        (datetime(2026, 11, 7, 14, 59, tzinfo=UTC), False),
    ],
)
def test_the_warranty_counts_when_the_repair_is_asked_for_its_last_day_whole(until: Any, expected: bool) -> None:
    item = Item.model_validate({**order("A-1")["items"][0], "warranty_until": until})
    assert in_warranty(item, ASKED) is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("received", "received"),
        ("Waiting for parts", "waiting_for_parts"),
        ("NOT-REPAIRABLE", "not_repairable"),
        ("out of warranty", "not_covered"),
        ("done", "repaired"),
        ("moved to shelf 7", None),
        ("维修", None),
    ],
)
def test_a_step_is_known_however_it_is_written(word: str, expected: str | None) -> None:
    assert step_of(word) == expected
