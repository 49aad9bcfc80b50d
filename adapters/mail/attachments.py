"""Attachments: kept once by content, under a token that nobody can guess, and found again by it.

`files/<token>.<ending>` is the content, `tokens/<hash of the content>` names its file. Both are written whole or not at
all, the content first, so that a name is never there without its file.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adapters.files import write_new, write_whole
from adapters.mail.body import Attachment
from adapters.mail.settings import AttachmentSettings
from adapters.mail.sniffing import KINDS, media_type
from aftersales.ports import Unavailable

_TYPES = {ending: kind for kind, ending in KINDS.items()}
_FILE = re.compile(r"[A-Za-z0-9_-]{32}\.[a-z0-9]{3,4}")
_TOKEN_BYTES = 24
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Kept:
    """Where the kept attachments of a mail are, and of the others what they were and why they were left out."""

    urls: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class AttachmentStore:
    """Keeps attachments in a folder."""

    def __init__(self, folder: Path, settings: AttachmentSettings) -> None:
        """`folder` is made when the first file is kept."""
        self._folder, self._settings = folder, settings

    def keep(self, attachments: Sequence[Attachment]) -> Kept:
        """Keep what may be kept of one mail's attachments; the same content again has the same address.

        Raises:
            Unavailable: the folder cannot be written.
        """
        urls: dict[str, None] = {}
        left_out: list[str] = []
        total, seen = 0, set[str]()
        for attachment in attachments:
            digest = sha256(attachment.content).hexdigest()
            if digest in seen:
                continue
            kind = media_type(attachment.content)
            if kind is None or (why := self._refused(kind, attachment, total, len(seen))):
                why = "of a kind that is not taken" if kind is None else why
                left_out.append(f"{attachment.name}, {why}")
                continue
            seen.add(digest)
            total += len(attachment.content)
            token = self._stored(digest, attachment.content, KINDS[kind])
            urls[f"{self._settings.public_url}/attachments/{token}/{safe_name(attachment.name, kind)}"] = None
        return Kept(tuple(urls), tuple(left_out))

    def open(self, token: str, name: str) -> tuple[Path, str] | None:
        """The file under a token and its media type; None where there is none by that token and name."""
        kind = _TYPES.get(name.rpartition(".")[2])
        if kind is None or not _FILE.fullmatch(file := f"{token}.{KINDS[kind]}") or name != safe_name(name, kind):
            return None
        path = self._folder / "files" / file
        return (path, kind) if path.is_file() else None

    def _refused(self, kind: str, attachment: Attachment, total: int, count: int) -> str:
        limits, size = self._settings, len(attachment.content)
        if not limits.public_url:
            return "no files are kept here"
        if kind not in limits.types:
            return "of a kind that is not taken"
        if size > limits.per_file:
            return f"larger than {limits.per_file / 1_000_000:g} MB"
        if total + size > limits.total:
            return f"all of them are larger than {limits.total / 1_000_000:g} MB"
        return f"more than {limits.most} files" if count >= limits.most else ""

    def _stored(self, digest: str, content: bytes, ending: str) -> str:
        try:
            return self._stored_once(digest, content, ending)
        except OSError as error:
            raise Unavailable(
                f"attachments cannot be kept in {self._folder}: {error.strerror}; "
                "make room, give the process leave to write there, or set another folder"
            ) from error

    def _stored_once(self, digest: str, content: bytes, ending: str) -> str:
        files, tokens = self._folder / "files", self._folder / "tokens"
        for folder in (files, tokens):
            folder.mkdir(parents=True, exist_ok=True)
        entry = tokens / digest
        if not entry.exists():
            token = secrets.token_urlsafe(_TOKEN_BYTES)
            write_whole(files / f"{token}.{ending}", content)
            if write_new(entry, f"{token}.{ending}".encode()):
                return token
            # Another process was quicker.
            (files / f"{token}.{ending}").unlink()
        file = entry.read_text("ascii")
        if not (files / file).exists():
            write_whole(files / file, content)
        return file.partition(".")[0]


def safe_name(name: str, kind: str) -> str:
    """A file's name as an address may carry it; its ending is that of what the file is."""
    stem = name.rpartition(".")[0] or name
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', stem).strip('_')[:_LONGEST_NAME] or 'attachment'}.{KINDS[kind]}"
