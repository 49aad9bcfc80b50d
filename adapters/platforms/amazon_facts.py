"""What Amazon's messages have in common: order and line ids, marketplaces, reasons of returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.platforms.errors import Untranslated
from adapters.platforms.notices import Notice
from adapters.platforms.reading import text
from aftersales.events import ReturnReason

LOCALES: Mapping[str, str] = {
    "A13V1IB3VIYZZH": "fr-FR",
    "A17E79C6D8DWNP": "ar-SA",
    "A1805IZSGTT6HS": "nl-NL",
    "A19VAU5U5O7RUS": "en-SG",
    "A1AM78C64UM0Y8": "es-MX",
    "A1C3SOZRARQ6R3": "pl-PL",
    "A1F83G8C2ARO7P": "en-GB",
    "A1PA6795UKMFR9": "de-DE",
    "A1RKKUPIHCS9HS": "es-ES",
    "A1VC38T7YXB528": "ja-JP",
    "A21TJRUUN4KGV": "en-IN",
    "A28R8C7NBKEWEA": "en-IE",
    "A2EUQ1WTGCTBG2": "en-CA",
    "A2NODRKZP88ZB9": "sv-SE",
    "A2Q3Y263D00KWC": "pt-BR",
    "A2VIGQ35RCS4UG": "ar-AE",
    "A33AVAJ2PDY3EV": "tr-TR",
    "A39IBJ37TRP1C6": "en-AU",
    "AE08WJ6YKNBMC": "en-ZA",
    "AMEN7PMS3EDWL": "fr-BE",
    "APJ6JRA9NG5V4": "it-IT",
    "ARBP9OOSHTCHU": "ar-EG",
    "ATVPDKIKX0DER": "en-US",
}
"""The language of each marketplace, by its id."""

_REASONS: Mapping[str, ReturnReason] = {
    "APPAREL_STYLE": "changed_mind",
    "APPAREL_TOO_LARGE": "size",
    "APPAREL_TOO_SMALL": "size",
    "BAD_DESC": "not_as_described",
    "DAMAGED_BY_CARRIER": "damaged",
    "DAMAGED_BY_FC": "damaged",
    "DEFECTIVE": "defective",
    "EXTRA_ITEM": "other",
    "FOUND_BETTER_PRICE": "found_cheaper",
    "MISSED_ESTIMATED_DELIVERY": "too_late",
    "MISSING_PARTS": "missing_part",
    "NOT_AS_DESCRIBED": "not_as_described",
    "ORDERED_WRONG_ITEM": "changed_mind",
    "QUALITY_UNACCEPTABLE": "not_as_described",
    "SWITCHEROO": "wrong_item",
    "UNAUTHORIZED_PURCHASE": "other",
    "UNWANTED_ITEM": "no_longer_needed",
}


class NothingToDo(Untranslated):
    """No event follows from a message, and nobody has to look at it."""


def nothing(notice: Notice, why: str) -> NothingToDo:
    """The reason why nothing follows from a message and nothing is to be done."""
    return NothingToDo(f"{notice.platform} {notice.topic}: {why}; nothing to do")


def order_of(notice: Notice, id: object) -> str:
    """Our id of an order of Amazon's.

    Raises:
        Untranslated: Amazon names none.
    """
    if not (known := text(id, 100)):
        raise notice.refuse("no order is named", "hand in the whole message as Amazon sent it")
    return f"{notice.storefront.order_prefix}{known}"


def line_ids(items: Sequence[tuple[object, object]]) -> list[str]:
    """The line id of each of an order's items, given as SKU and Amazon's item id.

    It is the SKU, as returns name nothing else; a further item of the same SKU gets `#2`. Items without one keep
    Amazon's id.
    """
    names: list[str] = []
    for sku, item in items:
        name = text(sku, 150) or text(item, 150) or "?"
        again = sum(other == name or other.startswith(f"{name}#") for other in names)
        names.append(f"{name}#{again + 1}" if again else name)
    return names


def reason_of(notice: Notice, said: object) -> ReturnReason | None:
    """The reason code that Amazon's words or code mean; None where nobody knows."""
    words = text(said)
    own = notice.storefront.return_reasons.get(words.lower())
    code = words.upper().removeprefix("CR-").removeprefix("AMZ-PG-").replace(" ", "_").replace("-", "_")
    return own or _REASONS.get(code)


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """An object with its names in small first letters: notifications have them in either way."""
    return {name[:1].lower() + name[1:]: value for name, value in found.items()}
