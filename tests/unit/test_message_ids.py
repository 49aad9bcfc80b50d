"""Message-IDs carry their case, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.message_ids import case_of, message_id

texts = st.text(min_size=1, max_size=80)


@given(case_id=texts, key=texts)
def test_case_survives_the_round_trip(case_id: str, key: str) -> None:
    identity = message_id(case_id, key, "mail.example.com")
    assert case_of(identity) == case_of(f" {identity.strip('<>')} ") == case_id
    assert identity.isascii()
    assert identity == message_id(case_id, key, "mail.example.com")


@given(case_id=texts, one=texts, other=texts)
def test_letters_of_a_case_have_their_own(case_id: str, one: str, other: str) -> None:
    ids = {message_id(case_id, key, "mail.example.com") for key in (one, other)}
    assert len(ids) == len({one, other})


@pytest.mark.parametrize("case_id", ["return-escalation/A-1001", "wrong-item/订单%2F7/1+2", "shipment-watch/A/P-1"])
def test_case_ids_of_ours(case_id: str) -> None:
    assert case_of(message_id(case_id, "key", "localhost")) == case_id


@pytest.mark.parametrize("foreign", ["", "<>", "<CAB.cd@mail.gmail.com>", "<a.01234567.0123456789abcdef@x>", "a b@c"])
def test_ids_of_others_carry_no_case(foreign: str) -> None:
    assert case_of(foreign) is None


def test_changed_id_carries_no_case() -> None:
    assert case_of(message_id("return-escalation/A-1001", "key", "example.com").lower()) is None


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    case_of(text)


@pytest.mark.parametrize("domain", ["", "a b", "a>b", "a\nb", "-", "例.cn"])
def test_domain_must_be_a_host_name(domain: str) -> None:
    with pytest.raises(ValueError, match="is no host name"):
        message_id("p/o", "key", domain)
