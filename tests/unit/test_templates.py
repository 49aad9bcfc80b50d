"""The letters that are shipped: complete, in agreement, well formatted, and safe with whatever customers are called."""

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersales.letter_files import read_letters
from aftersales.letter_parts import texts
from aftersales.letters import Rendered
from aftersales.return_eligibility import REASONS
from aftersales.variants import parse_key
from tests.books import book

TEMPLATES = Path(__file__).parents[2] / "templates"
BOOK = book()

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
PAY: dict[str, object] = {"payment_url": "https://pay.example/1", "pay_by": BY}

ADDRESS: dict[str, object] = {
    "name": "Ada Reyes",
    "line1": "9 Elm Rd",
    "city": "Dallas",
    "region": "TX",
    "postcode": "75201",
    "country": "US",
}
DELIVERY: dict[str, object] = {"units": 12, "address": "Ada Reyes, 1 Main St, 78701 Austin, TX, US", "place": ""}
BULK: dict[str, object] = {
    "units": 12,
    "place": "9 Elm Rd, 75201 Dallas",
    "packaging": "apart",
    "goods_price": "1440.00",
    "bulk_discount": "144.00",
    "bulk_total": "1296.00",
}
BLOCK: dict[str, object] = {"region": "Texas", "carriers": ["USPS", "UPS"], "proof": ["https://p.example/notice.pdf"]}

