"""What a file is by its first bytes. Its name and the media type that a sender gives it count for nothing."""

from __future__ import annotations

import re

KINDS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "text/plain": "txt",
}
"""The media types that are recognised, each with the ending that its files get."""

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
    b"qt  ": "video/quicktime",
}
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_ACTIVE = re.compile(r"\s*(?:#!|<[a-z!?/])|<(?:html|svg|script|body|iframe)\b", re.IGNORECASE)


def media_type(content: bytes) -> str | None:
    """One of `KINDS`, or None: programs, archives, HTML, SVG and whatever else is none of them."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12])
    return "text/plain" if _is_text(content) else None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not _CONTROLS.search(text) and not _ACTIVE.match(text) and not _tagged(text)


def _tagged(text: str) -> bool:
    return any(_ACTIVE.match(text, match.start()) for match in re.finditer("<", text))
