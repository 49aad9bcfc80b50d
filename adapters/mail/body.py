"""What a mail says and what hangs on it: its parts sorted into text and attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.mail import charsets, headers
from adapters.mail.flowed import unflowed
from adapters.mail.html_text import text_of
from adapters.mail.parts import Part

LONGEST = 200_000
"""Characters of text that are read of each part."""
LONGEST_NAME = 100
"""Characters of an attachment's name."""
SMALLEST_PHOTO = 5_000
"""Bytes; smaller pictures that a text shows are logos and signs, not photos of a customer."""

_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_REPORTS = frozenset({"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"})
_LONGEST_BYTES = 1_000_000
_NEWLINE = re.compile("\r\n?")


@dataclass(frozen=True)
class Attachment:
    """A file that came with a mail; its name is what the sender calls it, in one line."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Body:
    """The text with plain line ends, the files, and the mails that were attached, each as subject and text."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    forwarded: tuple[tuple[str, str], ...] = ()


def body_of(mail: Part) -> Body:
    """Sort a mail's parts. Plain text goes before HTML; signatures and small inline pictures are left out."""
    found = _Found()
    text = _text(mail, found)
    return Body(text.strip("\n"), tuple(found.attachments), tuple(found.forwarded))


@dataclass
class _Found:
    attachments: list[Attachment] = field(default_factory=list)
    forwarded: list[tuple[str, str]] = field(default_factory=list)


def _text(part: Part, found: _Found) -> str:
    """The text of a part; what hangs on it is put into `found`."""
    kind = part.get_content_type()
    if kind in ("message/rfc822", "message/global") and part.parts:
        inner = part.parts[0]
        found.forwarded.append((headers.header(inner, "subject"), body_of(inner).text))
        return ""
    if part.get_content_maintype() == "multipart" and part.parts:
        return _text_of_many(kind, part.parts, found)
    if kind in _REPORTS or kind in _SIGNATURES:
        return ""
    if _is_file(part, kind):
        _attach(part, found)
        return ""
    # A multipart without its parts is text that somebody called so.
    return html_text(part) if kind == "text/html" else plain_text(part)


def _text_of_many(kind: str, parts: list[Part], found: _Found) -> str:
    if kind == "multipart/alternative":
        return _best(parts, found)
    if kind == "multipart/signed":
        parts = parts[:1]
    return "\n\n".join(text for part in parts if (text := _text(part, found)).strip())


def _best(parts: Iterable[Part], found: _Found) -> str:
    """The plain one of several forms of the same text, else the richest one that says anything."""
    richest = ""
    plain = ""
    for part in parts:
        if part.get_content_type() == "text/calendar":
            continue
        text = _text(part, found)
        if part.get_content_type() == "text/plain" and text.strip():
            plain = plain or text
        elif text.strip():
            richest = text
    return plain or richest


def _is_file(part: Part, kind: str) -> bool:
    maintype = kind.partition("/")[0]
    if maintype == "multipart":
        return False
    disposition = part.get("content-disposition", "").strip().lower()
    named = bool(part.parameter("filename", "content-disposition") or part.parameter("name"))
    return kind not in ("text/plain", "text/html") or disposition.startswith("attachment") or named


def _attach(part: Part, found: _Found) -> None:
    content = part.content()
    disposition = part.get("content-disposition", "").strip().lower()
    shown = part.get("content-id") is not None and not disposition.startswith("attachment")
    if shown and part.get_content_maintype() == "image" and len(content) < SMALLEST_PHOTO:
        return
    found.attachments.append(Attachment(_name(part, len(found.attachments) + 1), content))


def _name(part: Part, number: int) -> str:
    try:
        name = headers.decoded(part.get_filename("") or "")
    except (ValueError, LookupError, TypeError):
        name = ""
    name = "".join(char for char in re.split(r"[/\\]", name)[-1] if char.isprintable()).strip()
    return name[:LONGEST_NAME] or f"attachment-{number}"


def plain_text(part: Part) -> str:
    """The text of a plain part, as it was typed."""
    # QQ Mail writes this into plain text, around the line that begins its quotations.
    text = _read(part).replace("&nbsp;", " ")
    if part.parameter("format").lower() == "flowed":
        return unflowed(text, delete_space=part.parameter("delsp").lower() == "yes")
    return text


def html_text(part: Part) -> str:
    """The text of an HTML part, without what it quotes."""
    return text_of(_read(part, longest=_LONGEST_BYTES))


def texts(part: Part) -> Iterator[str]:
    """All text of a mail, part by part, with reports and returned mails: for what stands somewhere in it."""
    if part.parts:
        for inner in part.parts:
            yield from texts(inner)
    elif part.get_content_maintype() in ("text", "message", "multipart"):
        yield html_text(part) if part.get_content_type() == "text/html" else plain_text(part)


def _read(part: Part, *, longest: int = LONGEST) -> str:
    content = part.content()
    if len(content) > _LONGEST_BYTES:
        # At the end of a line no character is cut in two.
        content = content[: max(content.rfind(b"\n", 0, _LONGEST_BYTES), _LONGEST_BYTES // 2)]
    return _NEWLINE.sub("\n", charsets.decoded(content, part.parameter("charset")))[:longest]
