"""Settings of a platform's message bridge."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from adapters.values import WebAddress, WebhookSecret
from aftersales.sending import LONGEST


class Bridge(BaseModel):
    """A platform's message bridge, for one shop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True, hide_input_in_errors=True)

    url: WebAddress = Field(min_length=1)
    """Where letters are posted to."""
    secret: WebhookSecret
    """The secret that letters are signed with (Standard Webhooks, `whsec_` and base64)."""
    html: bool = False
    """Whether letters are sent as HTML too, beside plain text."""
    timeout: float = Field(3, gt=0, le=LONGEST)
    """Seconds until the bridge must have answered."""
