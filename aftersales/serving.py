"""Whether an order can be sent: contact data complete, postcode as its country writes it, area served (`§9`).

Areas and shapes are data of the policy. Touch this file when a new kind of check is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from aftersales.order import Address, Order

Area = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(/[^/\[\]]+| [^/\[\]]+)?$")]
"""A country (`US`), a region of it (`US/AK`), or postcodes of it (`US 995*`), where `*` and `?` stand for any text."""
Shape = Annotated[str, StringConstraints(pattern=r"^[9A]+$")]
"""How a postcode looks without spaces and hyphens: `9` is a digit, `A` a letter."""
Field = Literal["name", "street", "city", "postcode", "country"]
"""What an address must say. The e-mail address is there: an order without one is refused."""


class Problem(NamedTuple):
    """Why an order cannot be sent: what its address lacks or has wrong, else that its area is not served."""

    kind: Literal["incomplete", "not_served"]
    fields: tuple[Field, ...] = ()


def problem_of(order: Order, unserved: Iterable[str], postcodes: Mapping[str, Sequence[str]]) -> Problem | None:
    """What keeps this order from being sent; None where nothing does."""
    if fields := missing(order.ship_to, postcodes):
        return Problem("incomplete", fields)
    if area_of(order.ship_to, unserved) is not None:
        return Problem("not_served")
    return None


def missing(address: Address, postcodes: Mapping[str, Sequence[str]]) -> tuple[Field, ...]:
    """What is empty in an address, or a postcode that is none in its country; no shapes, no postcodes there."""
    given: dict[Field, str] = {
        "name": address.name,
        "street": address.line1,
        "city": address.city,
        "postcode": address.postcode,
        "country": address.country if re.fullmatch("[A-Za-z]{2}", address.country.strip()) else "",
    }
    shapes = postcodes.get(address.country.strip().upper())
    empty = {field for field, text in given.items() if not any(char.isalnum() for char in text)}
    if shapes is not None:
        empty.discard("postcode")
        if shapes and not any(_fits(address.postcode, shape) for shape in shapes):
            empty.add("postcode")
    return tuple(field for field in given if field in empty)


def area_of(address: Address, areas: Iterable[str]) -> str | None:
    """The first of these areas in which an address lies; None where it lies in none."""
    return next((area for area in areas if _lies_in(address, area)), None)


def says_more(text: str) -> bool:
    """Whether a reply says more than the number of a choice."""
    return any(char.isalpha() for char in text)


def _lies_in(address: Address, area: str) -> bool:
    if address.country.strip().upper() != area[:2]:
        return False
    pattern = area[3:]
    if not pattern:
        return True
    if area[2] == "/":
        return fnmatchcase((address.region or "").strip().casefold(), pattern.casefold())
    return fnmatchcase(_compact(address.postcode), _compact(pattern))


def _fits(postcode: str, shape: str) -> bool:
    text = _compact(postcode)
    return len(text) == len(shape) and all(
        (char.isascii() and char.isdigit()) if kind == "9" else (char.isascii() and char.isalpha())
        for char, kind in zip(text, shape, strict=True)
    )


def _compact(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()
