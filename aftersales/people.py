"""The people who decide, and what each may (`spec/processes.md`, Words: operator / supervisor; rule 8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Literal

from aftersales.lanes import Section
from aftersales.model import Amount, Name
from aftersales.order import Currency

Role = Literal["operator", "supervisor"]
"""What somebody is to a shop; a supervisor may whatever an operator may."""


class Person(Section):
    """Somebody who decides."""

    role: Role = "operator"
    """What somebody may (words, `operator / supervisor`)."""
    limits: Mapping[Currency, Amount] = {}
    """The most that somebody may decide about alone, by currency; without it an operator has the limit above which a
    supervisor must decide, and a supervisor has none (words, `operator / supervisor`)."""
    languages: tuple[Name, ...] = ()
    """Languages that somebody reads; none says all (`§17`)."""
    skills: tuple[Name, ...] = ()
    """Processes that somebody knows; none says all (`§17`)."""


People = Mapping[Name, Person]

_here: dict[str, People] = {}


def work_here(people: Mapping[str, People]) -> None:
    """Tell who works in each shop now, under "" in all others.

    A case knows only who did when it was opened, which may be weeks ago.
    """
    _here.clear()
    _here.update(people)


def known(people: People, shop: str) -> People:
    """The people who work in the shop now where that was told, else those of a case's policy."""
    return _here.get(shop, _here.get("", people))


def found(by: str, people: People) -> tuple[str, Person] | None:
    """Somebody by name, in small or capital letters alike."""
    return next(((name, person) for name, person in people.items() if name.casefold() == by.strip().casefold()), None)


def refusal(
    by: str,
    people: People,
    *,
    role: Role,
    money: Decimal | None,
    currency: str,
    limit: Decimal,
    besides: Collection[str] = (),
) -> str:
    """Why somebody may not decide this, with the remedy; empty where they may.

    `money` is what the decision costs, `limit` the most that an operator without a limit of their own decides about,
    `besides` who must not decide because the money was their idea. Where a policy names no people, everybody may decide
    everything but that.
    """
    if by.strip().casefold() in {other.strip().casefold() for other in besides}:
        return f"by: {by.strip()} asked for it; somebody else must decide"
    if not people:
        return ""
    somebody = found(by, people)
    if somebody is None:
        return f"by: {by.strip()} is not among the people of the policy: {', '.join(people)}"
    name, person = somebody
    if role == "supervisor" and person.role != "supervisor":
        return f"by: {name} is an operator; this is for a supervisor: {_supervisors(people)}"
    most = person.limits.get(currency, limit) if person.role == "operator" or person.limits else None
    if money is not None and most is not None and money > most:
        others = _supervisors({other: of for other, of in people.items() if other != name})
        return f"by: {name} decides about {most} {currency} at most, this is {money}; ask a supervisor: {others}"
    return ""


def _supervisors(people: People) -> str:
    return ", ".join(name for name, person in people.items() if person.role == "supervisor") or "there is none"
