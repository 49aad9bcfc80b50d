"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, in the place of one that is there. Only its owner may read it."""
    draft = _draft(path.parent, content)
    try:
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_new(path: Path, content: bytes) -> bool:
    """Write a file unless it is there; whether it was written. Only its owner may read it."""
    draft = _draft(path.parent, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _draft(folder: Path, content: bytes) -> Path:
    descriptor, draft = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return Path(draft)
