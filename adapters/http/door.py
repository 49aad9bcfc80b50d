"""What the HTTP door is made of: all that it uses comes in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from adapters.http.seen import Seen
from adapters.http.senders import Senders
from adapters.http.settings import HttpDoor, Platform
from aftersales.ports import Intake
from aftersales.records import Unreadable


class Translate(Protocol):
    """Makes events of a platform's webhook."""

    def __call__(
        self, platform: Platform, headers: Mapping[str, str], payload: object, *, shop: str, received_at: datetime
    ) -> list[dict[str, object]]:
        """The events that follow from it; header names are in lower case, `payload` is decoded JSON.

        Raises:
            Untranslated: none does; the text says why.
        """
        ...


class ReadMail(Protocol):
    """Makes an event of a raw mail."""

    def __call__(self, raw: bytes, shop: str, received_at: datetime) -> Awaitable[Mapping[str, object] | Unreadable]:
        """The event, or what cannot be read and why. Attachments are stored before it returns."""
        ...


FindAttachment = Callable[[str, str], tuple[Path, str] | None]
"""Token and name of an attachment to its file and media type; None where there is none. Runs in a thread."""
Check = Callable[[], Awaitable[object]]
"""Raises where what it checks is not ready; `Unavailable` with a text for the log."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Door:
    """The parts of the HTTP door."""

    intake: Intake
    settings: HttpDoor
    senders: Senders
    seen: Seen
    translate: Translate
    read_mail: ReadMail
    attachments: FindAttachment
    checks: Mapping[str, Check] = field(default_factory=dict)
    """What readiness asks, by name."""
    clock: Callable[[], datetime] = _now
    """Tells the time (aware)."""
