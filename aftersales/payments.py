"""What a customer's payment is for: `payment.received` names its purpose as text (`§11`, `§12`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from aftersales.ids import parse_case_id

_WORDS: Mapping[str, tuple[str, ...]] = {
    "exchange": ("exchange", "difference", "换货", "差价"),
    "order-change": ("change", "amend", "difference", "改单", "差价"),
    "repair": ("repair", "quote", "维修"),
}
"""What a purpose may be called, by the process whose case asked for the money."""


def meant_for(purpose: str, case: str) -> Literal["this", "another", "unknown"]:
    """Whose payment it is, seen from this case, which named its own id as the purpose when it asked for the money.

    One that names a process only, or nothing, is for the case that waits for money.
    """
    named = purpose.strip().casefold()
    if not named or named == case.casefold():
        return "this"
    said = set(re.findall(r"[a-z]+", named))
    processes = [
        process
        for process, words in _WORDS.items()
        if any(word in (said if word.isascii() else named) for word in words)
    ]
    if "/" not in named and parse_case_id(case).process in processes:
        return "this"
    return "another" if processes else "unknown"
