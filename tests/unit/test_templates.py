"""The letters that are shipped: complete, in agreement, well formatted, and safe with whatever customers are called."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersales.letters import LetterBook, Rendered

TEMPLATES = Path(__file__).parents[2] / "templates"
BOOK = LetterBook.load(TEMPLATES)

SCAN: dict[str, object] = {
    "carrier": "USPS",
    "tracking_number": "9400 1000 0000 0000 0000 00",
    "tracking_url": "https://tracking.example/9400?a=1&b=2",
    "last_scan_at": "2026-11-18T14:02:00-06:00",
    "last_scan_place": "Memphis, TN",
    "last_scan_text": "Arrived at facility",
}
CHECKED: dict[str, object] = {
    "findings": ["damaged", "used"],
    "photos": ["https://photos.example/1.jpg", "https://photos.example/2.jpg"],
}
BY = "2026-11-23T09:30:00Z"

VALUES: dict[str, dict[str, dict[str, object]]] = {
    "common": {"message-received": {}},
    "return-escalation": {
        "return-terms": {"fee": "18.00", "fee_share": "15 %", "reply_by": BY},
        "waive-restocking": {"fee": "18.00", "reply_by": BY},
        "return-label": {"refund": "129.90"},
    },
    "return-parcel": {
        "return-instructions": {
            "rma": "RMA-77",
            "freight_paid_by": "shop",
            "label_url": "https://labels.example/RMA-77.pdf",
            "return_address": "",
            "fee": "0.00",
            "refund": "129.90",
            "ship_by": BY,
        },
        "return-instructions-reminder": {"rma": "RMA-77", "ship_by": BY},
        "return-received": {"rma": "RMA-77"},
        "refund-sent": {"refund": "111.90", "fee": "18.00", "freight": "7.50"},
        "inspection-differs": {**CHECKED, "solution": "partial", "refund": "60.00"},
        "return-sent-back": {**CHECKED, "tracking_number": "1Z999"},
        "return-lapsed": {"rma": "RMA-77"},
        "return-freight-lost": {"refund": "129.90", "tracking_number": "1Z999"},
    },
    "shipment-watch": {
        "parcel-on-its-way": SCAN,
        "parcel-pickup-late": {
            "carrier": "USPS",
            "tracking_number": "9400",
            "tracking_url": "https://tracking.example/9400",
            "handed_over_at": BY,
        },
        "parcel-stuck": {**SCAN, "kind": "customs"},
        "parcel-lost-choice": {**SCAN, "kind": "lost", "default_choice": "reship", "choose_by": BY},
        "parcel-reshipped": {"reference": "RS-5"},
        "parcel-refunded": {"refund": "129.90"},
        "parcel-found": {
            "tracking_number": "9400",
            "discount_share": "30 %",
            "discount": "38.97",
            "remedy": "reshipped",
        },
        "parcel-kept": {"price": "84.00"},
        "parcel-send-back": {"tracking_number": "9400", "label_url": "https://labels.example/9400.pdf"},
    },
    "wrong-item": {
        "ask-wrong-item-evidence": {"item": "Desk lamp", "evidence_by": BY},
        "ask-wrong-item-evidence-reminder": {"item": "Desk lamp", "evidence_by": BY},
        "keep-offer": {
            "item": "Desk lamp",
            "received": "Floor lamp",
            "compensation": "24.00",
            "reply_by": BY,
        },
        "wrong-item-reship": {"item": "Desk lamp", "keeps_both": True},
        "wrong-item-return-label": {
            "item": "Desk lamp",
            "rma": "RMA-78",
            "label_url": "https://l.example/1",
            "ship_by": BY,
        },
        "wrong-item-return-label-reminder": {"item": "Desk lamp", "rma": "RMA-78", "ship_by": BY},
        "wrong-item-compensated": {"compensation": "24.00"},
        "wrong-item-not-confirmed": {"item": "Desk lamp", **CHECKED, "findings": ["as_described"]},
        "wrong-item-refunded": {"item": "Desk lamp", "refund": "120.00"},
        "wrong-item-closed": {"item": "Desk lamp"},
    },
}
LETTERS = [(process, letter) for process, letters in VALUES.items() for letter in letters]
CHOICES = {
    "return-terms": ("accept", "insist"),
    "waive-restocking": ("accept", "insist"),
    "parcel-lost-choice": ("reship", "refund"),
    "parcel-found": ("keep", "send_back"),
    "keep-offer": ("accept", "decline"),
}
COMMON: dict[str, object] = {
    "customer_name": "Ada Reyes",
    "order_id": "A-1001",
    "shop": "Lumen Home",
    "items": [{"title": "Desk lamp", "quantity": 1, "sku": "LAMP-01"}],
    "total": "129.90",
}


def render(
    process: str,
    letter: str,
    language: str = "en",
    locale: str = "en-US",
    currency: str = "USD",
    values: Mapping[str, object] = MappingProxyType({}),
) -> Rendered:
    return BOOK.render(
        letter,
        process=process,
        language=language,
        fallback=["en"],
        locale=locale,
        currency=currency,
        values={**COMMON, **VALUES[process][letter], **values},
    )


class Tags(HTMLParser):
    """The tags of a page, and the addresses of its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]


def test_every_letter_is_there_in_both_languages_with_the_variables_of_its_process() -> None:
    declared = {
        process: {letter: frozenset(values) for letter, values in letters.items()}
        for process, letters in VALUES.items()
    }
    assert BOOK.check(declared, ["en", "zh"]) == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("process", "letter"), LETTERS)
