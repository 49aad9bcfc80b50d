"""Attachments are kept once by what they are, and found again by a token."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.mail import AttachmentSettings, AttachmentStore
from adapters.mail.body import Attachment
from adapters.mail.sniffing import media_type
from aftersales.ports import Unavailable

BASE = "https://shop.example/door"
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
PDF = b"%PDF-1.7\n%\xe2\xe3\n"


def store(folder: Path, **settings: object) -> AttachmentStore:
    return AttachmentStore(folder, AttachmentSettings.model_validate({"public_url": BASE, **settings}))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (PDF, "application/pdf"),
        ("Größe 3 < 4\n".encode(), "text/plain"),
        (b"MZ\x90\x00", None),
        (b"\x7fELF\x02", None),
        (b"#!/bin/sh\nrm", None),
        (b"PK\x03\x04", None),
        (b"<!DOCTYPE html><p>", None),
        (b"\n <svg xmlns='x'>", None),
        (b"hello <script>x</script>", None),
        (b"<?xml version='1.0'?>", None),
        (b"\x00\x00\x00\x18ftypavif", None),
        (b"", None),
    ],
)
def test_what_a_file_is_stands_in_its_first_bytes(content: bytes, kind: str | None) -> None:
    assert media_type(content) == kind


def test_a_kept_file_is_found_by_token_and_name_only(tmp_path: Path) -> None:
    kept = store(tmp_path).keep([Attachment("../My photo (1).exe", JPEG)])
    assert kept.left_out == ()
    match = re.fullmatch(rf"{BASE}/attachments/([A-Za-z0-9_-]{{32}})/My_photo_1\.jpg", kept.urls[0])
    assert match
    found = store(tmp_path).open(match[1], "My_photo_1.jpg")
    assert found is not None
    assert (found[0].read_bytes(), found[1]) == (JPEG, "image/jpeg")
    for token, name in [
        (match[1], "My_photo_1.pdf"),
        (match[1], "../x.jpg"),
        (match[1], "x.exe"),
        (match[1][:-1] + ("a" if match[1][-1] != "a" else "b"), "My_photo_1.jpg"),
        ("../tokens", "x.jpg"),
        ("", ""),
    ]:
        assert store(tmp_path).open(token, name) is None


def test_the_same_content_again_has_the_same_address(tmp_path: Path) -> None:
    first = store(tmp_path).keep([Attachment("a.jpg", JPEG), Attachment("copy.jpg", JPEG)])
    assert len(first.urls) == 1
    assert store(tmp_path).keep([Attachment("a.jpg", JPEG)]).urls == first.urls
    assert len(files(tmp_path)) == 2


def test_two_that_keep_the_same_at_once_agree_on_the_address(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: store(tmp_path).keep([Attachment("a.jpg", JPEG)]), range(24)))
    assert len({each.urls for each in kept}) == 1
    assert len(files(tmp_path)) == 2


def test_a_file_that_was_lost_is_written_again_under_its_address(tmp_path: Path) -> None:
    urls = store(tmp_path).keep([Attachment("a.jpg", JPEG)]).urls
    next((tmp_path / "files").iterdir()).unlink()
    assert store(tmp_path).keep([Attachment("a.jpg", JPEG)]).urls == urls
    assert len(files(tmp_path)) == 2


def test_what_is_not_kept_is_named_with_the_reason(tmp_path: Path) -> None:
    limited = store(tmp_path, per_file=110, total=200, most=2, types=["image/jpeg", "text/plain"])
    kept = limited.keep(
        [
            Attachment("run.jpg", b"MZ\x90"),
            Attachment("scan.pdf", PDF),
            Attachment("large.jpg", JPEG + b"x" * 10),
            Attachment("a.jpg", JPEG),
            Attachment("b.jpg", JPEG[:-1] + b"y"),
            Attachment("note.txt", b"n"),
            Attachment("more.txt", b"m"),
        ]
    )
    assert [url.rpartition("/")[2] for url in kept.urls] == ["a.jpg", "note.txt"]
    assert kept.left_out == (
        "run.jpg, of a kind that is not taken",
        "scan.pdf, of a kind that is not taken",
        "large.jpg, larger than 0.00011 MB",
        "b.jpg, all of them are larger than 0.0002 MB",
        "more.txt, more than 2 files",
    )


def test_without_a_public_address_no_file_is_kept(tmp_path: Path) -> None:
    kept = store(tmp_path, public_url="").keep([Attachment("a.jpg", JPEG)])
    assert (kept.urls, kept.left_out) == ((), ("a.jpg, no files are kept here",))
    assert files(tmp_path) == []


def test_a_name_in_any_script_is_safe_in_an_address(tmp_path: Path) -> None:
    urls = store(tmp_path).keep([Attachment("照片.jpeg", JPEG), Attachment("a b?c#d%.pdf", PDF)]).urls
    assert [url.rpartition("/")[2] for url in urls] == ["attachment.jpg", "a_b_c_d.pdf"]


def test_a_folder_that_cannot_be_written_is_a_reason_to_try_later(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Unavailable, match="set another folder"):
        store(tmp_path / "taken").keep([Attachment("a.jpg", JPEG)])


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        store(tmp_path).keep([Attachment("a.jpg", JPEG)])
    assert files(tmp_path) == []


@pytest.mark.parametrize("settings", [{"public_url": "shop.example"}, {"types": ["image/svg+xml"]}, {"per_file": 0}])
def test_settings_that_cannot_be_are_refused(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        store(tmp_path, **settings)
