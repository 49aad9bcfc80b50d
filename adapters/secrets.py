"""The secret of an installation that was given none."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

_BYTES = 32


def own_secret(folder: Path) -> SecretStr:
    """The Standard Webhooks secret in the file `secret` of the data folder, made where there is none.

    Raises:
        OSError: the file cannot be read or made.
    """
    file = folder / "secret"
    folder.mkdir(parents=True, exist_ok=True)
    new = f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"
    # Whoever comes second finds the first one's: a link is made whole or not at all.
    draft = folder / f".secret-{os.getpid()}"
    try:
        draft.touch(mode=0o600)
        draft.write_text(f"{new}\n")
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return SecretStr(file.read_text().strip())
