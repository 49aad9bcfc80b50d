"""Variants of letters: what files and policies must say of them, and how one is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import Settings
from adapters.shops import ShopSettings
from aftersales.faults import BadFile
from aftersales.letters import LetterBook
from aftersales.policies import Policies
from aftersales.policy import load_policy, places
from tests.unit.test_letters import DECLARED, OFFER, VALUES, found, write
from worker import load_letters

KNOWN = Settings()
POLICY = load_policy(KNOWN.policy, KNOWN.law)
SHORT = OFFER.replace("offer:", "offer.short:").replace('    - "Until {{ by | date }}."\n', "")


def test_a_variant_that_agrees_with_its_letter_has_no_problem_and_may_use_less(tmp_path: Path) -> None:
    assert found(write(tmp_path, sales_en=OFFER + SHORT)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("offer.short", "ofer.short", "9: ofer.short: no process sends ofer; did you mean offer?"),
        ("offer.short", "offer.Short", "9: offer.Short: is no name of a variant; write <letter>.<variant>"),
        ("offer.short", "offer.base", "9: offer.base: is no name of a variant; write <letter>.<variant>"),
        ("sum | money", "summ | money", "12: offer.short: uses summ, which is not declared for it; did you mean sum?"),
        (
            "take: ",
            "grab: ",
            "14: offer.short: offers grab, leave, but offer offers take, leave; the numbers must mean",
        ),
        ("You get", "Leave us a review, get", "12: offer.short: it asks for a review"),
    ],
)
def test_what_is_wrong_with_a_variant_is_found_at_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    problems = found(write(tmp_path, sales_en=OFFER + SHORT.replace(old, new)))
    assert [problem[: len("sales/en.yaml:") + len(told)] for problem in problems] == [f"sales/en.yaml:{told}"]


def test_choices_of_a_variant_in_another_order_are_a_problem(tmp_path: Path) -> None:
    turned = SHORT.replace("take: ", "x: ").replace("leave: ", "take: ").replace("x: ", "leave: ")
    (problem,) = found(write(tmp_path, sales_en=OFFER + turned))
    assert problem.startswith("sales/en.yaml:14: offer.short: offers leave, take, but offer offers take, leave")


def test_a_variant_without_its_letter_is_a_problem(tmp_path: Path) -> None:
    problems = found(write(tmp_path, sales_en=SHORT))
    assert "sales/en.yaml:1: offer.short: there is no offer of which it is a variant; write offer too" in problems


def test_a_variant_must_say_what_the_law_asks_of_its_letter(tmp_path: Path) -> None:
    declared = {"sales": {"delay-option": frozenset({"sum", "by"})}}
    says = OFFER.replace("offer:", "delay-option:").replace("You get", "Cancel, and get a prompt\n      refund:")
    german = says.replace("Cancel, and get a prompt\n      refund:", "Stornieren Sie, wir erstatten")
    silent = SHORT.replace("offer.short:", "delay-option.short:")
    folder = write(tmp_path, sales_en=says + silent, sales_de=german)
    assert found(folder, declared, policies=[POLICY]) == [
        "sales/en.yaml:10: delay-option.short: must say “cancel”: 16 CFR 435.2",
        "sales/en.yaml:10: delay-option.short: must say “prompt refund”: 16 CFR 435.2",
    ]


def lacking(tmp_path: Path, book: LetterBook, variants: str, languages: str = "en, de") -> list[str]:
    """What is wrong with the variants of a policy, each with the file's name and line."""
    path = tmp_path / "shop.yaml"
    letters = f"letters:\n  languages: [{languages}]\n  variants:\n    {variants}\n"
    path.write_text(f"extends: {KNOWN.policy}\nchannels: {{channel_rules: {{}}}}\n{letters}")
    faults = book.check_variants(DECLARED, load_policy(path, KNOWN.law), places(path))
    return [fault.text(path).replace(f"{tmp_path}/", "") for fault in faults]


def test_a_variant_that_a_policy_tries_is_written_in_each_of_its_languages(tmp_path: Path) -> None:
    shares = "offer: {base: 50 %, short: 50 %}"
    written = write(tmp_path, sales_en=OFFER + SHORT)
    assert lacking(tmp_path, LetterBook.load(written), shares) == [
        "shop.yaml:6: letters.variants.offer.short: is not written in de; "
        "write offer.short beside offer in sales/de.yaml, or take it out"
    ]
    written = write(tmp_path, sales_en=OFFER + SHORT, sales_de=OFFER + SHORT)
    assert lacking(tmp_path, LetterBook.load(written), shares) == []