def test_letter_is_written_by_the_rules(process: str, letter: str, language: str) -> None:
    currency, locale = ("CNY", "zh-CN") if language == "zh" else ("USD", "en-US")
    written = render(process, letter, language, locale, currency)
    assert written.language == language
    assert written.choices == CHOICES.get(letter, ())
    for number in range(1, len(written.choices) + 1):
        assert f"\n{number}. " in written.text
    assert ("感谢" if language == "zh" else "hank") in written.text
    assert "！" not in written.text
    assert "!" not in written.text
    assert max(map(len, re.sub(r"https?://\S+", "", written.text).splitlines())) <= 72
    if language == "zh":
        for line in written.text.splitlines():
            assert not re.search(r"[\u4e00-\u9fff][,;?!]|[,;?!][\u4e00-\u9fff]", line), line


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("process", "letter"), LETTERS)
def test_letter_without_its_optional_values_says_nothing_empty(process: str, letter: str, language: str) -> None:
    optional = {"tracking_number", "tracking_url", "last_scan_at", "last_scan_place", "last_scan_text"}
    optional |= {"label_url", "reference", "received", "handed_over_at", "findings", "photos"}
    gone: dict[str, object] = {
        name: [] if isinstance(value, list) else ""
        for name, value in VALUES[process][letter].items()
        if name in optional
    }
    written = render(process, letter, language, values={"customer_name": "", **gone})
    assert not re.search(r"“”|（）|\(\)| ,| \.|，，|：。|None", written.text)
    assert written.text.startswith("Hello,\n" if language == "en" else "尊敬的顾客，您好：\n")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("process", "letter", "name", "options"),
    [
        ("shipment-watch", "parcel-stuck", "kind", "silent stuck customs refused damaged bad_address"),
        ("shipment-watch", "parcel-stuck", "kind", "not_delivered disputed"),
        ("shipment-watch", "parcel-lost-choice", "kind", "silent disputed damaged"),
        ("shipment-watch", "parcel-lost-choice", "default_choice", "reship refund"),
        ("shipment-watch", "parcel-found", "remedy", "reshipped refunded"),
        ("return-parcel", "inspection-differs", "solution", "full partial send_back"),
        ("return-parcel", "return-instructions", "freight_paid_by", "shop customer"),
    ],
)
def test_letter_says_something_of_its_own_for_each(
    process: str, letter: str, name: str, options: str, language: str
) -> None:
    texts = {render(process, letter, language, values={name: option}).text for option in options.split()}
    assert len(texts) == len(options.split())


def test_lost_and_silent_parcels_are_explained_alike() -> None:
    texts = {render("shipment-watch", "parcel-lost-choice", values={"kind": kind}).text for kind in ("silent", "lost")}
    assert len(texts) == 1


@pytest.mark.parametrize(("process", "letter"), LETTERS)
def test_no_letter_opens_with_fault(process: str, letter: str) -> None:
    english, chinese = (render(process, letter, tag).text.lower() for tag in ("en", "zh"))
    for accusation in ("not a quality", "no quality", "your fault", "you caused", "not our fault", "review"):
        assert accusation not in english
    for accusation in ("非质量", "不是质量", "您的原因", "您的责任", "评价", "好评", "赠品"):
        assert accusation not in chinese


def test_amounts_and_times_are_the_customers_own() -> None:
    american = render("return-escalation", "return-terms").text
    assert "15%, which is $18.00" in american
    assert "by November 23, 2026, 9:30 AM (UTC)" in " ".join(american.split())
    british = render("return-escalation", "return-terms", locale="en-GB", currency="GBP").text
    assert "£18.00" in british
    assert "23 November 2026, 09:30." in " ".join(british.split())
    chinese = render("return-escalation", "return-terms", "zh-CN", "zh-CN", "CNY").text.replace("\n", "")
    assert "15% 的重新上架费，即 ¥18.00" in chinese
    assert "请您在2026年11月23日17:30之前回复" in chinese


hostile = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            '<script>alert("1")</script>',
            "Ada\r\nBcc: everyone@example.com",
            "{{ 7 * 7 }}{% raw %}",
            "[click](javascript:alert(1))",
            '" onmouseover="x',
            "https://evil.example/",
            "\x00\x07\ud800",
            "محمد \u202eevil",
            "😀" * 30,
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    which=st.sampled_from(LETTERS),
    language=st.sampled_from(["en", "zh", "zh-Hant-TW", "fr"]),
    name=hostile,
    shop=hostile,
    item=hostile,
    scan=hostile,
    url=hostile,
)
def test_text_of_customers_stays_text(
    which: tuple[str, str], language: str, name: str, shop: str, item: str, scan: str, url: str
) -> None:
    process, letter = which
    items = [{"title": item, "quantity": 2, "sku": item}] * 7
    texts: dict[str, object] = {
        "customer_name": name,
        "shop": shop,
        "items": items,
        "order_id": item,
        "rma": item,
        "item": item,
    }
    texts |= {"last_scan_text": scan, "last_scan_place": scan, "carrier": scan, "tracking_number": scan}
    used = {key: value for key, value in texts.items() if key in COMMON or key in VALUES[process][letter]}
    for address in ("tracking_url", "label_url"):
        if address in VALUES[process][letter]:
            used[address] = url
    written = render(process, letter, language, values=used)
    tame = {key: VALUES[process][letter].get(key, "x") for key in used if key not in COMMON}
    plain = render(process, letter, language, values=tame)
    assert written.subject.isprintable() or not re.search(r"[\x00-\x1f\x7f\u2028\u2029]", written.subject)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", written.text)
    assert set(Tags(written.html).tags) <= {*Tags(plain.html).tags, "br"}
    assert all(re.match(r"https?://", link or "") for link in Tags(written.html).links)
    json.dumps(written.model_dump(), ensure_ascii=False).encode()
