"""Words that tell what kind of a wish a message has whose topic is known, in six languages (`§17`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

_PERKS: Mapping[Literal["gift", "free_shipping"], tuple[str, ...]] = {
    # A present that somebody bought is no favour that is asked for: only words for a freebie count.
    "gift": (
        *("free gift", "freebie", "a small gift", "a little gift", "include a gift", "add a gift", "get a gift"),
        *("with a gift", "any gift", "gift with", "赠品", "小礼", "送个礼物", "送礼物", "送我一个", "gratisgeschenk"),
        *("kleines geschenk", "ein geschenk dazu", "geschenk dazu", "geschenk beilegen", "cadeau gratuit"),
        *("petit cadeau", "cadeau offert", "ajouter un cadeau", "un cadeau en plus", "regalo gratis"),
        *(
            "regalito",
            "pequeño regalo",
            "algún regalo",
            "un regalo de",
            "obsequio",
            "おまけ",
            "プレゼントを付",
            "ノベルティ",
        ),
    ),
    "free_shipping": (
        *("shipping", "delivery fee", "postage", "包邮", "免邮", "免运费", "运费", "versandkosten"),
        *("kostenloser versand", "frais de port", "frais de livraison", "livraison gratuite", "livraison offerte"),
        *("gastos de envío", "envío gratis", "envío gratuito", "送料"),
    ),
}
_PRESENTS = ("gift", "赠品", "礼物", "geschenk", "cadeau", "regalo", "プレゼント")
_RULES = (
    *("policy", "policies", "until when", "how many days do i have", "how long do i have", "return window"),
    *("rückgaberecht", "rückgabefrist", "widerrufsfrist", "rückgabebedingungen", "bis wann", "wie lange habe ich"),
    *("politique de", "conditions de retour", "délai de retour", "jusqu'à quand", "combien de temps ai-je"),
    *("política de", "plazo de devol", "condiciones de devol", "hasta cuándo", "cuánto tiempo tengo"),
    *("退货政策", "退换政策", "退款政策", "退货期限", "几天内可以退", "多久内可以退", "还能退吗"),
    *("返品ポリシー", "返品条件", "返品期限", "返金ポリシー", "いつまで返品", "何日以内"),
)
"""Who asks for the rules of a return."""
_MONEY_ON_ITS_WAY = (
    *("refund status", "status of my refund", "status of the refund", "track my refund", "track the refund"),
    *("where is my refund", "where's my refund", "when will i get my refund", "when do i get my refund"),
    *("refund take", "long will my refund", "get my refund", "receive my refund", "refund not", "my refund yet"),
    *("wo ist meine erstattung", "wo bleibt meine erstattung", "wann bekomme ich mein geld", "status der erstattung"),
    *("où est mon remboursement", "quand vais-je être remboursé", "quand serai-je remboursé", "suivi du remboursement"),
    *("dónde está mi reembolso", "cuándo me devuelven", "cuándo recibiré el reembolso", "estado del reembolso"),
    *(
        "退款进度",
        "退款到哪",
        "什么时候退款",
        "退款什么时候",
        "退款多久",
        "退款还没",
        "返金はいつ",
        "返金状況",
        "返金がまだ",
    ),
)
"""Who asks where money is that was to come back; no order tells that."""


def perk_meant(text: str) -> Literal["gift", "free_shipping", ""]:
    """Which favour a text asks for; empty where it names none or both."""
    said = text.casefold()
    named = [perk for perk, words in _PERKS.items() if any(word in said for word in words)]
    if "free_shipping" in named and any(word in said for word in _PRESENTS):
        return ""
    return named[0] if len(named) == 1 else ""


def return_meant(text: str) -> Literal["return", "return_policy", ""]:
    """What somebody wants who writes about a return: it, or its rules; empty for one whose money is on its way."""
    said = text.casefold().replace("\u2019", "'")
    if any(words in said for words in _MONEY_ON_ITS_WAY):
        return ""
    return "return_policy" if any(words in said for words in _RULES) else "return"


def is_question(text: str) -> bool:
    """Whether a text asks something."""
    return "?" in text or "\uff1f" in text
