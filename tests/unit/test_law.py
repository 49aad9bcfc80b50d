from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aftersales.law import LawPack, fee_forbidden, load_packs, pack_for, refund_due_at, withdrawal_ends
from aftersales.yamlfile import BadFile

FOLDER = Path(__file__).parents[2] / "policies" / "law"
PACKS = load_packs(FOLDER)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_packs_that_are_shipped() -> None:
    assert list(PACKS) == ["cn", "eu", "uk", "us"]
    assert len(PACKS["eu"].markets) == 27
    assert all(pack.rule for pack in PACKS.values())


@pytest.mark.parametrize(
    ("market", "pack"),
    [("DE", "eu"), ("de", "eu"), ("EU", "eu"), ("GB", "uk"), ("UK", "uk"), ("CN", "cn"), ("US", "us")],
)
def test_a_market_has_its_pack(market: str, pack: str) -> None:
    found = pack_for(market, PACKS)
    assert found is not None
    assert found.id == pack


@pytest.mark.parametrize("market", ["JP", "", "??"])
def test_an_unknown_market_has_none(market: str) -> None:
    assert pack_for(market, PACKS) is None


# Delivered on Friday, 2026-11-06; fourteen days later is a Friday, and eight days later a Saturday.
@pytest.mark.parametrize(
    ("pack", "timezone", "delivered", "ends"),
    [
        ("eu", "Europe/Berlin", "2026-11-06T15:00+01:00", "2026-11-21T00:00+01:00"),
        ("eu", "Europe/Berlin", "2026-11-06T00:00+01:00", "2026-11-21T00:00+01:00"),
        ("eu", "Europe/Berlin", "2026-11-07T15:00+01:00", "2026-11-24T00:00+01:00"),
        ("eu", "Europe/Berlin", "2026-11-08T15:00+01:00", "2026-11-24T00:00+01:00"),
        ("eu", None, "2026-11-06T15:00+01:00", "2026-11-21T00:00-01:00"),
        ("uk", None, "2026-11-07T15:00+00:00", "2026-11-22T00:00+00:00"),
        ("uk", None, "2026-10-20T15:00+01:00", "2026-11-04T00:00+00:00"),
        ("cn", None, "2026-11-06T23:59+08:00", "2026-11-14T00:00+08:00"),
        ("cn", None, "2026-11-06T16:01+00:00", "2026-11-15T00:00+08:00"),
    ],
)
def test_the_last_day_counts_to_its_end(pack: str, timezone: str | None, delivered: str, ends: str) -> None:
    end = withdrawal_ends(PACKS[pack], at(delivered), timezone)
    assert end == at(ends)
    assert not fee_forbidden(PACKS[pack], at(delivered), at(ends), timezone)
    assert fee_forbidden(PACKS[pack], at(delivered), at(ends) - timedelta(seconds=1), timezone)


def test_a_law_may_count_the_day_of_delivery() -> None:
    pack = PACKS["cn"].model_copy(update={"first_day": "day_of_delivery"})
    assert withdrawal_ends(pack, at("2026-11-06T15:00+08:00")) == at("2026-11-13T00:00+08:00")


@pytest.mark.parametrize("market", ["FR", "GB", "CN"])
def test_not_yet_delivered_is_inside(market: str) -> None:
    assert fee_forbidden(pack_for(market, PACKS), None, at("2026-11-06T15:00+00:00"))


def test_without_a_right_to_withdraw_the_fee_may_be_asked() -> None:
    delivered = at("2026-11-06T15:00+00:00")
    assert withdrawal_ends(PACKS["us"], delivered) is None
    assert not fee_forbidden(PACKS["us"], delivered, delivered)
    assert not fee_forbidden(None, None, delivered)


NOTICE = datetime(2026, 11, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("market", "received", "proved", "due"),
    [
        ("DE", None, None, None),
        ("DE", NOTICE + 5 * DAY, None, NOTICE + 14 * DAY),
        ("DE", NOTICE + 20 * DAY, None, NOTICE + 20 * DAY),
        ("DE", NOTICE + 20 * DAY, NOTICE + 3 * DAY, NOTICE + 14 * DAY),
        ("DE", None, NOTICE + 16 * DAY, NOTICE + 16 * DAY),
        ("GB", NOTICE + 5 * DAY, None, NOTICE + 14 * DAY),
        ("CN", NOTICE + 5 * DAY, None, NOTICE + 12 * DAY),
        ("CN", None, NOTICE + 5 * DAY, None),
        ("US", NOTICE + 5 * DAY, None, None),
        ("JP", NOTICE + 5 * DAY, None, None),
    ],
)
def test_when_the_refund_is_due(
    market: str, received: datetime | None, proved: datetime | None, due: datetime | None
) -> None:
    assert refund_due_at(pack_for(market, PACKS), NOTICE, received, proved) == due


def test_a_pack_survives_json() -> None:
    for pack in PACKS.values():
        assert LawPack.model_validate_json(pack.model_dump_json()) == pack


SOME: dict[str, Any] = {"id": "xx", "version": "1", "title": "X", "rule": "Act 1", "markets": ["XX"]}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"refund_due": "14d"}, "refund_due and refund_from go together"),
        ({"markets": []}, "at least 1 item"),
        ({"markets": ["xx"]}, "should match pattern"),
        ({"withdrawal_days": 0}, "greater than or equal to 1"),
        ({"timezone": "Mars"}, "is not a time zone"),
        ({"withdrawl_days": 14}, "Extra inputs"),
    ],
)
def test_an_impossible_pack_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        LawPack.model_validate(SOME | wrong)


def test_a_folder_of_packs_must_be_sound(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(BadFile) as caught:
            load_packs(tmp_path)
        return str(caught.value).replace(str(tmp_path), "law")

    assert refusal() == "law: has no law packs; add one, such as eu.yaml"
    text = 'id: aa\nversion: "1"\ntitle: A\nrule: Act 1\nmarkets: [AA]\n'
    (tmp_path / "aa.yaml").write_text(text)
    (tmp_path / "bb.yaml").write_text(text)
    assert refusal() == "law/bb.yaml:1: id: is aa, the file is bb.yaml; name them alike"
    (tmp_path / "bb.yaml").write_text(text.replace("id: aa", "id: bb"))
    assert refusal() == "law/bb.yaml:5: markets: AA also in the pack aa; keep one"
    (tmp_path / "bb.yaml").write_text(text.replace("id: aa", "id: bb").replace("AA", "BB") + "refund: 14d\n")
    assert refusal() == "law/bb.yaml:6: refund: is not a known key; did you mean refund_due?"
