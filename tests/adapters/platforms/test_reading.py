"""Reading what strangers send: clean values or none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.platforms.reading import amount, count, moment, money, text, written


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (" #1001 ", "#1001"),
        (820982911946154500, "820982911946154500"),
        (1e15, "1000000000000000"),
        ("a\x00b\ud800c", "abc"),
        (10**400, ""),
        (1.5, ""),
        (True, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_a_text(given: object, found: str) -> None:
    assert text(given) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("199.00", "199.00"),
        (199, "199.00"),
        (19.9, "19.90"),
        (" 3.22500 ", "3.225"),
        ("0", "0.00"),
        (0.1 + 0.2, "0.30"),
        ("1e9999999", None),
        ("1000000000000", None),
        ("NaN", None),
        ("12,50", None),
        ("-1", None),
        (True, None),
        (None, None),
    ],
)
def test_money(given: object, found: str | None) -> None:
    sum = money(given)
    assert (None if sum is None else written(sum)) == found


def test_an_amount_may_be_negative_and_a_count_not() -> None:
    assert amount("-9.00") == Decimal("-9.00")
    assert [count(given) for given in (2, "2", 2.0, -1, 1.5, None, "x")] == [2, 2, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2026-11-19T20:00:00+01:00", "2026-11-19T19:00:00+00:00"),
        ("2026-11-19T20:00:00.000Z", "2026-11-19T20:00:00+00:00"),
        ("2026-11-19T20:00:00", "2026-11-19T12:00:00+00:00"),
        ("2026-11-19", "2026-11-18T16:00:00+00:00"),
        ("0001-01-01T00:00:00+23:00", None),
        ("yesterday", None),
        (1_712_741_696, None),
    ],
)
def test_a_moment(given: object, found: str | None) -> None:
    at = moment(given, "Asia/Shanghai")
    assert (at and at.isoformat()) == found
