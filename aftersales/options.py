"""What operators call the options of a decision: common words stand for one where no other can be meant."""

from __future__ import annotations

from collections.abc import Collection

_WORDS = {
    "confirmed": ("confirm", "approve", "approved", "yes", "wrong_item"),
    "not_confirmed": ("reject", "rejected", "decline", "refuse", "deny", "no", "not_wrong"),
    "accept": ("accepts", "accepted"),
    "insist": ("insists", "insisted"),
    "full": ("full_refund", "refund_full"),
    "partial": ("partial_refund", "partly"),
    "send_back": ("sendback", "return_to_customer"),
    "keep_offer": ("keep", "keep_both", "keep_at_discount"),
}


def option_meant(given: str, options: Collection[str]) -> str | None:
    """The one of the open options that is meant; None where none or more than one could be."""
    word = given.strip().lower().replace("-", "_").replace(" ", "_")
    if word in options:
        return word
    meant = [option for option in options if word in _WORDS.get(option, ())]
    return meant[0] if len(meant) == 1 else None
