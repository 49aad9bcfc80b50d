"""Makes the picture of the README: `python -m tests.e2e.picture docs/case-in-web-ui.png`.

A case that waits for an operator, as the Web UI shows it, in a window of 1400 pixels.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.e2e.browser import open_page
from tests.e2e.test_web_ui import CASE, waiting
from tests.plant import plant


async def take(file: Path) -> None:
    """Bring a case to its question and save its page."""

    def look(ui_url: str) -> None:
        with open_page(ui_url, CASE, height=1440) as page:
            page.metadata()
            page.picture(file)

    with tempfile.TemporaryDirectory() as folder:
        async with plant(Path(folder), "extends: default.yaml\n") as running:
            await waiting(running)
            await asyncio.to_thread(look, running.server.ui_url)


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
