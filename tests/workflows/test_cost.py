"""The commonest path of each process costs little more than its rule needs: activities and history events."""

from __future__ import annotations

import pytest

import workflows
from benchmarks.processes import LIMIT, PATHS, Cost, Path, cost_of
from cli.rehearsal import Theatre
from tests.replay.transcript import HISTORIES, load


def frozen_cost(story: str, steps: str) -> Cost:
    """A ladder of a frozen history, held against these steps."""
    return Cost.of(load(HISTORIES / f"return-escalation.finished-{story}.0.1.0.json"), Path(story, steps))


def test_every_process_has_a_commonest_path() -> None:
    assert set(PATHS) == {process.process for process in workflows.ALL}


@pytest.mark.parametrize("process", PATHS)
async def test_the_commonest_path_costs_little_more_than_the_least(process: str, theatre: Theatre) -> None:
    cost = await cost_of(theatre, process)
    assert not cost.left_out
    assert cost.activity_ratio <= LIMIT, f"not needed: {cost.beyond}"
    assert cost.event_ratio <= LIMIT, f"not needed: {cost.beyond}"


@pytest.mark.parametrize(
    ("story", "steps", "activities", "events", "least"),
    [
        ("step-1-silent", "letter:return-terms silence", 2, 24, 24),
        # The timer of a fact that came is cancelled.
        ("step-1-accepts-zh", "letter:return-terms fact:customer.replied read open:return-parcel", 3, 31, 30),
    ],
)
def test_the_least_is_what_temporal_writes(story: str, steps: str, activities: int, events: int, least: int) -> None:
    cost = frozen_cost(story, steps)
    assert (cost.activities, cost.least_activities) == (activities, activities)
    assert (cost.events, cost.least_events) == (events, least)
    assert not cost.too_much
    assert not cost.beyond


def test_a_letter_that_the_rule_does_not_need_is_too_much() -> None:
    cost = frozen_cost("step-1-silent", "silence")
    assert cost.beyond == ["letter:return-terms"]
    assert (cost.activity_ratio, cost.event_ratio) == (2, 24 / 18)
    assert cost.too_much


def test_a_story_that_takes_another_path_measures_nothing() -> None:
    cost = frozen_cost("step-1-silent", "letter:return-terms letter:waive-restocking silence fact:customer.replied")
    assert cost.left_out == ["fact:customer.replied", "letter:waive-restocking"]
    assert cost.too_much
