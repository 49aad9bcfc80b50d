"""Settings of mail in: what is taken, and whose addresses, lists and order ids are ours."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adapters.mail.sniffing import KINDS
from adapters.values import Pattern


def _lower(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.strip("<> ").lower() for name in names)


def _base(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s|[?#]", url)):
        raise ValueError(f"{url!r} is no address; write https://host/path")
    return url.rstrip("/")


def _known(types: frozenset[str]) -> frozenset[str]:
    if strange := sorted(types - KINDS.keys()):
        raise ValueError(f"{strange[0]!r} is not recognised; choose from {', '.join(sorted(KINDS))}")
    return types


_Names = Annotated[frozenset[str], AfterValidator(_lower)]


class AttachmentSettings(BaseModel):
    """Which attachments are kept, and where people find them."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    public_url: Annotated[str, AfterValidator(_base)] = ""
    """The address under which kept files are served, without `/attachments`; empty keeps no files."""
    per_file: int = Field(default=15_000_000, gt=0)
    """The largest file that is kept, in bytes."""
    total: int = Field(default=25_000_000, gt=0)
    """The most that is kept of one mail, in bytes."""
    most: int = Field(default=10, ge=0)
    """The most files that are kept of one mail."""
    types: Annotated[frozenset[str], AfterValidator(_known)] = frozenset(KINDS)
    """The media types that are kept, as the content shows them; the name and what the sender says count for nothing."""


class MailSettings(BaseModel):
    """What mail is taken and how it is read."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    largest: int = Field(default=35_000_000, gt=0)
    """The largest mail that is read, in bytes as it came."""
    most_lines: int = Field(default=500_000, gt=0)
    """The most lines of a mail that is read; a mail of 35 MB in usual lines has 450,000."""
    most_parts: int = Field(default=100, gt=0)
    """The most parts of a mail that is read."""
    deepest: int = Field(default=15, gt=0)
    """How deep its parts may be nested."""
    own_addresses: _Names = frozenset()
    """The addresses that our letters come from; mail from them is ours and came back."""
    own_lists: _Names = frozenset()
    """The List-Ids of groups through which the shop itself receives customers' mail."""
    order_ids: Pattern = ""
    """A regular expression of what order ids look like; with it nothing else in a mail is taken for one."""
    order_ids_of: dict[str, Pattern] = {}
    """The same by the shop's name, for shops whose order ids look otherwise."""
    attachments: AttachmentSettings = AttachmentSettings()
    """Which attachments are kept."""

    def order_ids_for(self, shop: str) -> re.Pattern[str] | None:
        """What the shop's order ids look like; None where nobody said so."""
        pattern = self.order_ids_of.get(shop, self.order_ids)
        return re.compile(pattern) if pattern else None
