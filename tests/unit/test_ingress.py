"""The figures of `./dev bench ingress`, and the clock by which senders send."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.ingress import TARGET, Figures, Way, percentile
from benchmarks.senders import Measured, sent


def way(door: str, *seconds: float) -> Way:
    return Way(door, [Measured(one, [one * 10]) for one in seconds], cpu=[0.2 for _ in seconds])


def test_ratios_are_those_of_one_round_and_their_median_counts() -> None:
    # The machine was three times as slow in the second round, for both.
    figures = Figures.of(way("http", 1.25, 3.75, 1.0), way("bare", 1.0, 3.0, 1.0), count=100)
    assert [figures.ratio, figures.lowest, figures.highest] == pytest.approx([0.8, 0.8, 1.0])
    assert figures.rate == 80
    assert figures.cpu == pytest.approx(2)


@pytest.mark.parametrize(("door", "too_slow"), [("http", True), ("nats", True), ("batches", False)])
def test_single_events_and_nats_have_to_reach_the_target(door: str, too_slow: bool) -> None:
    slow, fast = 1 / (TARGET - 0.01), 1 / (TARGET + 0.01)
    bare = way("bare", 1.0)
    assert Figures.of(way(door, slow), bare, count=1).too_slow is too_slow
    assert not Figures.of(way(door, fast), bare, count=1).too_slow


def test_a_percentile_is_a_value_that_so_many_do_not_exceed() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (50, 99, 7)


async def test_no_more_are_under_way_than_abreast() -> None:
    under_way = most = 0

    async def send() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    measured = await sent([send] * 9, abreast=4)
    assert most == 4
    assert len(measured.latencies) == 9


async def test_at_a_pace_the_clock_of_each_runs_from_its_own_moment() -> None:
    async def send() -> None:
        await asyncio.sleep(0.01)

    measured = await sent([send] * 4, abreast=1, pace=100)
    assert measured.seconds >= 0.03
    assert all(latency >= 9 for latency in measured.latencies)


async def test_what_fails_is_not_measured() -> None:
    async def send() -> None:
        raise RuntimeError("refused")

    with pytest.raises(ExceptionGroup) as failed:
        await sent([send], abreast=1)
    assert [str(error) for error in failed.value.exceptions] == ["refused"]
