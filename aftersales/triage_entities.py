"""What a message names: order ids, tracking numbers and amounts, each as it is written there. Pure.

A number of a carrier is known by its shape and its check digit, or by the words before it; it is never taken for an
order id. Numbers after words such as "invoice" or "phone" are neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from aftersales.triage import Entities

LONGEST = 20_000
"""Characters of a message that are searched."""
MOST = 20
"""Of each kind at most so many are told."""

_AMOUNT = re.compile(
    r"(?<![\w.,])(?:(?:US|CA|AU|NZ|HK)?[$€£¥￥]|(?:USD|EUR|GBP|CNY|RMB|JPY|CHF|CAD|AUD)(?=\s?\d))\s?\d[\d.,]*(?<=\d)k?\b"
    r"|(?<![\w.,-])\d(?:[\d.,]*\d)?\s?(?:[$€£¥]|(?:USD|EUR|GBP|CNY|RMB|JPY|CHF|CAD|AUD|dollars?|bucks|euros?|pounds?"
    r"|quid|yen|yuan|francs?|franken|francos|pesos|d[óo]lares|libras)\b|[元円块塊])",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9])#?[A-Za-z0-9]+(?:[-/_][A-Za-z0-9]+)*(?![A-Za-z0-9@])")
_LINK = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)[^\s@]{1,80}@\S+")
_DATE = re.compile(
    r"(?:19|20)\d\d[-/](?:0?[1-9]|1[0-2])[-/](?:0?[1-9]|[12]\d|3[01])|\d{1,2}[-/]\d{1,2}[-/](?:\d\d){1,2}"
)
_WEIGHT = re.compile(r"\d+(?:x\d+)+|\d+(?:cm|mm|m|kg|g|ml|l|w|v|k|h|d|st|nd|rd|th|min|er|x|pm|am)", re.IGNORECASE)

_Kind = Literal["order", "tracking", "none", "unnamed"]
_CONTEXT: tuple[tuple[_Kind, re.Pattern[str]], ...] = (
    (
        "none",
        re.compile(
            r"invoice|receipt|\bbill\b|\brma\b|phone|\btel\b|mobile|\bfax\b|zip|post ?code|\biban\b|\bvat\b|account"
            r"|rechnung|beleg|telefon|handy|\bplz\b|postleitzahl|\bust|konto|facture|t[ée]l[ée]phone|code postal"
            r"|\btva\b|compte|factura|tel[ée]fono|m[óo]vil|c[óo]digo postal|\b[cn]if\b|\biva\b|cuenta|\berror\b|model"
            r"|发票|税号|电话|手机|邮编|抬头|請求書|領収書|電話|郵便番号|型番|登録番号",
            re.IGNORECASE,
        ),
    ),
    (
        "tracking",
        re.compile(
            r"track|parcel|package|shipment|consignment|waybill|\bups\b|\bdhl\b|fedex|\busps\b|\bdpd\b|\bgls\b|hermes|sendung"
            r"|paket|suivi|colis|colissimo|chronopost|seguimiento|rastre|paquete|correos|env[íi]o|快递|(?<!订)单号|物流|运单|包裹"
            r"|追跡|伝票|問い合わせ番号|荷物",
            re.IGNORECASE,
        ),
    ),
    (
        "order",
        re.compile(
            r"\border|purchase|bestell|auftrag|commande|pedido|compra|\bachat|\bkauf|订单|訂單|单子|注文|オーダー|購入",
            re.IGNORECASE,
        ),
    ),
)
_BEFORE = 40
"""Characters before a number in which the word that tells its kind may stand."""
_SENTENCE_END = re.compile(r"[.!?。！？；;\n](?=\s|$)|[。！？；]")


class _Token(NamedTuple):
    text: str
    start: int
    end: int


def entities_in(text: str, order_ids: re.Pattern[str] | None = None) -> Entities:
    """All that a text of any length names. `order_ids` is what this shop's ids look like, where that is known."""
    text = text[:LONGEST]
    amounts = [_Token(match[0].strip(), match.start(), match.end()) for match in _AMOUNT.finditer(text)]
    taken = [(match.start(), match.end()) for match in _LINK.finditer(text)]
    taken += [(amount.start, amount.end) for amount in amounts]
    orders: list[str] = []
    tracking: list[str] = []
    if order_ids is not None:
        for match in order_ids.finditer(text):
            if match[0]:
                orders.append(match[0])
                taken.append((match.start(), match.end()))
    spaced = _spaced_numbers(text)
    for token in [*spaced, *_tokens(text)]:
        if any(start < token.end and token.start < end for start, end in taken):
            continue
        kind = _kind(token, text)
        if kind == "none":
            continue
        taken.append((token.start, token.end))
        (orders if kind == "order" else tracking).append(token.text.removeprefix("#"))
    return Entities(
        order_ids=_first(orders), tracking_numbers=_first(tracking), amounts=_first(t.text for t in amounts)
    )


def _first(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:MOST]


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        token = match[0]
        if any(c.isdigit() for c in token) and not _DATE.fullmatch(token) and not _WEIGHT.fullmatch(token):
            yield _Token(token, match.start(), match.end())


