"""`GET /attachments/{token}/{name}`: a file that came with a mail, for whoever has its unguessable token.

Nothing is listed, and a browser only saves it: it was written by somebody whom we do not know.
"""

from __future__ import annotations

import asyncio
import re

from starlette.responses import FileResponse, Response

from adapters.http.gate import Gate
from adapters.http.problems import Problem

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,255}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,128}")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store"}


async def serve_attachment(gate: Gate, token: str, name: str) -> Response:
    """The file, to be saved under its name.

    Raises:
        Problem: there is none.
    """
    found = None
    if _TOKEN.fullmatch(token) and _NAME.fullmatch(name):
        found = await asyncio.to_thread(gate.door.attachments, token, name)
    if found is None or not found[0].is_file():
        raise Problem("not-found", "no attachment has this token and name")
    path, media = found
    media = media if _MEDIA_TYPE.fullmatch(media) else "application/octet-stream"
    return FileResponse(path, media_type=media, headers=_HEADERS, filename=name, content_disposition_type="attachment")
