"""Signing as a sender does that puts a CloudEvent's attributes into headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from adapters.http.signing import binary_content, sign

_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def sign_binary(secret: str, id: str, at: datetime, attributes: Mapping[str, str], data: bytes) -> dict[str, str]:
    """All headers of a CloudEvent in binary mode with JSON data: its attributes, the content type, the signature."""
    headers = {f"ce-{name}": quote(value, safe=_PLAIN) for name, value in attributes.items()}
    headers["content-type"] = "application/json"
    return {**headers, **sign(secret, id, at, binary_content(headers, data))}
