from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from aftersales.units import (
    Duration,
    Share,
    Window,
    format_duration,
    format_share,
    parse_duration,
    parse_share,
)


class Sample(BaseModel):
    span: Duration
    window: Window
    share: Share


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("72h", timedelta(hours=72)),
        ("14d", timedelta(days=14)),
        ("90m", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("0h", timedelta(0)),
        ("48 hours", timedelta(hours=48)),
        ("1 day 12 hours", timedelta(hours=36)),
        ("2 days", timedelta(days=2)),
        ("90 min", timedelta(minutes=90)),
        ("PT48H", timedelta(hours=48)),
        ("P2DT12H30M", timedelta(days=2, hours=12, minutes=30)),
    ],
)
def test_a_span_is_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "wrong",
    ["", "72", 72, 1.5, None, True, "-5h", "1.5h", "30m1h", "h", "a day", "٣h", "P1M", "P", "PT", "P1DT", "2 months"],
)
def test_what_is_no_span_is_refused_with_what_to_write(wrong: object) -> None:
    with pytest.raises(ValueError, match="write a span of time as 72h, 14d, 90m, 45s or 1h30m"):
        parse_duration(wrong)


@pytest.mark.parametrize("wrong", ["3661d", "9999999999d", timedelta(days=9999)])
def test_a_span_over_ten_years_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="at most ten years"):
        parse_duration(wrong)


def test_a_negative_span_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        parse_duration(timedelta(seconds=-1))


def test_a_fraction_of_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="whole seconds"):
        parse_duration(timedelta(milliseconds=1500))


@pytest.mark.parametrize("text", ["72h", "48h", "14d", "30d", "6s", "1h30m", "1m30s", "0s"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@given(st.integers(min_value=0, max_value=3_660 * 86_400))
def test_every_span_reads_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize("written", ["15 %", "15%", " 15 % ", "0.15", 0.15])
def test_a_share_is_read(written: object) -> None:
    assert parse_share(written) == Decimal("0.15")


@pytest.mark.parametrize("edge", ["0 %", "100 %", "0", "1.0", 0])
def test_nothing_and_everything_are_shares(edge: object) -> None:
    assert parse_share(edge) in (0, 1)


@pytest.mark.parametrize("wrong", ["", 15, "15", 1, "1", None, True, "-5 %", "%", float("nan"), "1e-2"])
def test_what_is_no_share_is_refused_with_what_to_write(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"write a share as 15 % or 0\.15"):
        parse_share(wrong)


def test_a_share_without_its_sign_is_told_how_to_be_written() -> None:
    with pytest.raises(ValueError, match="not 10; for 10 per cent write 10 %"):
        parse_share(10)


@pytest.mark.parametrize("wrong", ["101 %", "100.1%", Decimal("1.01"), Decimal("-0.1"), Decimal("NaN")])
def test_a_share_over_the_whole_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="from 0 % to 100 %"):
        parse_share(wrong)


@given(st.integers(min_value=0, max_value=10_000))
def test_every_share_reads_back(hundredths: int) -> None:
    fraction = Decimal(hundredths) / 10_000
    assert parse_share(format_share(fraction)) == fraction


def test_units_survive_json_as_short_text() -> None:
    sample = Sample.model_validate({"span": "72h", "window": "14d", "share": "15 %"})
    assert sample.model_dump_json() == '{"span":"72h","window":"14d","share":"15 %"}'
    assert Sample.model_validate_json(sample.model_dump_json()) == sample
    assert Sample.model_validate(sample.model_dump()) == sample


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="longer than nothing"):
        Sample.model_validate({"span": "0s", "window": "0s", "share": "0"})
