"""Variants of letters: which one a case writes (`§20`)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

BASE = "base"
"""The name of the letter as it is without variants."""


def drawn(case_id: str, letter: str, shares: Mapping[str, Decimal]) -> str:
    """The variant of a letter that this case writes, always the same; empty for the letter itself.

    `shares` are fractions that add up to 1, by variant; none means that there are no variants.
    """
    digest = sha256(f"{case_id} {letter}".encode()).digest()
    point = Decimal(int.from_bytes(digest[:8])) / 2**64
    for variant, share in sorted(shares.items()):
        if point < share:
            return "" if variant == BASE else variant
        point -= share
    return ""
