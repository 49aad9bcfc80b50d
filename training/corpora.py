"""The messages that the classifier learns from and is measured on, each with its intent, language and part.

Sentences of the corpora are read where they lie, beside the checkout; only messages of our own are in the repository.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from zlib import crc32

from adapters.settings import ROOT
from aftersales.triage import Intent
from aftersales.triage_features import plain
from aftersales.yamlfile import load_yaml

DATA = ROOT.parent / "shared" / "data"
"""The folder of corpora, which is not part of the repository."""
MESSAGES = Path(__file__).with_name("messages")
CALIBRATION = Path(__file__).with_name("calibration")
HELD_OUT = Path(__file__).with_name("held_out")
"""Messages of our own, one file a language: to learn from, to calibrate on, and those that are only measured on."""

Part = Literal["train", "calibrate", "test"]
_NEAR = 0.65
"""Share of three-letter parts in common from which two sentences are the same template."""

BITEXT: dict[str, Intent] = {
    "cancel_order": "cancel",
    "check_cancellation_fee": "cancel",
    "change_order": "change",
    "change_shipping_address": "change",
    "set_up_shipping_address": "change",
    "check_invoice": "invoice",
    "get_invoice": "invoice",
    "complaint": "complaint",
    "delivery_options": "pre_sale",
    "place_order": "pre_sale",
    "delivery_period": "where_is_my_order",
    "track_order": "where_is_my_order",
    "get_refund": "return",
    "track_refund": "return",
    "check_refund_policy": "return",
}
"""What a shop has a process for; the others are about accounts, payment methods, reviews, newsletters and staff."""
CLINC: dict[str, Intent] = {"order_status": "where_is_my_order", "thank_you": "thanks"}
CLINC_LEFT_OUT = frozenset({"cancel", "order", "goodbye"})
"""Said to a speaking assistant, where they mean something else than in a message to a shop."""
BANKING: dict[str, Intent] = {
    "request_refund": "return",
    "Refund_not_showing_up": "return",
    "card_arrival": "where_is_my_order",
}
"""Of a bank's customers those who ask what a shop's customers ask; everything else is `other`."""
BANKING_LEFT_OUT = frozenset({"card_delivery_estimate", "cancel_transfer", "transfer_not_received_by_recipient"})
FRENCH: dict[str, Intent] = {
    "CancelOrder": "cancel",
    "DamagedPackage": "damaged",
    "DeliveryNews": "where_is_my_order",
    "DeliveryCost": "pre_sale",
    "ProductAvailable": "pre_sale",
    "ProductTarget": "pre_sale",
    "MissingItem": "wrong_item",
    "Goodbye": "thanks",
}


class Labelled(NamedTuple):
    """One message, what it is about, where it is from, and what it is used for."""

    text: str
    intent: Intent
    language: str
    corpus: str
    part: Part
    label: str = ""
    """The intent's name in the corpus."""


@cache
def bitext() -> tuple[Labelled, ...]:
    """English support messages (CDLA-Sharing 1.0); paraphrases of one template are in one part."""
    rows = _rows("bitext-customer-support/utterances.csv", "utterance")
    return _in_parts(rows, "bitext", {label: BITEXT.get(label, "other") for _, label in rows})


@cache
def clinc() -> tuple[Labelled, ...]:
    """English small talk and out-of-scope messages (CC BY 3.0)."""
    rows = _rows("clinc150-smalltalk-and-out-of-scope/messages.csv", "text")
    rows = [row for row in rows if row[1] not in CLINC_LEFT_OUT]
    return _in_parts(rows, "clinc", {label: CLINC.get(label, "other") for _, label in rows})


def banking() -> list[Labelled]:
    """English messages to a bank (CC BY 4.0), never learnt from."""
    rows = _rows("banking77-payment-messages/messages.csv", "text")
    return [
        Labelled(text, BANKING.get(label, "other"), "en", "banking77", "test", label)
        for text, label in rows
        if label not in BANKING_LEFT_OUT
    ]


def french_chat() -> list[Labelled]:
    """French messages of a perfume shop (for testing only), never learnt from."""
    rows = _rows("fr-shop-chat/messages.csv", "text")
    return [
        Labelled(text, FRENCH[label], "fr", "fr-shop-chat", "test", label) for text, label in rows if label in FRENCH
    ]


def own() -> list[Labelled]:
    """Messages of our own in six languages."""
    return [
        *_written(MESSAGES, "own", "train"),
        *_written(CALIBRATION, "own", "calibrate"),
        *_written(HELD_OUT, "own", "test"),
    ]


def present() -> bool:
    """Whether the corpora lie beside this checkout."""
    return DATA.is_dir()


def _written(folder: Path, corpus: str, part: Part) -> Iterator[Labelled]:
    for path in sorted(folder.glob("*.yaml")):
        written = load_yaml(path).data
        for intent in get_args(Intent):
            for text in written.get(intent, ()):
                yield Labelled(text, intent, path.stem, corpus, part)


def _rows(name: str, column: str) -> list[tuple[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [(row[column], row["intent"]) for row in csv.DictReader(file)]


def _in_parts(rows: list[tuple[str, str]], corpus: str, intents: dict[str, Intent]) -> tuple[Labelled, ...]:
    by_label: dict[str, list[str]] = {}
    for text, label in rows:
        by_label.setdefault(label, []).append(text)
    return tuple(
        Labelled(text, intents[label], "en", corpus, _part(template), label)
        for label, texts in sorted(by_label.items())
        for text, template in zip(texts, _templates(texts), strict=True)
    )


def _part(template: str) -> Part:
    """60 % learn, 15 % calibrate, 25 % test, by the template's own words: a new sentence moves no other."""
    place = crc32(template.encode()) % 20
    return "train" if place < 12 else "calibrate" if place < 15 else "test"


def _templates(texts: list[str]) -> list[str]:
    """For each sentence the first one of those that are connected with it by near repeats."""
    shapes = [_shape(text) for text in texts]
    first = list(range(len(texts)))

    def root(at: int) -> int:
        while first[at] != at:
            at = first[at]
        return at

    for one in range(len(texts)):
        for other in range(one):
            common = len(shapes[one] & shapes[other])
            if common and common >= _NEAR * len(shapes[one] | shapes[other]):
                roots = sorted((root(one), root(other)))
                first[roots[1]] = roots[0]
    return [plain(texts[root(at)]) for at in range(len(texts))]


def _shape(text: str) -> frozenset[str]:
    bare = re.sub(r"\s+", " ", plain(text))
    return frozenset(bare[at : at + 3] for at in range(len(bare) - 2))