_SPACED = re.compile(
    r"\b(?:1Z(?: ?[0-9A-Z]){16}|[A-Z]{2} \d{3} ?\d{3} ?\d{3} ?[A-Z]{2}|9[1-5]\d\d(?: \d{4}){4} \d\d)\b", re.IGNORECASE
)


def _spaced_numbers(text: str) -> list[_Token]:
    """Numbers of carriers that are written in groups."""
    return [
        _Token(match[0], match.start(), match.end())
        for match in _SPACED.finditer(text)
        if " " in match[0] and _is_tracking(match[0].replace(" ", "").upper())
    ]


def _kind(token: _Token, text: str) -> _Kind:
    bare = token.text.lstrip("#").replace(" ", "").upper()
    if _is_tracking(bare):
        return "tracking"
    digits = sum(c.isdigit() for c in bare)
    context = _context(text, token.start)
    if context == "tracking" and _looks_carried(bare):
        return "tracking"
    if context == "none":
        return "none"
    if context != "order" and _CARRIERS_OWN.fullmatch(bare):
        return "tracking"
    named = context == "order" or token.text.startswith("#")
    least = 3 if named else 4
    if digits < least or (not named and context == "tracking"):
        return "none"
    if named:
        return "order"
    # A lone number may be a post code or a telephone number.
    coded = re.fullmatch(r"[A-Z]{1,5}[-_/]?\d{4,}(?:[-_/][A-Z0-9]+)*", bare) or re.fullmatch(
        r"\d{3,5}-\d{4,8}(?:-\d+)*", bare
    )
    lone = bare.isdigit() and 6 <= len(bare) <= 15 and not bare.startswith("0") and not _is_phone(text, token)
    return "order" if coded or lone else "none"


def _is_phone(text: str, token: _Token) -> bool:
    near = text[max(0, token.start - 6) : token.start]
    return bool(re.search(r"[+(]\d*\)?[ -]?$|\d[ -]$", near)) or bool(re.match(r"[ -]\d{2}", text[token.end :]))


def _context(text: str, start: int) -> _Kind:
    """What the nearest telling word before a number says about it, else the first one behind it."""
    before = text[max(0, start - _BEFORE) : start]
    for end in _SENTENCE_END.finditer(before):
        # "No." and "Nr." end no sentence.
        if not re.search(r"\b(?:no|nr|num|n)\.$", before[: end.end()], re.IGNORECASE):
            before = " " * end.end() + before[end.end() :]
    last: tuple[int, _Kind] = (-1, "order")
    for kind, words in _CONTEXT:
        for match in words.finditer(before):
            last = max(last, (match.end(), kind))
    return last[1] if last[0] >= 0 else _after(text, start)


def _after(text: str, start: int) -> _Kind:
    """Japanese and Chinese name the thing behind the number, and so does "55821 is my order"."""
    after = _SENTENCE_END.split(text[start : start + _BEFORE], maxsplit=1)[0]
    found = [(match.start(), kind) for kind, words in _CONTEXT for match in [words.search(after)] if match]
    return min(found)[1] if found and min(found)[1] != "tracking" else "unnamed"


def _looks_carried(bare: str) -> bool:
    """Whether it may be a carrier's number where the words before it say so."""
    return len(bare) >= 8 and sum(c.isdigit() for c in bare) >= 7 and "-" not in bare


def _is_tracking(bare: str) -> bool:
    return any(shape.fullmatch(bare) and right(bare) for shape, right in _CARRIERS)


def _ups(number: str) -> bool:
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in number[2:-1]]
    return number[-1].isdigit() and -(sum(values[::2]) + 2 * sum(values[1::2])) % 10 == int(number[-1])


def _s10(number: str) -> bool:
    check = 11 - sum(int(c) * weight for c, weight in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: 0, 11: 5}.get(check, check) == int(number[10])


def _mod_10(number: str) -> bool:
    digits = [int(c) for c in reversed(number)]
    return (3 * sum(digits[1::2]) + sum(digits[2::2]) + digits[0]) % 10 == 0


def _usps(number: str) -> bool:
    return _mod_10(re.sub(r"^420\d{5}(?:\d{4})?(?=9[1-5])", "", number))


def _yes(number: str) -> bool:
    return True


_CARRIERS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (re.compile(r"1Z[0-9A-Z]{15}\d"), _ups),
    (re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}"), _s10),
    (re.compile(r"(?:420\d{5}(?:\d{4})?)?9[1-5]\d{18}(?:\d\d)?"), _usps),
    (re.compile(r"00\d{18}"), _mod_10),
    # Prefixes that nobody but their carrier uses.
    (
        re.compile(
            r"SF\d{12,15}|YT\d{13,16}|JDV?[A-Z]?\d{12,16}|TBA\d{12}|LP\d{14}|4PX\d{13}[A-Z]{2}|JJD\d{16,20}|GM\d{16,20}"
        ),
        _yes,
    ),
)
_CARRIERS_OWN = re.compile(r"1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}(?:CN|DE|FR|ES|JP|US|GB|CH|AT|NL|HK|SG)")
"""What nobody but a carrier writes; where the check digit is wrong, the customer has mistyped it."""