def test_a_policy_that_tries_variants_of_a_letter_that_nobody_sends_is_told(tmp_path: Path) -> None:
    assert lacking(tmp_path, LetterBook.load(write(tmp_path)), "ofer: {base: 100 %}") == [
        "shop.yaml:6: letters.variants.ofer: no process sends this letter; did you mean offer?"
    ]


def shops_own(tmp_path: Path, text: str) -> LetterBook:
    """The letters of a shop that has its own English ones over those for all, which have the variant in English."""
    below, over = tmp_path / "all", tmp_path / "own"
    below.mkdir()
    (over / "sales").mkdir(parents=True)
    (over / "sales" / "en.yaml").write_text(text)
    return LetterBook.load(write(below, sales_en=OFFER + SHORT)).with_over(over)


def test_a_shop_that_writes_a_letter_itself_writes_its_variants_too(tmp_path: Path) -> None:
    book = shops_own(tmp_path, OFFER.replace("You get", "We give you"))
    assert "We give you" in write_offer(book, "short")[1]
    assert lacking(tmp_path, book, "offer: {base: 50 %, short: 50 %}", "en") == [
        "shop.yaml:6: letters.variants.offer.short: is not written in en; "
        "write offer.short beside offer in own/sales/en.yaml, or take it out"
    ]


def test_a_shop_may_have_a_variant_of_its_own_of_a_letter_for_all(tmp_path: Path) -> None:
    book = shops_own(tmp_path, SHORT.replace("You get", "Yours:"))
    assert write_offer(book, "short")[0] == "short"
    assert "Yours: $5.00" in write_offer(book, "short")[1]
    assert "You get $5.00" in write_offer(book, "")[1]


def write_offer(book: LetterBook, variant: str, language: str = "en") -> tuple[str, str]:
    """Which variant is written, and its text."""
    arguments: Any = {
        "process": "sales",
        "language": language,
        "fallback": ["en"],
        "locale": "en-US",
        "currency": "USD",
    }
    rendered = book.render("offer", variant=variant, **arguments, values=VALUES)
    return rendered.variant, rendered.text


def test_the_letter_itself_goes_out_where_its_language_has_no_such_variant(tmp_path: Path) -> None:
    book = LetterBook.load(write(tmp_path, sales_en=OFFER + SHORT.replace("You get", "Yours:")))
    assert "Yours: $5.00" in write_offer(book, "short")[1]
    assert write_offer(book, "short")[0] == "short"
    assert write_offer(book, "short", "de") == write_offer(book, "", "de")
    assert write_offer(book, "warm") == write_offer(book, "")
    assert write_offer(book, "short", "fr")[0] == "short"


def test_a_variant_has_a_version_of_its_own(tmp_path: Path) -> None:
    def versions(text: str) -> Sequence[str]:
        book = LetterBook.load(write(tmp_path, sales_en=text))
        arguments: Any = {"process": "sales", "language": "en", "fallback": [], "locale": "en", "currency": "USD"}
        return [book.render("offer", variant=name, **arguments, values=VALUES).version for name in ("", "short")]

    letter, variant = versions(OFFER + SHORT)
    assert letter != variant
    assert versions(OFFER.replace("You", "Thou") + SHORT)[1] == variant
    letter_then, variant_then = versions(OFFER + SHORT.replace("You", "Thou"))
    assert letter_then == letter
    assert variant_then != variant


def test_a_worker_does_not_begin_with_a_shop_whose_variant_nobody_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, own = tmp_path / "all.yaml", tmp_path / "own.yaml"
    every.write_text(f"extends: {KNOWN.policy}\nletters: {{languages: [en, de]}}\nchannels: {{channel_rules: {{}}}}\n")
    own.write_text("extends: all.yaml\nletters: {variants: {offer: {base: 50 %, short: 50 %}}}\n")
    monkeypatch.setattr("worker.LETTERS", DECLARED)
    policies = Policies(load_policy(every, KNOWN.law), {"lamps": load_policy(own, KNOWN.law)})
    known = {"policy": every, "shops": {"lamps": ShopSettings(policy=own)}, "templates": write(tmp_path)}
    with pytest.raises(BadFile) as bad:
        load_letters(KNOWN.model_copy(update=known), policies)
    (fault,) = bad.value.faults
    assert fault.text(tmp_path).startswith(f"{own}:2: letters.variants.offer.short: is not written in en, de; write ")
    load_letters(
        KNOWN.model_copy(
            update={**known, "templates": write(tmp_path, sales_en=OFFER + SHORT, sales_de=OFFER + SHORT)}
        ),
        policies,
    )
