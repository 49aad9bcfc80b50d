"""Headers as people mean them: encoded words, addresses, Message-IDs and dates, however badly written."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from quopri import decodestring

from adapters.mail import charsets
from adapters.mail.parts import Part

EARLIEST, LATEST = timedelta(days=30), timedelta(minutes=5)
"""How long before and after a mail came in its own date is believed."""
LONGEST_ID = 200
"""Characters of an event's id."""

_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_QUOTED = re.compile(r'"(?>[^"\\]++|\\.)*+"', re.DOTALL)
_ANGLED = re.compile(r"<\s*([^<>\s@]{1,128}@[^<>\s@]{1,255})\s*>")
_BARE = re.compile(r"(?<![^\s<,;:(\"'])([^\s<>,;:()\"'@\\]{1,64}@[^\s<>,;:()\"'@\\]{1,190})")
_ID = re.compile(r"<([^<>]{1,2000})>")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def decoded(value: str) -> str:
    """A header's value in one line, encoded words and bare bytes read."""
    if not value.isascii():
        value = charsets.decoded(value.encode("utf-8", "surrogateescape"), "")
    return _SPACES.sub(" ", _words_decoded(value)).strip()


def header(part: Part, name: str) -> str:
    """The first header of that name in one line; empty where there is none."""
    return decoded(part.get(name, ""))


def address(value: str) -> tuple[str, str]:
    """Display name and address, the latter in small letters, of the first address in a From; empty where there is none.

    An address within a quoted or encoded display name is never taken for the sender's.
    """
    plain = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), value)
    match = _ANGLED.search(plain) or _BARE.search(plain)
    if match is None:
        value = plain = decoded(value)
        match = _ANGLED.search(plain) or _BARE.search(plain)
    if match is None or not (found := decoded(match[1]).lower()).isprintable() or len(found) > LONGEST_ID:
        return "", ""
    before = value[: match.start()].strip().strip('"').strip() if match.re is _ANGLED else ""
    return decoded(before).strip('"'), found


def message_ids(value: str) -> list[str]:
    """The Message-IDs in a header in their order, each `<…@…>`; what folding or encoding did to them is undone."""
    return [f"<{_SPACES.sub('', match)}>" for match in _ID.findall(decoded(value) if "=?" in value else value)]


def identity(part: Part, raw: bytes) -> str:
    """What tells a mail from every other: its Message-ID without brackets, or a hash of its bytes where it has none."""
    value = part.get("message-id", "")
    found = message_ids(value)
    cleaned = found[0].strip("<>") if found else _SPACES.sub("", decoded(value))
    if not cleaned or not cleaned.isprintable():
        return f"sha256:{sha256(raw).hexdigest()}"
    return cleaned if len(cleaned) <= LONGEST_ID else f"sha256:{sha256(cleaned.encode(errors='replace')).hexdigest()}"


def sent_at(part: Part, received_at: datetime) -> datetime:
    """When the mail was written by its own Date where that can be true, else when it came in."""
    try:
        date = parsedate_to_datetime(decoded(part.get("date", "")))
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date if received_at - EARLIEST <= date <= received_at + LATEST else received_at
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at


def language(part: Part) -> str:
    """The first tag of Content-Language, such as `de-AT`; empty where there is none."""
    tag = header(part, "content-language").split(",")[0].strip()
    return tag if _LANGUAGE.fullmatch(tag) else ""


def _words_decoded(value: str) -> str:
    pieces: list[str] = []
    pending, charset, at = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        # Some programs cut a character in two: neighbours in one charset are one.
        if between.strip() or word[1].lower() != charset:
            pieces += charsets.decoded(pending, charset), between if between.strip() or not pending else ""
            pending, charset = b"", word[1].lower()
        pending += _word_content(word[2], word[3])
        at = word.end()
    return "".join([*pieces, charsets.decoded(pending, charset), value[at:]])


def _word_content(encoding: str, text: str) -> bytes:
    if encoding in "Qq":
        return decodestring(text.replace("_", " ").encode(errors="replace"))
    try:
        return a2b_base64(text.encode(errors="replace") + b"===")
    except Base64Error:
        return text.encode(errors="replace")
