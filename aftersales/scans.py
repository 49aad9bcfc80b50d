"""What a scan says about its parcel: where it is, or what is wrong with it (`spec/processes.md` §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from aftersales.events import Checkpoint

Place: TypeAlias = Literal["handed_over", "moving", "out_for_delivery", "awaiting_collection", "returning"]
"""Where a parcel is on its way; `handed_over` as long as its carrier knows of a label only."""
End: TypeAlias = Literal["delivered", "returned", "lost"]
"""Where its way ends."""
Trouble: TypeAlias = Literal["stuck", "customs", "refused", "damaged", "bad_address"]
"""What an exception scan reports, in the words of §4."""


class ScanMeaning(NamedTuple):
    """Where the parcel is, and the trouble that it is in, if any."""

    state: Place | End
    trouble: Trouble | None = None


_BY_STATUS: Mapping[str, Place | End] = {
    "info_received": "handed_over",
    "pending": "handed_over",
    "in_transit": "moving",
    "out_for_delivery": "out_for_delivery",
    "attempt_fail": "out_for_delivery",
    "available_for_pickup": "awaiting_collection",
    "delivered": "delivered",
    "returned": "returned",
    # What a tracking service says that has heard nothing for weeks and gives up.
    "expired": "lost",
}

# The sub-statuses that AfterShip gives to exceptions; those not named here are delays of other kinds.
_BY_CODE: Mapping[str, ScanMeaning] = {
    "exception_002": ScanMeaning("moving", "bad_address"),
    "exception_003": ScanMeaning("moving", "refused"),
    "exception_004": ScanMeaning("moving", "customs"),
    "exception_007": ScanMeaning("moving", "bad_address"),
    "exception_010": ScanMeaning("returning"),
    "exception_011": ScanMeaning("returned"),
    "exception_012": ScanMeaning("moving", "damaged"),
    "exception_013": ScanMeaning("lost"),
    "exception_018": ScanMeaning("moving", "customs"),
}

# For carriers that write words; the first that fits counts.
_BY_WORDS: Sequence[tuple[re.Pattern[str], ScanMeaning]] = tuple(
    (re.compile(words, re.IGNORECASE), meaning)
    for words, meaning in (
        (r"\bdamag|\bbroken\b|破损|损坏", ScanMeaning("moving", "damaged")),
        (r"\brefus|拒收|拒签", ScanMeaning("moving", "refused")),
        (r"\breturned\b|已退回", ScanMeaning("returned")),
        (r"\breturn|退回|退件", ScanMeaning("returning")),
        (r"\baddress(?!ee)|地址", ScanMeaning("moving", "bad_address")),
        (r"\bcustoms\b|\bclearance\b|海关|清关", ScanMeaning("moving", "customs")),
        (r"\blost\b|\bmissing\b|丢失|遗失", ScanMeaning("lost")),
    )
)
_STUCK = ScanMeaning("moving", "stuck")


def scan_meaning(scan: Checkpoint) -> ScanMeaning:
    """What a scan says. A failed attempt is trouble only where it names one; an exception always is.

    The sub-status decides, else the carrier's text, from which nothing final is concluded.
    """
    if (state := _BY_STATUS.get(scan.status)) and scan.status != "attempt_fail":
        return ScanMeaning(state)
    substatus = scan.substatus.strip().lower()
    meaning = _BY_CODE.get(substatus) or _in_words(substatus.replace("_", " "))
    if meaning is None and (told := _in_words(scan.message)):
        meaning = told if told.trouble or told.state == "returning" else None
    if scan.status == "attempt_fail":
        return ScanMeaning("out_for_delivery", meaning.trouble if meaning else None)
    return meaning or _STUCK


def _in_words(text: str) -> ScanMeaning | None:
    return next((meaning for words, meaning in _BY_WORDS if words.search(text)), None)
