"""Rule 12: no letter asks for a review, for a change of one, or offers anything for it (US 16 CFR 465, platform rules).

It holds of every word of every template, also of those branches that no story takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aftersales.yamlfile import load_yaml

TEMPLATES = Path(__file__).parents[2] / "templates"
FORBIDDEN = {
    "en": r"\breviews?\b|\breviewed\b|\brat(e|ed|ing|ings)\b|\bstars?\b|\bfeedback\b|\btestimonials?\b|cash ?back"
    r"|\b(positive|negative|public|online) (comment|opinion|post)|\brecommend us\b|\bpost (about|your)\b",
    "zh": r"评价|好评|差评|中评|追评|评论|评分|打分|[五5]星|星级|晒单|晒图|返现|反馈给平台",
    "de": r"bewert|rezension|\bstern|sternchen|\bfeedback\b|cashback|öffentliche meinung|weiterempfehl",
    "fr": r"\b(laiss|donn|publi|post|rédig|modifi|supprim|retir|chang|écri)\w* (un|votre|cet|l)[ ’'](bon )?avis"
    r"|\b(votre|vos|un|des) (avis|commentaires?) (positif|négatif|en ligne|client|public)|avis client"
    r"|évaluations?\b|\bnot(er|ation)\b|\bétoiles?\b|cashback|\bcommentaires?\b|\bfeedback\b",
    "es": r"reseñ|valoraci|\bvalore(n)?\b|calificaci|\bcalifique|puntuaci|\bpuntúe|\bestrellas?\b|\bcomentarios?\b"
    r"|\b(dej|public|escrib|retir|elimin|modifi)\w* (una|su|la) opini|cashback|\bfeedback\b|reembolso por opinar",
    "ja": r"レビュー|口コミ|クチコミ|評価|評点|星[1-5１-５一-五つ]|[つ個]星|★|☆|投稿|キャッシュバック|フィードバック",
}
"""What a letter in each language may not hold; those of English hold for all, as many languages borrow them."""
LINK = re.compile(r"https?://|\bwww\.|[/.](review|feedback|rate|ratings|pingjia)\b", re.IGNORECASE)
"""Addresses stand in events, never in a template: one that is written there could lead to a page for reviews."""


def _sources(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _sources(inner)


def forbidden_in(text: str, language: str) -> list[str]:
    """What a text in this language may not say."""
    flat = " ".join(text.split())
    patterns = {FORBIDDEN[language], FORBIDDEN["en"]}
    found = [match[0] for pattern in patterns for match in re.finditer(pattern, flat, re.IGNORECASE)]
    return found + [match[0] for match in LINK.finditer(flat)]


TO_CUSTOMERS = sorted(path for path in TEMPLATES.glob("*/*.yaml") if path.parent.name != "kpi-report")
"""Staff is told of rates."""


@pytest.mark.parametrize("path", TO_CUSTOMERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_letter_is_about_a_review(path: Path) -> None:
    letters = load_yaml(path).data.items()
    said = {name: forbidden_in(" ".join(_sources(content)), path.stem) for name, content in letters}
    assert {name: found for name, found in said.items() if found} == {}


def test_every_language_has_its_words() -> None:
    assert {path.stem for path in TEMPLATES.glob("*/*.yaml")} == set(FORBIDDEN)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "If you change your review, we will refund you."),
        ("en", "Please remove the negative comment about us."),
        ("en", "We would be glad about five stars."),
        ("en", "You get 5 USD cash back for rating us."),
        ("en", "Tell others: https://shop.example/write"),
        ("en", "Your feedback\n      counts."),
        ("zh", "五星好评返现5元。"),
        ("zh", "请您修改差评，我们马上退款。"),
        ("zh", "欢迎您晒单。"),
        ("zh", "请给我们一个 review。"),
        ("de", "Über eine gute Bewertung freuen wir uns."),
        ("de", "Bitte löschen Sie Ihre Rezension."),
        ("de", "Geben Sie uns fünf Sterne."),
        ("fr", "Merci de laisser un avis."),
        ("fr", "Vous pouvez modifier votre avis en ligne."),
        ("fr", "Mettez-nous cinq étoiles."),
        ("fr", "Merci de supprimer votre commentaire."),
        ("es", "Le agradeceríamos una reseña."),
        ("es", "Por favor, elimine su opinión."),
        ("es", "Denos cinco estrellas."),
        ("es", "Su valoración nos ayuda."),
        ("ja", "レビューの投稿をお願いいたします。"),
        ("ja", "評価を変更していただければ返金いたします。"),
        ("ja", "星5つをお願いします。"),
    ],
)
def test_what_no_letter_may_say_is_found(language: str, text: str) -> None:
    assert forbidden_in(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We are starting the repair and separate the goods."),
        ("fr", "Si vous changez d’avis, dites-le-nous."),
        ("es", "Si cambia de opinión, díganoslo."),
        ("de", "Er kostet weniger und ist erst gestern gekommen."),
        ("zh", "请您回复本消息。"),
        ("ja", "ご返信をお願いいたします。"),
    ],
)
def test_other_words_are_no_offence(language: str, text: str) -> None:
    assert not forbidden_in(text, language)
