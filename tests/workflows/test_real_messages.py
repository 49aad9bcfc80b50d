"""Real customers' messages, each about an order of its own: none is lost, and none does what its customer did not ask.

The corpora lie beside the checkout and are read there; `./dev bench messages` sends three hundred.
"""

from __future__ import annotations

import pytest

from benchmarks.messages import OPERATOR, STATES, drawn, gone, misread, placed, present

pytestmark = pytest.mark.skipif(not present(), reason="the corpora lie beside the checkout and are not here")


async def test_real_messages_are_not_lost_and_pay_or_cancel_nothing_that_was_not_asked_for() -> None:
    places = await placed(drawn(24))
    assert len(places) == 24
    assert not gone(places)
    assert not list(misread(place for place in places if place.harmful))
    assert {place.order for place in places} == set(STATES)
    assert {place.to for place in places} > {OPERATOR}
