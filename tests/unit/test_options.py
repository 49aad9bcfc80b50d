from __future__ import annotations

import pytest

from aftersales.options import option_meant


@pytest.mark.parametrize(
    ("given", "options", "meant"),
    [
        ("confirmed", ("confirmed", "not_confirmed"), "confirmed"),
        ("Approve", ("confirmed", "not_confirmed"), "confirmed"),
        ("reject", ("confirmed", "not_confirmed"), "not_confirmed"),
        ("full refund", ("full", "partial", "send_back"), "full"),
        ("send-back", ("full", "partial", "send_back"), "send_back"),
        ("approve", ("accept", "insist"), None),
        ("approve", ("try_again", "done_by_hand", "approve"), "approve"),
        ("", ("accept", "insist"), None),
    ],
)
def test_common_words_stand_for_an_option_where_one_can_be_meant(
    given: str, options: tuple[str, ...], meant: str | None
) -> None:
    assert option_meant(given, options) == meant
