"""How each platform signs its webhooks: HMAC-SHA256 over the raw body, each in a header and a writing of its own.

Shopify: base64 in X-Shopify-Hmac-SHA256, the key is the app's client secret. AfterShip Tracking: base64 in
aftership-hmac-sha256 (its products Returns and Shipping have other headers and are not meant here). EasyPost: hex in
X-Hmac-Signature behind `hmac-sha256-hex-digest=`, the key in Unicode form NFKD. WooCommerce: base64 in
X-WC-Webhook-Signature. None of them signs a time: a copy is stopped by the identity of its event.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from starlette.datastructures import Headers

from adapters.http.problems import Problem
from adapters.http.settings import Platform

_PING = re.compile(rb"webhook_id=[0-9]{1,20}")


class Scheme(NamedTuple):
    """Where a platform's signature stands and how it is made from secret and body."""

    header: str
    sign: Callable[[str, bytes], str]


def _base64(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def _easypost(secret: str, body: bytes) -> str:
    key = unicodedata.normalize("NFKD", secret).encode()
    return f"hmac-sha256-hex-digest={hmac.digest(key, body, 'sha256').hex()}"


SCHEMES: Mapping[Platform, Scheme] = {
    "shopify": Scheme("x-shopify-hmac-sha256", _base64),
    "aftership": Scheme("aftership-hmac-sha256", _base64),
    "easypost": Scheme("x-hmac-signature", _easypost),
    "woocommerce": Scheme("x-wc-webhook-signature", _base64),
}


def check_signature(platform: Platform, headers: Headers, body: bytes, secrets: Sequence[str]) -> None:
    """Have a platform's webhook refused that none of the secrets signed.

    Raises:
        Problem: the signature is missing or wrong. An unknown shop has no secrets, and looks the same.
    """
    scheme = SCHEMES[platform]
    challenge = {"WWW-Authenticate": f'{platform.capitalize()} realm="aftersales"'}
    given = headers.get(scheme.header, "").encode(errors="replace")
    if not given:
        raise Problem("signature-missing", f"missing: {scheme.header}", headers=challenge)
    # Without a secret one signature is made all the same, so that time does not tell which shops there are.
    fits = [hmac.compare_digest(scheme.sign(secret, body).encode(), given) for secret in secrets or ("nobody",)]
    if not (secrets and any(fits)):
        said = f"{scheme.header} does not fit: check the shop in the path and the secret that {platform} shows"
        raise Problem("signature-wrong", said, headers=challenge)


def is_ping(platform: Platform, headers: Headers, body: bytes) -> bool:
    """Whether this is the unsigned form that WooCommerce posts when a webhook is made; it says nothing of an order."""
    return (
        platform == "woocommerce"
        and headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        and _PING.fullmatch(body) is not None
    )
