"""Who may decide what."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from aftersales import people
from aftersales.people import People, Person, Role

TEAM: People = {
    "Mei": Person(),
    "Jo": Person(limits={"EUR": Decimal(20)}),
    "Anna": Person(role="supervisor"),
    "Ben": Person(role="supervisor", limits={"EUR": Decimal(500)}),
}


def refusal(
    by: str, money: str | None = None, *, role: Role = "operator", team: People = TEAM, besides: tuple[str, ...] = ()
) -> str:
    cost = None if money is None else Decimal(money)
    return people.refusal(by, team, role=role, money=cost, currency="EUR", limit=Decimal(90), besides=besides)


@pytest.mark.parametrize(
    ("by", "money", "role"),
    [
        ("Mei", None, "operator"),
        ("  mei ", "90", "operator"),
        ("Jo", "20", "operator"),
        ("Anna", "100000", "supervisor"),
        ("Ben", "500", "supervisor"),
        ("Ben", None, "operator"),
    ],
)
def test_who_may(by: str, money: str | None, role: Role) -> None:
    assert refusal(by, money, role=role) == ""


@pytest.mark.parametrize(
    ("by", "money", "role", "told"),
    [
        ("Max", None, "operator", "by: Max is not among the people of the policy: Mei, Jo, Anna, Ben"),
        ("Mei", None, "supervisor", "by: Mei is an operator; this is for a supervisor: Anna, Ben"),
        (
            "Mei",
            "90.01",
            "operator",
            "by: Mei decides about 90 EUR at most, this is 90.01; ask a supervisor: Anna, Ben",
        ),
        ("Jo", "21", "operator", "by: Jo decides about 20 EUR at most, this is 21; ask a supervisor: Anna, Ben"),
        ("Ben", "501", "supervisor", "by: Ben decides about 500 EUR at most, this is 501; ask a supervisor: Anna"),
    ],
)
def test_who_may_not_is_told_who_may(by: str, money: str | None, role: Role, told: str) -> None:
    assert refusal(by, money, role=role) == told


def test_a_shop_that_names_nobody_lets_everybody_decide_but_not_about_ones_own_idea() -> None:
    assert refusal("Max", "1000", role="supervisor", team={}) == ""
    assert refusal("MAX", team={}, besides=("Anna", "Max")) == "by: MAX asked for it; somebody else must decide"


@pytest.fixture
def nobody_told() -> Iterator[None]:
    yield
    people._here.clear()


@pytest.mark.usefixtures("nobody_told")
def test_who_works_here_now_goes_before_who_did_when_a_case_was_opened() -> None:
    assert people.known(TEAM, "shop-a") == TEAM
    people.work_here({"": {"Kim": Person()}, "shop-b": {"Lee": Person()}})
    assert list(people.known(TEAM, "shop-a")) == ["Kim"]
    assert list(people.known(TEAM, "shop-b")) == ["Lee"]
