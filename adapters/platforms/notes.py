"""Our key in the free text that a platform keeps beside a refund: how its message tells that the refund was ours."""

from __future__ import annotations

import re

_KEY = re.compile(r"^aftersales key: (\S.*)$", re.MULTILINE)


def refund_note(key: str, words: str = "") -> str:
    """What is written beside a refund that carries out a command of ours; `words` are for the shop's people."""
    return "\n".join(filter(None, (words, f"aftersales key: {key}")))


def key_in(note: str) -> str:
    """The inverse of `refund_note`: the key, empty where the refund was not ours."""
    found = _KEY.search(note)
    return found.group(1).strip() if found else ""
