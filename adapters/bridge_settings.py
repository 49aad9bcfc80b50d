"""Settings of a platform's message bridge."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from standardwebhooks import Webhook

from aftersales.sending import LONGEST


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is no address of a bridge; write one such as https://bridge.example.com/messages")
    return text


def _secret(secret: SecretStr) -> SecretStr:
    try:
        Webhook(secret.get_secret_value())
    except Exception:
        # What is wrong with it would tell a part of it.
        raise ValueError("it is no Standard Webhooks secret; write whsec_ and base64") from None
    return secret


BridgeUrl: TypeAlias = Annotated[str, AfterValidator(_url)]
Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_secret)]


class Bridge(BaseModel):
    """A platform's message bridge, for one shop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True, hide_input_in_errors=True)

    url: BridgeUrl
    """Where letters are posted to."""
    secret: Secret
    """The secret that letters are signed with (Standard Webhooks, `whsec_` and base64)."""
    html: bool = False
    """Whether letters are sent as HTML too, beside plain text."""
    timeout: float = Field(3, gt=0, le=LONGEST)
    """Seconds until the bridge must have answered."""
