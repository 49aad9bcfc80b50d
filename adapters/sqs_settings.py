"""Settings of a queue of Amazon SQS."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

LONGEST_HIDDEN = 43_200
"""Seconds for which SQS keeps a message hidden at most."""


class SqsSettings(BaseModel):
    """A queue of Amazon SQS. Credentials come by the chain of AWS: environment, profile, role."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    queue_url: str = Field(pattern=r"^https?://\S+$")
    """The queue's URL."""
    dead_letter_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Where messages go that failed too often; where it is empty, the dead-letter queue of the redrive policy."""
    region: str = ""
    """The region, such as `eu-west-1`; where it is empty, the one in `queue_url`, else that of the AWS profile."""
    endpoint_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Another address of SQS than Amazon's, for a stand-in."""
    wait: int = Field(default=20, ge=0, le=20)
    """Seconds that SQS waits for a first message."""
    visibility: int = Field(default=60, ge=3, le=LONGEST_HIDDEN)
    """Seconds after which a message of a process that died comes again."""
