"""Shops take turns: the flood of one does not hold up the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.settings import Settings
from tests.events import return_requested
from tests.workflows.conftest import without_worker, working

FLOOD, FEW = 150, 3


async def test_a_flood_of_one_shop_delays_its_own_cases(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with without_worker(settings) as shop:
        await shop.starter.handle_all([return_requested(f"A-{number}") for number in range(FLOOD)])
        await shop.starter.handle_all([return_requested(f"B-{number}", shop="shop-b") for number in range(FEW)])
        async with working(shop, settings):
            for _ in range(1200):
                letters = await shop.store.views.letters()
                if len(letters) == FLOOD + FEW:
                    break
                await asyncio.sleep(0.05)
    in_turn = [letter.case.shop for letter in sorted(letters, key=lambda letter: letter.sent_at or letter.claimed_at)]
    assert len(in_turn) == FLOOD + FEW
    last = max(place for place, name in enumerate(in_turn, 1) if name == "shop-b")
    # Without turns it is the very last one. The server keeps several queues side by side, so turns are not exact.
    assert last < 0.8 * len(in_turn), f"the last letter of the small shop was number {last} of {len(in_turn)}"
