"""Mail in, in one call: what the HTTP door hands a provider's mail to."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from adapters.mail.attachments import AttachmentStore
from adapters.mail.events import RawEvent, event_of
from adapters.mail.message import read_mail
from adapters.mail.parts import UnreadableMail
from adapters.mail.settings import MailSettings
from aftersales.records import Unreadable

LONGEST_REFUSED = 64 * 1024
"""Bytes that are kept of a mail that cannot be taken."""

_log = structlog.get_logger(__name__)


class MailDoor:
    """Turns raw mail into raw events for `aftersales.ports.Intake`."""

    def __init__(self, settings: MailSettings, attachments: AttachmentStore) -> None:
        """`attachments` keeps the files that come with mail."""
        self._settings, self._attachments = settings, attachments

    async def take(self, raw: bytes, shop: str, received_at: datetime) -> RawEvent | Unreadable:
        """The event that a mail for a shop is, its attachments kept; `Unreadable` where it cannot be taken.

        Reading runs in a thread. The same mail again gives the same event.

        Raises:
            Unavailable: attachments cannot be kept now; the same mail can be handed in again.
            ValueError: `received_at` has no offset.
        """
        return await asyncio.to_thread(self._take, raw, shop, received_at)

    def _take(self, raw: bytes, shop: str, received_at: datetime) -> RawEvent | Unreadable:
        try:
            mail = read_mail(raw, shop=shop, received_at=received_at, settings=self._settings)
            kept = self._attachments.keep(mail.attachments if mail.kind == "message" else ())
            event = event_of(mail, order_ids=self._settings.order_ids_for(shop), urls=kept.urls, left_out=kept.left_out)
        except UnreadableMail as unreadable:
            _log.warning("mail.refused", shop=shop, bytes=len(raw), reason=str(unreadable))
            return Unreadable(raw[:LONGEST_REFUSED].decode("utf-8", "replace"), str(unreadable))
        _log.info(
            "mail.taken", shop=shop, kind=mail.kind, id=mail.id, type=event["type"], order=event.get("subject", "")
        )
        return event
