"""Tax numbers that cannot be right, and requests that correct an earlier one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.events import InvoiceRequested
from aftersales.invoicing import cannot_be_right, corrected

CREDIT_CODES = ["91350100M000100Y43", "91110108551385082Q", "914403001922038216"]
PERSON = "11010519491231002X"


@pytest.mark.parametrize(
    ("tax_id", "market"),
    [
        ("", "DE"),
        ("  ", "CN"),
        ("DE136695976", "DE"),
        ("de 136.695.976", "DE"),
        ("ATU12345678", "DE"),
        ("FR83404833048", "DE"),
        ("NL123456789B01", "DE"),
        ("GB980780684", "GB"),
        ("12/345/67890", "DE"),
        ("RSSMRA85T10A562S", "DE"),
        ("12-3456789", "US"),
        ("DE12345", "US"),
        *((code, "CN") for code in CREDIT_CODES),
        (PERSON, "CN"),
        ("110105194912310", "CN"),
    ],
)
def test_a_tax_number_that_may_be_right_is_left_to_finance(tax_id: str, market: str) -> None:
    assert not cannot_be_right(tax_id, market)


@pytest.mark.parametrize(
    ("tax_id", "market"),
    [
        ("DE12345", "DE"),
        ("DE12345678X", "DE"),
        ("ATX12345678", "DE"),
        ("NL123456789", "DE"),
        ("none", "US"),
        ("12345", "CN"),
        ("9135010OM000100Y43", "CN"),
        ("11010519491231002 1", "CN"),
    ],
)
def test_a_tax_number_that_cannot_be_right_is_seen(tax_id: str, market: str) -> None:
    assert cannot_be_right(tax_id, market)


@given(st.sampled_from(CREDIT_CODES[:2]), st.integers(0, 17), st.integers(0, 9))
def test_one_wrong_digit_in_a_credit_code_is_seen(right: str, place: int, digit: int) -> None:
    wrong = f"{right[:place]}{digit}{right[place + 1 :]}"
    assert cannot_be_right(wrong, "CN") == (wrong != right)


def test_a_later_request_says_anew_what_it_names_and_stays_urgent() -> None:
    known = {"source": "shop", "order_id": "A-1001", "time": datetime(2026, 11, 20, tzinfo=UTC)}
    asked = InvoiceRequested(**known, id="1", urgent=True, tax_id="DE12345", title="Braun-Koch GmbH")  # type: ignore[arg-type]
    again = InvoiceRequested(**known, id="2", tax_id="DE136695976")  # type: ignore[arg-type]
    assert corrected(asked, again) == asked.model_copy(update={"tax_id": "DE136695976"})
