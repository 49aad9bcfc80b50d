"""Invoices: how long finance has, and tax numbers that cannot be right (`§14`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from aftersales.events import InvoiceRequested
from aftersales.lanes import Section
from aftersales.units import Window

_VAT: Mapping[str, str] = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "GB": r"\d{9}(\d{3})?|(GD|HA)\d{3}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}(\d{3})?",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"\d{9}(\d{3})?|(GD|HA)\d{3}",
}
"""What stands behind the letters of a VAT number of the European Union or the United Kingdom."""
_EUROPE = {*_VAT, "EU", "GR", "UK"}
_VAT_LETTERS = 3
_CN_OLD = re.compile(r"[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{20}")
_CN_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CN_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_PERSON = re.compile(r"\d{6}(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[0-9X]", re.ASCII)
_PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PERSON_CHECKS = "10X98765432"


class Invoices(Section):
    """Invoices that customers ask for (`§14`)."""

    invoice_window: Window = timedelta(hours=72)
    """Time of finance to issue an invoice in normal order; it is reminded at half of it, then an operator decides
    (`§14`)."""
    urgent_window: Window = timedelta(hours=24)
    """The same for an urgent invoice (`§14`)."""
    tax_data_window: Window = timedelta(hours=72)
    """How long a customer has to correct the data of an invoice; the reminder goes out at half of it (`§14`)."""


def cannot_be_right(tax_id: str, market: str) -> bool:
    """Whether a tax number is certainly none, as its own country writes it; none given is no mistake.

    In a market of the European Union or the United Kingdom, what begins like a VAT number must look like one. In the
    market `CN` it is a unified social credit code or a person's number, whose last place checks the others, or one of
    the older kinds. All else is left to finance.
    """
    number = re.sub(r"[\s.\-/]", "", tax_id).upper()
    if not number:
        return False
    if not any(sign.isdigit() for sign in number):
        return True
    shape = _VAT.get(number[:2])
    if shape and market in _EUROPE and sum(sign.isalpha() for sign in number[2:]) <= _VAT_LETTERS:
        return re.fullmatch(shape, number[2:], re.ASCII) is None
    return market == "CN" and not (_CN_OLD.fullmatch(number) or _is_credit_code(number) or _is_person(number))


def corrected(asked: InvoiceRequested, again: InvoiceRequested) -> InvoiceRequested:
    """A request with what a later one says anew; once urgent, it stays so."""
    said = {name: value for name, value in again.model_dump(include={"urgent", "tax_id", "title"}).items() if value}
    return asked.model_copy(update=said)


def _is_credit_code(number: str) -> bool:
    """GB 32100: 18 places without I, O, S, V and Z, the last one from the others modulo 31."""
    if len(number) != len(_CN_WEIGHTS) + 1 or not set(number) <= set(_CN_DIGITS):
        return False
    total = sum(_CN_DIGITS.index(sign) * weight for sign, weight in zip(number, _CN_WEIGHTS, strict=False))
    return number[-1] == _CN_DIGITS[-total % len(_CN_DIGITS)]


def _is_person(number: str) -> bool:
    """GB 11643: 17 digits with the day of birth in them, and a last place from them modulo 11."""
    if not _PERSON.fullmatch(number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _PERSON_WEIGHTS, strict=False))
    return number[-1] == _PERSON_CHECKS[total % len(_PERSON_CHECKS)]
