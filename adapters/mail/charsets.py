"""Bytes to text, also where the charset that a mail names is wrong, unknown or missing. Nothing here raises."""

from __future__ import annotations

import codecs
import re

_USABLE = ("ascii", "utf", "iso8859", "iso2022", "cp", "gb", "big5", "hz", "shift_jis", "euc", "koi8", "mac", "johab")
"""What the names of charsets of mail begin with; other codecs of Python are no charsets, some of them slow or noisy."""
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso2022_jp": "iso2022_jp_2004",
}
"""Programs name the narrow charset and write the wider one."""
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_ONE_BYTE = ("ascii", "iso8859", "cp125", "mac")
_MANY_BYTES_SHARE = 0.4


def decoded(content: bytes, charset: str) -> str:
    """The text, in the charset that is named as far as that can be true; unreadable bytes become U+FFFD."""
    return _UNSAFE.sub("", _read(content, _codec(charset)))


def _read(content: bytes, name: str) -> str:
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = "utf-8-sig" if content[0] == 0xEF else "utf-16"
    for candidate in _candidates(name, content):
        # ESC $ B with a sign of another maker's row, such as a circled number, is only in the wider set.
        source = content.replace(b"\x1b$B", b"\x1b$(Q") if candidate == "iso2022_jp_2004" else content
        try:
            return source.decode(candidate)
        except (UnicodeError, LookupError):
            continue
    text = content.decode(name or "cp1252", "replace")
    # A few bad bytes are damage; where hardly any letter beyond ASCII can be read, the charset is another one.
    return text if text.count("\ufffd") * 2 < _high(content) else content.decode("cp1252", "replace")


def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset.strip("\"' \t")).name
    except (LookupError, ValueError):
        return ""
    return name if name.startswith(_USABLE) else ""


def _candidates(name: str, content: bytes) -> list[str]:
    wider = _WIDER.get(name, "")
    named = [codec for codec in ((name, wider) if wider.startswith("iso2022") else (wider, name)) if codec]
    if b"\x1b$" in content and not name.startswith("iso2022"):
        return ["iso2022_jp", "iso2022_jp_2004", *named]
    if not name or name.startswith(_ONE_BYTE):
        # Text in one byte a letter hardly ever happens to be good UTF-8.
        return ["utf-8", *_eastern(content), *named]
    return [*named, "utf-8", *_eastern(content)]


def _eastern(content: bytes) -> list[str]:
    """Chinese without its charset: most bytes are no ASCII, which no western text is."""
    return ["gb18030"] if _high(content) > _MANY_BYTES_SHARE * len(content) else []


def _high(content: bytes) -> int:
    return len(content) - len(content.translate(None, bytes(range(128, 256))))
