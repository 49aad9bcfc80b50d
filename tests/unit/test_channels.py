"""What channels ask of letters, and what becomes of a letter that does not keep to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.letters import LETTER_HELD, Held, LetterRequest, Letters
from aftersales.channels import ChannelRules, Channels, Terms, faults, foreign, review_requests, written_faults
from aftersales.faults import BadFile
from aftersales.letters import Books
from aftersales.order import Customer
from aftersales.policy import load_policy
from aftersales.ports import Trying
from aftersales.records import CaseRef, LetterRecord
from aftersales.sending import Outgoing
from tests.books import book

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STRICT = ChannelRules(outside_links="forbidden", link_hosts=("*.ebay.com",), contact_details=False)
SECURE = ChannelRules(outside_links="https")


def why(text: str, rules: ChannelRules = STRICT) -> list[str]:
    return faults(text, NOW, Terms(channel="bay", rules=rules))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Label: https://labels.example/1.", "it links to labels.example"),
        ("Label: HTTPS://Labels.example/1", "it links to labels.example"),
        ("see www.lamps.example", "it links to www.lamps.example"),
        ("https://ebay.com.evil.example/", "it links to ebay.com.evil.example"),
        ("write to us@lamps.example", "it holds the e-mail address us@lamps.example"),
        ("call us at +49 30\n123 45 67", "it holds the phone number +49 30 123 45 67"),
        ("Tel.: 030 1234567", "it holds the phone number 030 1234567"),
        ("电话：13812345678", "it holds the phone number 13812345678"),
    ],
)
def test_links_and_contact_details_are_found(text: str, reason: str) -> None:
    (found,) = written_faults(text, "bay", STRICT)
    assert found.startswith(f"{reason}, and bay allows ")
    assert list(written_faults(text, "shop", ChannelRules())) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://www.ebay.com/itm/1 and https://cgi.ebay.com/2",
        "Order 302-1234567-1234567, tracking 1Z999AA10123456784 and 9400100000000000000000",
        "RMA-12345678, 2026-11-22 10:00, +15 %, 1,299.00 USD, LAMP-01 @ 12 V",
        "A phone case, item 123456789",
        "No. 13812345678",
    ],
)
def test_numbers_and_the_channels_own_links_are_no_contact_details(text: str) -> None:
    assert list(written_faults(text, "bay", STRICT)) == []


def test_secure_links_only() -> None:
    assert why("https://labels.example/1", SECURE) == []
    (plain,) = why("http://labels.example/1", SECURE)
    assert plain == "it links to labels.example, and bay allows only links with https"


@pytest.mark.parametrize(
    "text",
    [
        "Please Leave\nus a  review!",
        "如果满意，请给好评",
        "Bitte hinterlassen Sie uns eine Bewertung.",
        "N’hésitez pas, laissez un avis positif",
        "Por favor, modifique su reseña",
        "よろしければレビューをお願いいたします",
    ],
)
def test_no_letter_asks_for_a_review(text: str) -> None:
    assert "asks for a review" in "".join(review_requests(text))
    assert why(text, ChannelRules())


@pytest.mark.parametrize(
    "text", ["Your review says that the lamp was broken.", "Ihre Bewertung", "您的评价", "vos avis"]
)
def test_a_review_may_be_spoken_of(text: str) -> None:
    assert list(review_requests(text)) == []


def test_the_buyers_language() -> None:
    terms = Terms(channel="bay", rules=ChannelRules(buyers_language=True))
    assert foreign("de", "de-AT", terms) == []
    assert foreign("en", "pt-BR", terms) == ["it is in en, and bay asks for the buyer's language, pt-BR"]
    assert foreign("en", "pt-BR", Terms(channel="bay", rules=ChannelRules())) == []


def test_how_long_the_shop_may_write_of_its_own_accord() -> None:
    channels = Channels(channel_rules={"bay": ChannelRules(days_after_order=timedelta(days=30))})
    late = NOW - timedelta(days=31)
    terms = channels.terms("bay", delivered_at=late, answers=False)
    assert terms
    assert faults("Hello", NOW, terms) == ["on bay the shop writes of its own accord until 30d after delivery"]
    assert faults("Hello", late + timedelta(days=30), terms) == []
    for delivered_at, answers in ((late, True), (None, False)):
        terms = channels.terms("bay", delivered_at=delivered_at, answers=answers)
        assert terms
        assert faults("Hello", NOW, terms) == []


def test_a_channel_without_an_entry_has_the_default_and_an_old_policy_has_no_rule() -> None:
    channels = Channels(channel_rules={"bay": STRICT, "default": SECURE})
    terms = channels.terms("shop", delivered_at=None, answers=False)
    assert terms == Terms(channel="shop", rules=SECURE)
    assert Channels().terms("bay", delivered_at=NOW, answers=False) is None
    assert "terms" not in request(None).model_dump(mode="json")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"languages": ["en", "nl"]}, "bay asks for letters in nl, which letters.languages lacks; write them"),
        ({"link_hosts": ["https://ebay.com"]}, "string should match pattern"),
        ({"outside_links": "some"}, "input should be 'allowed', 'https' or 'forbidden'"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused_with_their_line(tmp_path: Path, rules: Any, reason: str) -> None:
    file = tmp_path / "own.yaml"
    (name, value), *_ = rules.items()
    base = (ROOT / "policies/default.yaml").read_text("utf-8")
    (tmp_path / "default.yaml").write_text(base, "utf-8")
    file.write_text(f"extends: default.yaml\nchannels:\n  channel_rules:\n    bay:\n      {name}: {value!r}\n", "utf-8")
    with pytest.raises(BadFile) as bad:
        load_policy(file, ROOT / "policies/law")
    assert f"{file}:5: channels.channel_rules.bay.{name}" in str(bad.value)
    assert reason in str(bad.value)


class Ledger:
    """Keeps what was claimed and sent."""

    def __init__(self) -> None:
        self.claimed: list[str] = []
        self.sent: list[str] = []

    async def claim_letter(self, record: LetterRecord) -> LetterRecord:
        self.claimed.append(record.key)
        return record

    async def letter_sent(self, key: str, *, at: datetime, reference: str) -> None:
        self.sent.append(key)

    async def letter_tried(self, key: str, *, at: datetime, after: datetime | None) -> bool:
        raise AssertionError("this channel tells repeats")

    async def letter_not_sent(self, key: str, *, at: datetime) -> None:
        raise AssertionError("this channel tells repeats")

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        return "out"


def request(terms: Terms | None, language: str = "en") -> LetterRequest:
    return LetterRequest(
        key="case#1#letter:message-received",
        case=CaseRef(case_id="inquiry/A-1", trigger="1", process="inquiry", order_id="A-1", shop="s", opened_at=NOW),
        letter="message-received",
        to=Customer(name="Ada, tel. 030 1234567", email="ada@example.com", language=language),
        locale="en-US",
        currency="USD",
        languages=("en",),
        values={"items": [], "total": "1.00"},
        at=NOW,
        terms=terms,
    )


async def test_a_letter_that_its_channel_forbids_is_neither_claimed_nor_sent() -> None:
    ledger = Ledger()
    letters = Letters(Books(book()), ledger, ledger, domain="x.example")
    with pytest.raises(ApplicationError, match=r"the phone number 030 1234567, and bay allows none") as held:
        await ActivityEnvironment().run(letters.send, request(Terms(channel="bay", rules=STRICT)))
    assert (held.value.type, held.value.non_retryable) == (LETTER_HELD, True)
    assert held.value.details == (True, Held(channel="bay"))
    assert (ledger.claimed, ledger.sent) == ([], [])
    other_language = Terms(channel="bay", rules=ChannelRules(buyers_language=True))
    with pytest.raises(ApplicationError, match=r"it is in en, and bay asks for the buyer's language, pt") as held:
        await ActivityEnvironment().run(letters.send, request(other_language, language="pt"))
    assert held.value.details == (False, Held(channel="bay"))
    assert ledger.sent == []
    await ActivityEnvironment().run(letters.send, request(None))
    assert ledger.sent == ["case#1#letter:message-received"]
