"""Evidence packs as folders: a page to print, the files that it names, and all of it as one archive.

`<folder>/<case>-<hash>/<number>/index.html`, with `evidence.zip` beside it. The hash is that of the case's run, so
that a case that opens anew does not find the packs of the one before.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from typing_extensions import override

from adapters.database.views import Views
from adapters.outbox import written
from aftersales.evidence import MANIFEST, EvidencePack, EvidenceRequest, OrderRecord, SentLetter, built, pack
from aftersales.ports import EvidenceLocker
from aftersales.records import CommandRecord, LetterRecord

ARCHIVE = "evidence.zip"
_ALL = 100_000
_LONGEST = 60


class EvidenceFolder(EvidenceLocker):
    """Builds packs below a folder, from the database and the letters in the outbox."""

    def __init__(self, folder: Path, views: Views, outbox: Path) -> None:
        """`folder` is made with the first pack."""
        self._folder, self._views, self._outbox = folder, views, outbox

    @override
    async def build(self, request: EvidenceRequest) -> EvidencePack:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", request.case.case_id)[:_LONGEST]
        run = sha256(f"{request.case.case_id}#{request.case.trigger}".encode()).hexdigest()[:8]
        home = self._folder / f"{name}-{run}" / str(request.number)
        if (manifest := home / MANIFEST).exists():
            return built(manifest.read_bytes())
        record = await self._record(request)
        summary, files = pack(request, record, home.relative_to(self._folder.parent).as_posix())
        if await asyncio.to_thread(_written, home, files):
            return summary
        return built(manifest.read_bytes())

    async def _record(self, request: EvidenceRequest) -> OrderRecord:
        """What the database and the outbox have of the order, over all its cases."""
        order_id, shop = request.case.order_id, request.case.shop
        cases = [case for case in await self._views.cases(order_id=order_id, limit=_ALL) if case.shop == shop]
        stories = [await self._views.case_story(case_id) for case_id in sorted({case.case_id for case in cases})]
        told = sorted((line for story in stories for line in story), key=lambda line: line.at)
        letters = [line.what for line in told if isinstance(line.what, LetterRecord)]
        events = await self._views.events(order_id=order_id, limit=_ALL)
        return OrderRecord(
            events=sorted(events, key=lambda event: (event.happened_at or event.received_at, event.source, event.id)),
            letters=[SentLetter(letter, self._mail(letter)) for letter in letters],
            commands=[line.what for line in told if isinstance(line.what, CommandRecord)],
            payments=[money for money in await self._views.money(order_id) if money.case.shop == shop],
        )

    def _mail(self, letter: LetterRecord) -> bytes | None:
        """The e-mail as it went out; None where the outbox of this machine does not have it."""
        file = written(self._outbox, letter.case.order_id, letter.key) if letter.sent_at else None
        return file.read_bytes() if file else None


def _written(home: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder, whole or not at all; False where another try was there first."""
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=home.parent))
    try:
        for name, content in {**files, ARCHIVE: _archive(files)}.items():
            (draft / name).parent.mkdir(exist_ok=True)
            (draft / name).write_bytes(content)
        draft.rename(home)
    except OSError:
        if not (home / MANIFEST).exists():
            raise
        return False
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _archive(files: Mapping[str, bytes]) -> bytes:
    """The files as one archive; without times of its own, so that the same files give the same bytes."""
    archive = BytesIO()
    with ZipFile(archive, "w") as zipped:
        for name, content in sorted(files.items()):
            zipped.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return archive.getvalue()
