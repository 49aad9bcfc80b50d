"""What messages are about: floors of the embedded classifier, what messages name, and what makes them urgent."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from adapters.triage import EmbeddedClassifier
from aftersales.inquiries import Inquiries
from aftersales.triage_entities import entities_in
from aftersales.triage_model import embedded, interpolated
from benchmarks import triage as figures
from benchmarks.triage import Read, calibration_error, score
from tests.effort import effort
from training import corpora
from training.corpora import Labelled
from training.fit import calibrated, fit

THRESHOLD = float(Inquiries().confidence)
LANGUAGES = ("en", "zh", "de", "fr", "es", "ja")


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_that_it_never_saw_are_read_in_every_language(language: str) -> None:
    messages = [m for m in corpora.own() if m.part == "test" and m.language == language]
    reads = [Read(m, read.intent, read.confidence) for m in messages for read in [embedded().read(m.text)]]
    found = score(reads)
    assert len({m.intent for m in messages}) == 14
    assert found.accuracy >= 0.6
    assert found.answered >= 0.4
    assert found.right_of_answered >= 0.72


@pytest.mark.skipif(not corpora.present(), reason="shared/data does not lie beside this checkout")
def test_the_corpora_are_read_as_promised() -> None:
    measured = figures.measure()
    both = measured.scores["bitext and clinc"]
    assert both.answered >= 0.90
    assert both.right_of_answered >= 0.95
    assert both.calibration_error <= 0.08
    assert measured.refused is not None
    assert measured.refused >= 0.80


@pytest.mark.skipif(not corpora.present(), reason="shared/data does not lie beside this checkout")
def test_no_sentence_is_in_two_parts() -> None:
    parts: dict[str, set[str]] = {}
    for message in (*corpora.bitext(), *corpora.clinc()):
        parts.setdefault(f"{message.label} {message.text.lower()}", set()).add(message.part)
    assert all(len(seen) == 1 for seen in parts.values())
    assert Counter(part for seen in parts.values() for part in seen)["test"] > 1500


def test_messages_that_are_measured_are_not_learnt_from() -> None:
    parts: dict[str, set[str]] = {}
    for message in corpora.own():
        parts.setdefault(message.text.casefold(), set()).add(message.part)
    assert [text for text, seen in parts.items() if "test" in seen and len(seen) > 1] == []


def test_there_are_enough_messages_for_every_intent_and_language() -> None:
    counted = Counter((m.language, m.intent) for m in corpora.own() if m.part == "train")
    assert len(counted) == 14 * len(LANGUAGES)
    assert min(counted.values()) >= 25


async def test_the_port_is_answered_with_all_that_a_message_says() -> None:
    read = await EmbeddedClassifier().classify(
        "WHERE IS MY ORDER A-10293? I paid $49.90 and UPS says 1Z999AA10123456784 is unknown. It is urgent!",
        threshold=THRESHOLD,
    )
    assert (read.intent, read.abstained, read.language) == ("where_is_my_order", False, "en")
    assert (read.urgent, read.angry) == (True, True)
    assert read.entities.order_ids == ("A-10293",)
    assert read.entities.tracking_numbers == ("1Z999AA10123456784",)
    assert read.entities.amounts == ("$49.90",)


def test_what_it_is_not_sure_of_it_leaves_to_a_person() -> None:
    read = EmbeddedClassifier().read("the thing with the stuff, you know", threshold=0.999)
    assert read.abstained
    assert 0 <= read.confidence < 0.999


@pytest.mark.parametrize("text", ["", "\n", "> quoted"])
def test_who_says_nothing_is_not_understood(text: str) -> None:
    assert EmbeddedClassifier().read(text, threshold=0.1).abstained


@pytest.mark.parametrize(
    "text", ["", " \n\t ", "\x00\ud800", "?" * 1_000_000, "取消" * 300_000, "a " * 500_000, "9" * 99_999]
)
def test_any_text_is_read(text: str) -> None:
    classifier = EmbeddedClassifier()
    assert 0 <= classifier.read(text, threshold=THRESHOLD, language="xx").confidence <= 1
    assert effort(lambda: classifier.read(text, threshold=THRESHOLD, language="xx")) < 500


def test_a_message_takes_little_time() -> None:
    classifier = EmbeddedClassifier()
    messages = [m.text for m in corpora.own() if m.part == "test"]
    assert effort(lambda: [classifier.read(text, threshold=THRESHOLD) for text in messages]) < 2 * len(messages)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my parcel?", "en"),
        ("Wo ist mein Paket?", "de"),
        ("Où est mon colis ?", "fr"),
        ("¿Dónde está mi paquete?", "es"),
        ("我的包裹在哪", "zh"),
        ("荷物はどこですか", "ja"),
        ("Dov'è il mio ordine? Non è ancora arrivato", "it"),
        ("Waar is mijn bestelling? Ik heb niet ontvangen", "nl"),
        ("내 주문은 어디에 있나요", "ko"),
        ("Где мой заказ?", "ru"),
        ("I ordered the 青花 vase last week and it has not arrived", "en"),
        ("12345", ""),
    ],
)
def test_the_language_of_a_message(text: str, language: str) -> None:
    assert EmbeddedClassifier().read(text, threshold=0.5).language == language


def test_where_words_do_not_tell_the_language_the_sender_does() -> None:
    assert EmbeddedClassifier().read("12345", threshold=0.5, language="de-AT").language == "de"


@pytest.mark.parametrize(
    "text",
    [
        "I need this ASAP",
        "dringend, bitte sofort melden",
        "c'est urgent, répondez au plus vite",
        "es urgente, cuanto antes por favor",
        "急用，请尽快处理",
        "至急お願いします",
    ],
)
def test_urgency_in_six_languages(text: str) -> None:
    assert EmbeddedClassifier().read(text, threshold=0.5).urgent


@pytest.mark.parametrize(
    "text", ["Where is my parcel?", "Ich habe Zeit", "merci beaucoup", "不着急，慢慢来也行", "急がないです"]
)
def test_what_is_not_urgent(text: str) -> None:
    assert not EmbeddedClassifier().read(text, threshold=0.5).urgent


@pytest.mark.parametrize(
    ("text", "orders", "tracking", "amounts"),
    [
        ("order #55821 please", ("55821",), (), ()),
        ("Bestellung Nr. 2023-11-877 vom 14. November", ("2023-11-877",), (), ()),
        ("订单55821到哪了，单号SF1234567890123", ("55821",), ("SF1234567890123",), ()),
        ("注文番号55821の荷物", ("55821",), (), ()),
        ("55821の注文はまだですか", ("55821",), (), ()),
        ("订单号 20231120-88", ("20231120-88",), (), ()),
        ("commande 00123842, suivi RX123456785CN", ("00123842",), ("RX123456785CN",), ()),
        ("tracking number 123456789012", (), ("123456789012",), ()),
        ("order 123456789012", ("123456789012",), (), ()),
        ("invoice #12588 and phone 0176 5551234", (), (), ()),
        ("it has a wrong check digit: RX123456789CN", (), ("RX123456789CN",), ()),
        ("my order RX123456789CN", ("RX123456789CN",), (), ()),
        ("1Z 999 AA1 01 2345 6784", (), ("1Z 999 AA1 01 2345 6784",), ()),
        (
            "I paid $160, that is 140,50 € or 1200元, for 2 chairs 140x200 on 2023-11-12",
            (),
            (),
            ("$160", "140,50 €", "1200元"),
        ),
        ("10115 Berlin", (), (), ()),
    ],
)
def test_what_messages_name(
    text: str, orders: tuple[str, ...], tracking: tuple[str, ...], amounts: tuple[str, ...]
) -> None:
    found = entities_in(text)
    assert (found.order_ids, found.tracking_numbers, found.amounts) == (orders, tracking, amounts)


def test_the_shape_of_a_shops_own_ids_is_known() -> None:
    assert entities_in("about KX/77, thanks").order_ids == ()
    assert entities_in("about KX/77, thanks", re.compile(r"\bKX/\d+")).order_ids == ("KX/77",)


def test_the_same_messages_give_the_same_bytes() -> None:
    few = [
        Labelled("cancel it", "cancel", "en", "own", "train"),
        Labelled("cancel order", "cancel", "en", "own", "train"),
        Labelled("an invoice", "invoice", "en", "own", "train"),
    ]
    once, again = (
        fit(few, {"cancel": ["cancel*"]}).as_bytes({"en": [(0.0, 0.0)], "other": [(0.0, 0.0)]}) for _ in "12"
    )
    assert once == again


def test_calibration_tells_how_often_an_answer_was_right() -> None:
    seen = [("own", 0.9, at % 2 == 0) for at in range(600)] + [("own", 0.2, at % 10 == 0) for at in range(600)]
    points = calibrated(seen)
    assert points == sorted(points)
    assert interpolated(points, 0.9) == pytest.approx(0.5, abs=0.05)
    assert interpolated(points, 0.2) == pytest.approx(0.1, abs=0.05)
    assert interpolated(points, 1.0) < 0.6


def test_the_calibration_error_is_the_distance_between_confidence_and_accuracy() -> None:
    message = Labelled("", "cancel", "en", "own", "test")
    assert calibration_error([Read(message, "cancel", 0.9), Read(message, "invoice", 0.9)]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Era para ser entregue dia 19-07, hoje dia 28-07, não chegou ainda o produto!!! Decepcionada!!!", ""),
        ("Non è ancora arrivato il mio pacco, dove si trova?", ""),
        ("Ik heb mijn bestelling nog niet ontvangen, waar is het pakket?", ""),
        ("Cancelei o pedido.", "pt-BR"),
        ("Cancela la compra.", "it"),
    ],
)
def test_a_language_that_was_not_learnt_is_left_to_a_person(text: str, hint: str) -> None:
    assert EmbeddedClassifier().read(text, threshold=0.0, language=hint).abstained


@pytest.mark.parametrize(
    ("text", "hint"), [("Where is my order?", "pt"), ("我的包裹在哪里？", "it"), ("Thanks!", "en")]
)
def test_what_was_learnt_is_understood_of_any_sender(text: str, hint: str) -> None:
    assert not EmbeddedClassifier().read(text, threshold=0.0, language=hint).abstained
