"""Kinds of values that several settings have."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from adapters.http.signing import key_of


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as fault:
        raise ValueError(f"{text!r} is no regular expression: {fault}") from None
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"{text!r} is no address; write https://host/path")
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


Pattern: TypeAlias = Annotated[str, AfterValidator(_pattern)]
"""A regular expression; empty for none."""
WebAddress: TypeAlias = Annotated[str, AfterValidator(_address)]
"""An address of http or https; empty for none."""
WebhookSecret: TypeAlias = Annotated[SecretStr, AfterValidator(_webhook_secret)]
"""A secret of Standard Webhooks: `whsec_` and base64."""
