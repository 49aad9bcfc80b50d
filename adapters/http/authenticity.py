"""Who sent a request: Standard Webhooks signatures, and the credentials of mail providers.

The library `standardwebhooks` is not used to verify: it takes `1e9` and ` 17.5 ` as timestamps and junk within a
signature, raises whatever malformed headers lead to, reads text only, and knows one secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from starlette.datastructures import Headers

from adapters.http.problems import Problem
from adapters.http.signing import signature

Who = TypeVar("Who")

MOST_SIGNATURES = 10
"""Signatures in one header that are looked at."""
# A full stop separates id, timestamp and content in what is signed: an id with one could be read in two ways.
_ID = re.compile(r"[!-\-/-~]{1,200}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_ONCE = ("content-type", "content-encoding", "authorization", "aftership-hmac-sha256", "x-hmac-signature")
_ONCE_BEGINS = ("ce-", "webhook-", "x-shopify-", "x-wc-")
_CHALLENGE = {"WWW-Authenticate": 'StandardWebhooks realm="aftersales"'}


@dataclass(frozen=True)
class Claim:
    """What the headers of a signed request say: the message's id, when it was signed, its signatures."""

    id: str
    timestamp: str
    signatures: tuple[str, ...]


def refuse_repeated(headers: Headers) -> None:
    """Refuse headers that count and come twice: one part of the way may read the first, another the last.

    Raises:
        Problem: such a header is there twice.
    """
    counts = Counter(name.decode("latin-1") for name, _ in headers.raw)
    for name, count in counts.items():
        if count > 1 and (name in _ONCE or name.startswith(_ONCE_BEGINS)):
            raise Problem("bad-header", f"the header {name} is there more than once")


def claim_of(headers: Headers, now: datetime, tolerance: int) -> Claim:
    """What a signed request claims; its timestamp (Unix seconds) lies within `tolerance` seconds of `now`.

    Raises:
        Problem: a header is missing or malformed, or the timestamp is too old or too new.
    """
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if missing:
        raise Problem("signature-missing", f"missing: {', '.join(missing)}", headers=_CHALLENGE)
    claim = Claim(headers["webhook-id"], headers["webhook-timestamp"], tuple(headers["webhook-signature"].split(" ")))
    if not _ID.fullmatch(claim.id):
        said = "webhook-id must be 1 to 200 printable ASCII characters without space or full stop"
        raise Problem("signature-missing", said, headers=_CHALLENGE)
    if not _TIMESTAMP.fullmatch(claim.timestamp):
        raise Problem("signature-missing", "webhook-timestamp must be whole Unix seconds in digits", headers=_CHALLENGE)
    if len(claim.signatures) > MOST_SIGNATURES:
        said = f"webhook-signature has {len(claim.signatures)} signatures; the most is {MOST_SIGNATURES}"
        raise Problem("signature-missing", said, headers=_CHALLENGE)
    off = now.timestamp() - int(claim.timestamp)
    if abs(off) > tolerance:
        said = f"webhook-timestamp lies {abs(off):.0f} s in the {'past' if off > 0 else 'future'}"
        raise Problem("signature-stale", f"{said}; the most is {tolerance} s", headers=_CHALLENGE)
    return claim


def signer_of(claim: Claim, content: bytes, keys: Iterable[tuple[Who, bytes]]) -> Who:
    """Whose key made one of the signatures over this content. Every key is tried, so that time tells nothing.

    Raises:
        Problem: nobody's.
    """
    found: list[Who] = []
    for who, key in keys:
        expected = signature(key, claim.id, claim.timestamp, content).encode()
        # Every signature is compared, each in constant time.
        if any([hmac.compare_digest(expected, given.encode(errors="replace")) for given in claim.signatures]):
            found.append(who)
    if not found:
        raise Problem("signature-wrong", "none of the signatures in webhook-signature fits", headers=_CHALLENGE)
    return found[0]


def has_token(authorization: str, tokens: Sequence[str]) -> bool:
    """Whether a header `Authorization` carries one of the tokens, as bearer token or as password of HTTP Basic."""
    scheme, _, value = authorization.partition(" ")
    given = value.strip().encode(errors="replace")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    # Digests have one length, so that the comparison does not tell that of the token.
    digest = hashlib.sha256(given).digest()
    return any([hmac.compare_digest(digest, hashlib.sha256(token.encode()).digest()) for token in tokens])
