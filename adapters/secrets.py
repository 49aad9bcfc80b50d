"""The secret of an installation that was given none."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from pydantic import SecretStr

from adapters.files import write_new

_BYTES = 32


def own_secret(folder: Path) -> SecretStr:
    """The Standard Webhooks secret in the file `secret` of the data folder, made where there is none.

    Raises:
        OSError: the file cannot be read or made.
    """
    file = folder / "secret"
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        # Whoever comes second finds the first one's.
        write_new(file, f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}\n".encode())
    return SecretStr(file.read_text().strip())
