"""`demo`: a day of order events, squeezed into a minute, on an embedded Temporal server.

`day.yaml` is the day and how it must end; touch it when a process gets a rule that people should see. `player.py` plays
it, `feed.py` watches the cases, `screen.py` and `summary.py` show them, `machinery.py` is what all of it runs on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave all of it up at the end, until Ctrl-C.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder for database, letters and logs, emptied first.", show_default=".aftersales/demo"),
    ] = None,
) -> None:
    """Play a day of order events on an embedded Temporal server; ends by itself within 90 seconds."""
    # What follows takes two seconds to import.
    print("Aftersales demo: starting Temporal, a worker and a day of order events …", flush=True)
    from cli.demo.run import play_day
    from cli.running import run

    run(lambda settings: play_day(data or settings.data / "demo", keep=keep))
