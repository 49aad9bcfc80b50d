"""The demo from its first to its last line."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from aftersales.policies import Policies
from aftersales.policy import load_policy
from cli.demo.day import load_day
from cli.demo.feed import Feed
from cli.demo.machinery import Machine, demo_settings, fresh_folder, machine
from cli.demo.player import Player
from cli.demo.screen import Screen, shown, shown_dev
from cli.demo.summary import print_pairs, summary
from cli.running import INTERRUPTED, Stop
from cli.show import console
from starter import Starter

ENDS_WITHIN = 82.0
"""Seconds from the start after which the day is cut short: stopping everything has to fit into 90."""


async def play_day(data: Path, *, keep: bool) -> int:
    """Play the day on a machine of its own; the exit code is 0 only when everything ended as the day says."""
    began = time.monotonic()
    work = asyncio.create_task(_play_day(data, keep=keep, began=began))
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        print("stopped", flush=True)
        return INTERRUPTED


async def _play_day(data: Path, *, keep: bool, began: float) -> int:
    day, settings, out = load_day(), demo_settings(data), console()
    policy = load_policy(settings.policy, settings.law)
    with fresh_folder(settings.data):
        async with machine(settings) as running:
            out.print(f"Web UI: {running.server.ui_url}", soft_wrap=True)
            feed = Feed(running.store, running.server.client, day.languages())
            starter = Starter(running.server.client, running.store, Policies(policy), settings)
            player = Player(day, starter, running.server.client, feed)
            screen = Screen(out, feed, running.server, settings.data)
            await _until_closed(running, player, screen, within=ENDS_WITHIN - (time.monotonic() - began))
            await feed.look()
            screen.end()
            problems = player.problems()
            out.print(_verdict(problems, feed), soft_wrap=True)
            print_pairs(out, await summary(running.store, duplicates=player.duplicates))
            out.print()
            print_pairs(out, _ways(settings.data, running.server.ui_url if keep else ""), wrap=False)
            if keep:
                with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C ends it, as it was told to
                    raise await running.broken()
    return 1 if problems else 0


async def _until_closed(running: Machine, player: Player, screen: Screen, *, within: float) -> None:
    """Play and show until every case of the day is closed, or `within` seconds are over. Raises what breaks."""
    doings: list[Coroutine[Any, Any, Stop | None]]
    doings = [running.broken(), player.play(), player.feed.watch(), screen.show()]
    tasks = [asyncio.create_task(doing) for doing in doings]
    try:
        await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ended:
        if isinstance(end, Exception):
            raise end


def _verdict(problems: Sequence[str], feed: Feed) -> Text:
    if not problems:
        return Text(f"\nThe day is over after {feed.elapsed:.0f} s, and every case ended as it should.\n", "bold green")
    return Text("\nNot everything went as it should:\n" + "".join(f"  {it}\n" for it in problems), "bold red")


def _ways(data: Path, ui_url: str) -> list[tuple[str, str]]:
    """Where to look, and what to try next."""
    folder = shown(data)
    if ui_url:
        web = f"{ui_url} stays up until Ctrl-C"
        next_step = (
            f"open a case in the Web UI and read its story, or AFTERSALES_DATA={folder} {shown_dev()} cases --all"
        )
    else:
        web = f"went with the demo; {shown_dev()} demo --keep leaves it up"
        next_step = f"{shown_dev()} demo --keep, then open a case in the Web UI and read its story"
    return [
        ("Web UI", web),
        ("letters", f"{folder}/letters: any mail program opens them"),
        ("database", f"{folder}/aftersales.db"),
        ("figures", f"AFTERSALES_DATA={folder} {shown_dev()} report --from {datetime.now(UTC):%Y-%m-%d}"),
        ("try", next_step),
        ("try", "change restocking_fee in policies/default.yaml or a sentence in templates/, and run the demo again"),
    ]