VALUES: dict[str, dict[str, dict[str, object]]] = {
    "common": {"message-received": {}, "payment-waits": {}},
    "return-request": {
        "ask-return-reason": {"reply_by": BY},
        "ask-return-reason-reminder": {"reply_by": BY},
        "ask-return-evidence": {"reason": "damaged", "evidence_by": BY},
        "ask-return-evidence-reminder": {"evidence_by": BY},
        "return-fault-not-confirmed": {"reason": "damaged", "photos": ["https://photos.example/1.jpg"]},
        "retention-offer": {"reply_by": BY},
        "return-not-eligible": {
            "late": ["Desk lamp"],
            "final_sale": ["LED bulb"],
            "not_returnable": ["Shade"],
            "opened": ["Fuse"],
            "labels_off": ["Bag"],
            "delivered_at": BY,
            "ended_at": BY,
            "reply_by": BY,
        },
        "goodwill-offer": {"goodwill": "38.97", "reply_by": BY},
        "return-goodwill-paid": {"goodwill": "38.97"},
        "return-stays-refused": {"agreed": True},
        "return-accepted-after-all": {},
    },
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
    "order-change": {
        "change-question": {"answer_by": BY},
        "change-question-reminder": {"answer_by": BY},
        "change-confirm": {
            "address": ADDRESS,
            "items": [{"title": "Desk lamp", "quantity": 2, "sku": "LAMP-01"}],
            "charge": "120.00",
            "refund": "0.00",
            "reply_by": BY,
        },
        "change-payment": {"charge": "120.00", "payment_url": "https://pay.example/1", "pay_by": BY},
        "change-payment-reminder": {"charge": "120.00", "payment_url": "https://pay.example/1", "pay_by": BY},
        "change-done": {"how": "amended", "address": ADDRESS, "refund": "15.00"},
        "change-address-only": {"address": ADDRESS},
        "change-too-late": {"why": "refused", "lines_asked": True},
        "change-closed": {"why": "unpaid", "refund": "20.00"},
    },
    "late-dispatch": {
        "dispatch-blocked": BLOCK,
        "other-carrier-offer": {**BLOCK, "carrier": "FedEx", "compensation": "12.00", "reply_by": BY},
        "other-carrier-agreed": {"carrier": "FedEx"},
        "dispatch-compensation": {"compensation": "12.00"},
        "dispatch-cancelled": {"refund": "129.90"},
        "dispatch-resumed": {},
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
    "compensation": {
        "complaint-received": {"answer_by": BY},
        "compensation-offer": {"compensation": "24.00", "reply_by": BY},
        "compensation-offer-reminder": {"compensation": "24.00", "reply_by": BY},
        "compensation-paid": {"compensation": "24.00"},
        "three-guarantees": {"compensation": "24.00", "choose_by": BY},
        "three-guarantees-reminder": {"compensation": "24.00", "choose_by": BY},
        "compensation-of-loss": {"answer_by": BY},
        "compensation-closed": {"why": "silent"},
    },
    "dispute": {
        "dispute-solution": {"kind": "a_to_z", "refund": "129.90", "reply_by": BY},
        "dispute-solution-reminder": {"kind": "a_to_z", "refund": "129.90", "reply_by": BY},
        "dispute-withdraw-request": {"kind": "a_to_z", "claim_id": "CL-1", "refund": "129.90", "withdraw_by": BY},
        "dispute-withdraw-request-reminder": {
            "kind": "a_to_z",
            "claim_id": "CL-1",
            "refund": "129.90",
            "withdraw_by": BY,
        },
        "dispute-goes-on": {"kind": "a_to_z", "refund": "129.90"},
        "dispute-refunded": {"refund": "129.90"},
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
    "exchange": {
        "exchange-not-eligible": {
            "item": "Desk lamp",
            "reasons": ["late", "opened", "labels_off"],
            "window": "30d",
        },
        "exchange-refusal-stands": {"item": "Desk lamp"},
        "exchange-instructions": {
            "item": "Desk lamp",
            "wanted": "LAMP-02",
            "rma": "RMA-79",
            "freight": "shop",
            "label_url": "https://labels.example/RMA-79.pdf",
            "return_address": "",
            "ship_by": BY,
        },
        "exchange-instructions-reminder": {"item": "Desk lamp", "rma": "RMA-79", "ship_by": BY},
        "exchange-shipping": {
            "item": "Desk lamp",
            "rma": "RMA-79",
            "freight": "shop",
            "label_url": "https://labels.example/RMA-79.pdf",
        },
        "exchange-wish-noted": {"item": "Desk lamp", "wanted": "LAMP-02", "rma": "RMA-79"},
        "exchange-delayed": {"item": "Desk lamp", "wanted": "LAMP-02", "waits_until": BY},
        "pay-difference": {"item": "Desk lamp", "wanted": "LAMP-02", "amount": "20.00", **PAY},
        "pay-difference-reminder": {"item": "Desk lamp", "wanted": "LAMP-02", "amount": "20.00", **PAY},
        "exchange-sent": {"item": "Desk lamp", "wanted": "LAMP-02", "refund": "20.00", "freight": "7.50"},
        "exchange-refunded": {"item": "Desk lamp", "reason": "out_of_stock", "refund": "129.90"},
        "exchange-closed": {
            "item": "Desk lamp",
            "reason": "differs",
            **CHECKED,
            "tracking_number": "1Z999",
            "refund": "5.00",
        },
    },
    "repair": {
        "repair-not-covered": {"item": "Desk lamp", "why": "ended", "warranty_until": "2026-11-07"},
        "repair-instructions": {
            "item": "Desk lamp",
            "rma": "RMA-80",
            "freight": "shop",
            "label_url": "https://labels.example/RMA-80.pdf",
            "return_address": "",
            "ship_by": BY,
        },
        "repair-instructions-reminder": {"item": "Desk lamp", "rma": "RMA-80", "ship_by": BY},
        "repair-progress": {"item": "Desk lamp", "step": "received"},
        "repair-quote": {"item": "Desk lamp", "quote": "45.00", "reply_by": BY},
        "repair-quote-reminder": {"item": "Desk lamp", "quote": "45.00", "reply_by": BY},
        "repair-payment": {"item": "Desk lamp", "amount": "45.00", **PAY},
        "repair-payment-reminder": {"item": "Desk lamp", "amount": "45.00", **PAY},
        "repair-done": {"item": "Desk lamp", "tracking_number": "1Z999"},
        "repair-sent-back": {
            "item": "Desk lamp",
            "reason": "declined",
            "tracking_number": "1Z999",
            "refund": "5.00",
        },
        "repair-solution": {"item": "Desk lamp", "reason": "lost", "choose_by": BY},
        "repair-replaced": {"item": "Desk lamp", "refund": "5.00"},
        "repair-refunded": {"item": "Desk lamp", "refund": "129.90"},
        "repair-closed": {"item": "Desk lamp", "reason": "not_shipped"},
    },
    "fulfilment-check": {
        "address-question": {"missing": ["name", "postcode"], "reply_by": BY},
        "address-question-reminder": {"missing": ["street"], "reply_by": BY},
        "area-not-served": {"place": "Longyearbyen, 9170, NO", "reply_by": BY},
        "area-not-served-reminder": {"place": "Longyearbyen, 9170, NO", "reply_by": BY},
        "order-goes-on": {"dispatch_by": BY},
        "unsent-order-refunded": {"refund": "129.90"},
    },
    "expedite": {
        "dispatch-calm": {"promised_by": BY},
        "dispatch-late-sorry": {"promised_by": BY, "gift": True},
        "dispatch-update": {"until": BY, "waits": False},
        "out-of-stock-choice": {"out_of_stock": True, "until": BY, "default_choice": "wait", "reply_by": BY},
        "replacement-question": {"reply_by": BY},
        "replacement-agreed": {"refund": "9.00"},
        "delay-option": {"until": BY, "silence": "wait", "reply_by": BY},
        "dispatch-done": {
            "carrier": "ups",
            "tracking_number": "1Z999",
            "tracking_url": "https://track.example/1Z999",
        },
        "cancel-too-late": {},
        "late-order-refunded": {"refund": "129.90"},
    },
    "inquiry": {
        "acknowledgement": {"answer_by": BY},
        "answer-order-state": {
            "state": "sent",
            "sent_at": BY,
            "delivered_at": "",
            "carrier": "USPS",
            "tracking_number": "9400 1000",
            "tracking_url": "https://tracking.example/9400",
        },
        "answer-return-policy": {"until": BY, "window": "30d"},
        "answer-cancel": {"state": "delivered", "until": BY},
        "answer-thanks": {},
        "solved-question": {"confirm_by": BY},
        "inquiry-closed": {},
    },
    "large-order": {
        "bulk-too-few": {"units": 3, "least": 5, "goods_price": "360.00"},
        "bulk-details-question": {**DELIVERY, "packaging": "", "answer_by": BY},
        "bulk-details-question-reminder": {**DELIVERY, "answer_by": BY},
        "bulk-being-checked": {"units": 12, "answer_by": BY},
        "bulk-offer": {**BULK, "decided": "same", "reply_by": BY},
        "bulk-offer-reminder": {"units": 12, "bulk_discount": "144.00", "bulk_total": "1296.00", "reply_by": BY},
        "bulk-confirmed": BULK,
        "bulk-closed": {"why": "declined"},
    },
    "review-recovery": {
        "recovery-refund": {"refund": "19.90"},
        "recovery-offer": {"compensation": "25.98", "reply_by": BY},
        "recovery-offer-reminder": {"compensation": "25.98", "reply_by": BY},
        "recovery-being-checked": {"answer_by": BY},
        "recovery-paid": {"compensation": "25.98"},
        "recovery-declined": {},
        "recovery-closed": {"why": "disputed"},
    },
    "invoice": {
        "invoice-queued": {"issued_by": BY},
        "invoice-urgent": {"issued_by": BY},
        "invoice-details-question": {"title": "Reyes Lighting Ltd", "tax_id": "DE12345", "answer_by": BY},
        "invoice-details-question-reminder": {"title": "Reyes Lighting Ltd", "tax_id": "DE12345", "answer_by": BY},
        "invoice-sent": {"number": "INV-2026-17", "invoice_url": "", "late": True},
        "invoice-closed": {"why": "silent"},
    },
    "perk-request": {
        "perk-granted": {"perk": "free_shipping", "left": False, "refund": "9.90"},
        "perk-declined": {"perk": "gift", "why": "special_price", "reply_by": BY},
        "perk-closed": {"perk": "free_shipping", "why": "supervisor"},
    },
    "kpi-report": {
        "return-rate-warning": {
            "kind": "return_rate",
            "category": "shoes",
            "rate": "0.0412",
            "limit": "0.035",
            "count": 12,
            "of": 310,
            "loss": "412.00",
            "cost": "10000.00",
            "window": "30d",
            "reports": "reports/all-shops",
        },
        "variant-stopped": {
            "letter": "return-terms",
            "variant": "short",
            "rate": "0.08",
            "limit": "0.03",
            "count": 16,
            "of": 200,
            "reports": "reports/all-shops",
            "command": "./dev report --start-again return-terms.short",
        },
    },
}
VARIANTS = [
    (file.parent.name, key)
    for file in sorted(TEMPLATES.glob("*/en.yaml"))
    for key in re.findall(r"^([\w-]+\.[\w-]+):", file.read_text(), re.MULTILINE)
]
"""Process and key of each variant that is written in English; the others must have the same."""
LETTERS = [(process, letter) for process, letters in VALUES.items() for letter in letters] + VARIANTS
CHOICES = {
    "ask-return-reason": REASONS,
    "ask-return-reason-reminder": REASONS,
    "retention-offer": ("help", "exchange", "insist"),
    "return-not-eligible": ("accept", "insist"),
    "goodwill-offer": ("accept", "decline"),
    "area-not-served": ("other_address", "cancel"),
    "area-not-served-reminder": ("other_address", "cancel"),
    "out-of-stock-choice": ("wait", "replace", "cancel"),
    "delay-option": ("wait", "cancel"),
    "return-terms": ("accept", "insist"),
    "waive-restocking": ("accept", "insist"),
    "parcel-lost-choice": ("reship", "refund"),
    "parcel-found": ("keep", "send_back"),
    "keep-offer": ("accept", "decline"),
    "change-confirm": ("accept", "insist"),
    "other-carrier-offer": ("other_carrier", "compensation", "refund"),
    "exchange-not-eligible": ("accept", "decline"),
    "exchange-delayed": ("accept", "decline"),
    "pay-difference": ("accept", "decline"),
    "repair-quote": ("accept", "decline"),
    "repair-quote-reminder": ("accept", "decline"),
    "repair-solution": ("reship", "refund"),
    "compensation-offer": ("accept", "decline"),
    "dispute-solution": ("accept", "decline"),
    "three-guarantees": ("return", "exchange", "loss"),
    "bulk-details-question": ("together", "apart"),
    "bulk-details-question-reminder": ("together", "apart"),
    "bulk-offer": ("accept", "more", "change", "decline"),
    "bulk-offer-reminder": ("accept", "more", "change", "decline"),
    "recovery-offer": ("accept", "decline"),
    "recovery-offer-reminder": ("accept", "decline"),
    "solved-question": ("solved", "unsolved"),
    "perk-declined": ("accept", "insist"),
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
    letter, variant = parse_key(letter)
    return BOOK.render(
        letter,
        variant=variant,
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


class Language(NamedTuple):
    """How letters in a language must look.

    `pair` is an opening mark and its closing one, `marks` what no letter may hold: one that shouts, one of another
    language, or an accusation.
    """

    home: str
    abroad: str
    currency: str
    greeting: str
    nameless: str
    thanks: str
    pair: str
    marks: str


EMPTY = r"„“|“”|「」|«\s*»|（）|\(\)| [,.]|\.\.|，，|、、|。。|：。|、。|None"
"""What is left where a value was expected."""
LANGUAGES = {
    "en": Language(
        *("en-US", "en-US", "USD", "Hello Ada Reyes,\n\n", "Hello,\n\n", "hank", "“”"),
        marks=r"(?i)!|not a quality|no quality|your fault|you caused|not our fault|review",
    ),
    "zh": Language(
        *("zh-CN", "en-US", "CNY", "Ada Reyes，您好：\n\n", "尊敬的顾客，您好：\n\n", "感谢", "“”"),
        marks=r"[!！]|[\u4e00-\u9fff][,;?]|[,;?][\u4e00-\u9fff]"
        "|非质量|不是质量|您的原因|您的责任|评价|好评|赠品",
    ),
    "de": Language(
        *("de-DE", "de-BE", "EUR", "Guten Tag Ada Reyes,\n\n", "Guten Tag,\n\n", r"\b[dD]ank", "„“"),
        # A letter goes on in lower case behind the comma of its greeting.
        marks=r"[!\"']|\AGuten Tag[^\n]*\n\n[^a-zäöü]|Qualitätsmangel|Verschulden|Ihre Schuld|Bewertung",
    ),
    "fr": Language(
        *("fr-FR", "fr-BE", "EUR", "Bonjour Ada Reyes,\n\n", "Bonjour,\n\n", r"\b[mM]erci\b", "«»"),
        marks=r"[!\"'“”]|[ \n][;:?»]|«[ \n]|[^\W\d][;:?»]|«\w|votre faute|défaut de qualité",
    ),
    "es": Language(
        *("es-ES", "es-CO", "EUR", "Hola, Ada Reyes:\n\n", "Hola:\n\n", r"\b[gG]racias\b", "¿?"),
        marks=r"[!¡！]|\b(tú|tu|tus|te|vosotros|vuestro)\b|\bculpa\b|reseña",
    ),
    "ja": Language(
        *("ja-JP", "ja-US", "JPY", "Ada Reyes様\n\n", "お客様へ\n\n", "ありがとうございま", "「」"),
        marks=r"[!¡！]|[\u3040-\u9fff][,;?:]|[\u3040-\u9fff、。] +[\u3040-\u9fff「]|レビュー|過失",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_cancels_too_late_for_a_return_is_offered_none(language: str) -> None:
    late, early = (
        render("inquiry", "answer-cancel", language, values={"state": "delivered", "until": until}).text
        for until in ("", BY)
    )
    assert late.count("\n\n") == early.count("\n\n") - 1


every_language = pytest.mark.parametrize("language", LANGUAGES)
OPTIONAL = {"tracking_number", "tracking_url", "last_scan_at", "last_scan_place", "last_scan_text", "label_url"} | {
    *("reference", "received", "handed_over_at", "findings", "photos", "payment_url", "claim_id")
}


def full_and_bare(process: str, letter: str, language: str) -> Iterator[tuple[Rendered, str]]:
    """A letter with all its values, and abroad without what it can do without; each with its greeting."""
    form = LANGUAGES[language]
    values = VALUES[process][parse_key(letter)[0]]
    gone = {name: [] if isinstance(values[name], list) else "" for name in OPTIONAL & values.keys()}
    yield render(process, letter, language, form.home, form.currency), form.greeting
    bare = {"customer_name": "", **gone}
    yield render(process, letter, language, form.abroad, form.currency, bare), form.nameless


def width(line: str) -> int:
    """The columns that a line takes."""
    return len(line) + len(re.findall(r"[\u3000-\u9fff\uff00-\uff60\uffe5]", line))


def test_every_letter_is_there_in_every_language_with_the_variables_of_its_process() -> None:
    declared = {
        process: {letter: frozenset(values) for letter, values in letters.items()}
        for process, letters in VALUES.items()
    }
    assert BOOK.check(declared, [*LANGUAGES]) == []


@every_language
def test_the_short_terms_say_the_same_in_fewer_words(language: str) -> None:
    letters = read_letters(TEMPLATES / "return-escalation" / f"{language}.yaml").letters
    long, short = letters["return-terms"], letters["return-terms.short"]
    assert {name for name, _ in short.uses()} == {name for name, _ in long.uses()}
    lengths = [sum(len(text.words) for part in letter.parts for text in texts(part)) for letter in (long, short)]
    assert lengths[1] < 0.6 * lengths[0], lengths


@every_language
@pytest.mark.parametrize("process", VALUES)
def test_letters_are_written_by_the_rules(process: str, language: str) -> None:
    form = LANGUAGES[language]
    for letter in (letter for owner, letter in LETTERS if owner == process):
        for written, greeting in full_and_bare(process, letter, language):
            ours = re.sub(r"https?://\S+|\./dev(?= )", "", written.text)
            assert written.language == language
            assert written.variant == parse_key(letter)[1]
            assert written.choices == CHOICES.get(parse_key(letter)[0], ())
            assert all(f"\n{number}. " in ours for number in range(1, len(written.choices) + 1)), ours
            assert ours.startswith(greeting), ours
            assert max(map(width, ours.splitlines())) <= 72, ours
            assert re.search(form.thanks, ours.replace("\n", "") if language == "ja" else ours), ours
            assert not re.search(EMPTY, ours), ours
            assert not re.search(form.marks, ours), ours
            assert ours.count(form.pair[0]) == ours.count(form.pair[1]), ours


@pytest.mark.parametrize(
    ("process", "letter", "name", "options"),
    [
        ("shipment-watch", "parcel-stuck", "kind", "silent stuck customs refused damaged bad_address"),
        ("shipment-watch", "parcel-stuck", "kind", "not_delivered disputed"),
        ("shipment-watch", "parcel-lost-choice", "kind", "silent disputed damaged"),
        ("shipment-watch", "parcel-lost-choice", "default_choice", "reship refund"),
        ("shipment-watch", "parcel-found", "remedy", "reshipped refunded"),
        ("compensation", "compensation-closed", "why", "silent cancelled"),
        ("invoice", "invoice-closed", "why", "silent cancelled"),
        ("perk-request", "perk-granted", "perk", "gift free_shipping"),
        ("perk-request", "perk-declined", "why", "special_price left free_already too_small given_before"),
        ("perk-request", "perk-closed", "why", "accepted cancelled supervisor"),
        ("compensation", "three-guarantees", "compensation", "0 24.00"),
        ("dispute", "dispute-solution", "kind", "a_to_z chargeback platform_complaint"),
        ("dispute", "dispute-solution-reminder", "kind", "a_to_z chargeback"),
        ("dispute", "dispute-withdraw-request", "kind", "a_to_z chargeback platform_complaint"),
        ("dispute", "dispute-withdraw-request", "refund", "0 129.90"),
        ("dispute", "dispute-withdraw-request-reminder", "kind", "a_to_z chargeback platform_complaint"),
        ("dispute", "dispute-withdraw-request-reminder", "refund", "0 129.90"),
        ("dispute", "dispute-goes-on", "kind", "a_to_z chargeback"),
        ("dispute", "dispute-goes-on", "refund", "0 129.90"),
        ("dispute", "dispute-refunded", "refund", "0 129.90"),
        ("large-order", "bulk-offer", "decided", "none more same"),
        ("large-order", "bulk-offer", "packaging", "together apart"),
        ("large-order", "bulk-confirmed", "packaging", "together apart"),
        ("large-order", "bulk-details-question", "packaging", "none together apart"),
        ("large-order", "bulk-closed", "why", "cancelled declined"),
        ("review-recovery", "recovery-closed", "why", "cancelled disputed"),
        ("order-change", "change-done", "how", "amended redirected reshipped"),
        ("order-change", "change-too-late", "why", "delivered refused silent"),
        (
            *("order-change", "change-closed", "why"),
            "cancelled unanswered unpaid unpaid_reshipped restored refunded impossible",
        ),
        ("return-parcel", "inspection-differs", "solution", "full partial send_back"),
        ("return-request", "ask-return-evidence", "reason", "defective damaged not_as_described missing_part"),
        (
            *("return-request", "return-fault-not-confirmed", "reason"),
            "defective damaged not_as_described missing_part too_late",
        ),
        ("return-parcel", "return-instructions", "freight_paid_by", "shop customer"),
        ("exchange", "exchange-instructions", "freight", "shop customer open"),
        ("exchange", "exchange-shipping", "freight", "shop customer"),
        ("exchange", "exchange-refunded", "reason", "out_of_stock lost cancelled"),
        ("exchange", "exchange-closed", "reason", "not_shipped cancelled kept unpaid differs as_it_came"),
        ("repair", "repair-not-covered", "why", "ended none centre"),
        ("repair", "repair-progress", "step", "received diagnosed repairing waiting_for_parts testing repaired"),
        ("repair", "repair-sent-back", "reason", "declined unpaid not_repairable send_back"),
        ("repair", "repair-solution", "reason", "lost not_repairable"),
        ("repair", "repair-closed", "reason", "not_shipped cancelled lost"),
        ("kpi-report", "return-rate-warning", "kind", "return_rate non_quality"),
        ("kpi-report", "return-rate-warning", "shop", " lumen"),
    ],
)
def test_letter_says_something_of_its_own_for_each(process: str, letter: str, name: str, options: str) -> None:
    for language in LANGUAGES:
        texts = {render(process, letter, language, values={name: option}).text for option in options.split()}
        assert len(texts) == len(options.split()), language


def test_lost_and_silent_parcels_are_explained_alike() -> None:
    texts = {render("shipment-watch", "parcel-lost-choice", values={"kind": kind}).text for kind in ("silent", "lost")}
    assert len(texts) == 1


@every_language
@pytest.mark.parametrize("letter", VALUES["kpi-report"])
def test_a_letter_to_staff_has_nothing_of_an_order(letter: str, language: str) -> None:
    values = {"customer_name": "Ada Reyes", "shop": "", **VALUES["kpi-report"][letter]}
    written = BOOK.render(
        letter,
        process="kpi-report",
        language=language,
        fallback=["en"],
        locale=language,
        currency="USD",
        values=values,
    )
    assert written.text.startswith(LANGUAGES[language].greeting)
    assert "-" * 24 not in written.text
    assert '<p class="soft"' not in written.html
    assert not re.search(EMPTY, written.text.replace("./dev", "dev"))
    with_order = render("kpi-report", letter, language).text
    assert len(with_order.split("\n\n")) == len(written.text.split("\n\n")) + 3


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
    language=st.sampled_from(["en", "zh", "zh-Hant-TW", "de-AT", "fr", "es", "ja"]),
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
    known = VALUES[process][parse_key(letter)[0]]
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
    used = {key: value for key, value in texts.items() if key in COMMON or key in known}
    for address in ("tracking_url", "label_url"):
        if address in known:
            used[address] = url
    written = render(process, letter, language, values=used)
    tame = {key: known.get(key, "x") for key in used if key not in COMMON}
    plain = render(process, letter, language, values=tame)
    assert written.subject.isprintable() or not re.search(r"[\x00-\x1f\x7f\u2028\u2029]", written.subject)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", written.text)
    assert set(Tags(written.html).tags) <= {*Tags(plain.html).tags, "br"}
    assert all(re.match(r"https?://", link or "") for link in Tags(written.html).links)
    json.dumps(written.model_dump(), ensure_ascii=False).encode()
