"""Signing by Standard Webhooks, for what goes out and for whoever sends to our HTTP door.

The signature covers `<webhook-id>.<webhook-timestamp>.<content>`. The content is the body. For CloudEvents in binary
mode, whose attributes travel in headers, it is a line `<name>: <value>` for every `ce-` header (the name in lower case,
sorted by it, the value as sent), the line of `content-type`, an empty line, and the body.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, as Standard Webhooks asks."""


def key_of(secret: str) -> bytes:
    """The key that a secret `whsec_<base64>` stands for.

    Raises:
        ValueError: it is none; the text does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a webhook secret is {PREFIX} and {SHORTEST} to {LONGEST} random bytes in base64")
    return key


def signature(key: bytes, id: str, timestamp: str, content: bytes) -> str:
    """The signature of one message, `v1,<base64>`.

    The library `standardwebhooks` takes text only and a clock of its own; raw mail is not always UTF-8.
    """
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + content, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def sign(secret: str, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers for a body, for structured and batch mode and everything that is not a CloudEvent.

    `id` names the message and stays the same when it is sent again; it has no full stop. `at` (aware) is now.

    Raises:
        ValueError: the secret is none.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key_of(secret), id, timestamp, body),
    }


def binary_content(headers: Mapping[str, str], body: bytes) -> bytes:
    """What the signature of binary mode covers.

    Header names are in lower case, values as they are sent (percent-encoded). The module's docstring has the form.
    """
    covered = sorted(name for name in headers if name.startswith("ce-"))
    lines = [f"{name}: {headers[name]}\n" for name in [*covered, "content-type"] if name in headers]
    return "".join([*lines, "\n"]).encode() + body
