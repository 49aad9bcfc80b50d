"""Variants of letters: their names, the shares of cases that write them, and which one a case writes (`§20`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator

from aftersales.model import Name
from aftersales.units import Share, format_share

BASE = "base"
"""The name of the letter as it is without variants."""
_NAME = re.compile(r"[a-z0-9-]+")
_STEP = Decimal("0.000001")
"""As finely as a share is dealt out again: a policy can still be written down and read."""


def key_of(letter: str, variant: str) -> str:
    """What a variant is written under in a letter file, such as `return-terms.short`; empty is the letter itself."""
    return f"{letter}.{variant}" if variant else letter


def parse_key(key: str) -> tuple[str, str]:
    """The letter and the variant that `key_of` was given."""
    letter, _, variant = key.partition(".")
    return letter, variant


def is_variant_name(name: str) -> bool:
    """Whether a text of a letter can have this name beside the letter itself."""
    return name != BASE and bool(_NAME.fullmatch(name))


def _whole(shares: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    for name in shares:
        if name != BASE and not is_variant_name(name):
            raise ValueError(f"a variant is named with a-z, 0-9 and -, or {BASE} for the letter itself; not {name!r}")
    if (together := sum(shares.values(), Decimal())) != 1:
        listed = ", ".join(f"{name} {format_share(share)}" for name, share in shares.items()) or "none"
        raise ValueError(
            f"the shares of its variants must add up to 100 %, and {listed} make {format_share(together)}; "
            f"change one, {BASE} being the letter itself"
        )
    return shares


Shares = Annotated[Mapping[Name, Share], AfterValidator(_whole)]
"""How many cases write each variant of a letter: fractions that add up to 1, by the variant's name."""


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


def without(shares: Mapping[str, Decimal], stopped: Collection[str]) -> dict[str, Decimal]:
    """The shares with those of stopped variants dealt out to the others, as much more to each as it had.

    Empty, which is the letter itself, where all others are stopped or had no share.
    """
    going = {name: share for name, share in shares.items() if name not in stopped}
    if len(going) == len(shares):
        return dict(shares)
    together = sum(going.values(), Decimal())
    if not together:
        return {}
    dealt = {name: (share / together).quantize(_STEP, ROUND_DOWN) for name, share in going.items()}
    most = max(sorted(dealt), key=lambda name: dealt[name])
    dealt[most] += 1 - sum(dealt.values())
    return dealt
