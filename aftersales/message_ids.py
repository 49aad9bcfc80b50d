"""Message-IDs that carry their case, so that a reply finds it without any look-up.

`<case.sum.letter@domain>`: the case id in URL-safe base64 without padding, eight hex digits that prove it whole, and
sixteen that tell the case's letters apart.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256

_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MESSAGE_ID = re.compile(r"<?([A-Za-z0-9_-]+)\.([0-9a-f]{8})\.[0-9a-f]{16}@[^@<>\s]+>?")


def message_id(case_id: str, key: str, domain: str) -> str:
    """The Message-ID of a case's letter, angle brackets included; the same `key` gives the same id.

    Raises:
        ValueError: `domain` is no host name.
    """
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{domain!r} is no host name; Message-IDs need one such as mail.example.com")
    case = base64.urlsafe_b64encode(case_id.encode()).decode().rstrip("=")
    return f"<{case}.{_digits(case_id, 8)}.{_digits(key, 16)}@{domain}>"


def case_of(message_id: str) -> str | None:
    """The case id in a Message-ID of ours; None for anybody else's, and for one that was changed on its way."""
    match = _MESSAGE_ID.fullmatch(message_id.strip())
    if match is None:
        return None
    case, check = match.groups()
    try:
        case_id = base64.urlsafe_b64decode(case + "=" * (-len(case) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return case_id if _digits(case_id, 8) == check else None


def _digits(text: str, count: int) -> str:
    return sha256(text.encode()).hexdigest()[:count]
