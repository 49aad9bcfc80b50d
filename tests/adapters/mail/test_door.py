"""Raw mail in, one raw event out."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from adapters.mail import AttachmentStore, MailDoor, MailSettings
from aftersales.events import CustomerReplied, parse_event
from aftersales.ports import Unavailable
from aftersales.records import Unreadable
from tests.adapters.mail.corpus import EVERY, GMAIL, LETTER, NOW, raw

PHOTO = b"\xff\xd8\xff\xe0" + b"photo" * 2000
WITH_PHOTO = raw(
    f"""
From: ada@example.com
In-Reply-To: {LETTER}
Message-ID: <p-1@example.com>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

It is broken.
--b
Content-Type: image/heic; name="IMG 1.HEIC"
Content-Transfer-Encoding: base64

{base64.encodebytes(PHOTO).decode()}
--b
Content-Type: application/pdf; name="bill.pdf"
Content-Transfer-Encoding: base64

TVqQAAMAAAA=
--b--
"""
)


def door(folder: Path, **settings: object) -> MailDoor:
    given = MailSettings.model_validate({"attachments": {"public_url": "https://shop.example"}, **settings})
    return MailDoor(given, AttachmentStore(folder, given.attachments))


async def test_a_mail_with_a_photo_is_one_event_however_often_it_comes(tmp_path: Path) -> None:
    first = await door(tmp_path).take(WITH_PHOTO, "lumen", NOW)
    assert await door(tmp_path).take(WITH_PHOTO, "lumen", NOW) == first
    reply = parse_event(first)
    assert isinstance(reply, CustomerReplied)
    assert reply.text == "It is broken.\n\n-- \n[attachment left out: bill.pdf, of a kind that is not taken]"
    token, name = reply.attachments[0].split("/")[-2:]
    kept = AttachmentStore(tmp_path, MailSettings().attachments).open(token, name)
    assert kept is not None
    assert kept[0].read_bytes() == PHOTO


async def test_a_mail_that_cannot_be_taken_is_handed_on_with_the_reason(tmp_path: Path) -> None:
    refused = await door(tmp_path, largest=100).take(raw(GMAIL), "lumen", NOW)
    assert isinstance(refused, Unreadable)
    assert "the most is 100" in refused.reason
    assert refused.text.startswith("Return-Path")


async def test_a_machines_attachments_are_not_kept(tmp_path: Path) -> None:
    await door(tmp_path).take(b"Auto-Submitted: auto-replied\r\n" + WITH_PHOTO, "lumen", NOW)
    assert list(tmp_path.iterdir()) == []


async def test_without_room_for_attachments_the_mail_can_come_again(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Unavailable):
        await door(tmp_path / "taken").take(WITH_PHOTO, "lumen", NOW)


@pytest.mark.parametrize("name", EVERY)
async def test_every_kind_of_mail_is_a_cloud_event(tmp_path: Path, name: str) -> None:
    event = await door(tmp_path).take(EVERY[name], "lumen", NOW)
    assert isinstance(event, dict)
    assert event["specversion"] == "1.0"
    assert event["type"] in ("customer.replied", "letter.bounced", "mail.ignored")
    assert event["subject"] == "A-1001"
