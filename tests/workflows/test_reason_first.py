"""The reason first: no letter names a cost before the reason for it is known (`spec/processes.md`, rule 1).

Which letters name a cost follows from their templates: from what they write as money or as a share, and from what they
compare with the one who pays. What the reason is, each process's section of the rules says; `REASONS` has it. Whether
it was known is looked up in the story, not in the case: what a process made up is no reason.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from jinja2 import nodes

import workflows
from adapters.settings import ROOT
from aftersales.events import ReturnReason
from aftersales.expectations import SLACK, Came, Result
from aftersales.letter_formats import ENVIRONMENT
from aftersales.scenario import load_scenario
from aftersales.screening import screen
from aftersales.variants import parse_key
from aftersales.yamlfile import load_yaml
from cli.rehearsal import Performance
from cli.rehearsal.player import Line
from tests.workflows.conftest import Played
from tests.workflows.test_scenarios import every_scenario
from tests.workflows.test_sequences import every_sequence

FILES = sorted(path for path in (ROOT / "templates").glob("*/*.yaml") if path.parent.name != "kpi-report")
"""The letters to customers; staff is told of costs."""
COSTS = {
    "fee": "is kept back from a refund",
    "fee_share": "is the same as a share",
    "charge": "is what a changed order costs more",
    "amount": "is what a dearer product or a repair still costs",
    "quote": "is what a repair costs",
    "price": "is what a parcel that turned up costs who keeps it",
    "discount": "is said of a price that is asked for again",
    "discount_share": "is the same as a share",
    "inspection-differs.refund": "is a part of what was paid, or nothing",
}
"""What letters write as money or as a share and the customer pays or loses; `<letter>.<variable>` where only there."""
HARMLESS = {
    "compensation": "is what we pay",
    "goodwill": "is what we pay",
    "refund": "is what the customer gets back; what is kept back of it is a variable of its own",
    "freight": "as money is what we pay for a way back that the customer advanced",
    "goods_price": "is what goods cost whose price the customer asks for",
    "bulk_discount": "is what a customer who asks for many units pays less",
    "bulk_total": "is the one less the other",
    "total": "is what the order cost, at the foot of every letter",
}
PAYER, PAYERS = "customer", {"customer", "shop"}
"""A variable that is compared with one of these says who pays; of the cost that the customer pays, with `PAYER`."""
IN_WORDS = {"repair-not-covered"}
"""Letters that name a cost in words alone."""
WORDS = re.compile(
    r"paid by you|at your own cost|(?<!no restocking )\bfee\b|\byou (would )?only pay|\bcosts? \{\{|would cost"
)
"""What English letters say where they name a cost."""
RETURN_REASONS = get_args(ReturnReason)


def _sources(value: Any) -> Iterator[str]:
    """The texts of a letter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _sources(inner)


@dataclass(frozen=True)
class Letter:
    """What the templates of a letter show: what it writes as money or as a share, and what says in it who pays."""

    name: str
    money: frozenset[str]
    payers: frozenset[str]

    @property
    def costs(self) -> set[str]:
        """Its variables that are costs."""
        return {name for name in self.money if name in COSTS or f"{self.name}.{name}" in COSTS}

    @property
    def may_name_a_cost(self) -> bool:
        """Whether it names a cost with some values."""
        return bool(self.costs or self.payers) or self.name in IN_WORDS

    def names_a_cost(self, values: Mapping[str, Any] | None) -> bool:
        """Whether it names a cost with these values; without them, whether it may."""
        if values is None or self.name in IN_WORDS or any(f"{self.name}.{name}" in COSTS for name in self.costs):
            return self.may_name_a_cost
        return any(Decimal(values[name]) for name in self.costs) or any(values[name] == PAYER for name in self.payers)


def _read(name: str, sources: list[str]) -> Letter:
    trees = [ENVIRONMENT.parse(source) for source in sources]
    filtered = [node for tree in trees for node in tree.find_all(nodes.Filter) if node.name in ("money", "percent")]
    compared = [node for tree in trees for node in tree.find_all(nodes.Compare)]
    payers = [
        node.expr.name
        for node in compared
        if isinstance(node.expr, nodes.Name)
        and any(isinstance(other.expr, nodes.Const) and other.expr.value in PAYERS for other in node.ops)
    ]
    money = [name.name for node in filtered for name in node.find_all(nodes.Name)]
    return Letter(name, frozenset(money), frozenset(payers))


def _letters() -> dict[str, Letter]:
    """All letters, as all languages and variants together show them."""
    sources = defaultdict[str, list[str]](list)
    for path in FILES:
        for name, content in load_yaml(path).data.items():
            sources[parse_key(name)[0]] += _sources(content)
    return {name: _read(name, texts) for name, texts in sources.items()}


LETTERS = _letters()


class Fact(NamedTuple):
    """Something that the shop was told: when since the story began, the type of the event, its data, and to whom.

    `cases` is empty where it was kept for a case that opens later.
    """

    at: timedelta
    type: str
    data: Mapping[str, Any]
    cases: str


@dataclass(frozen=True)
class Known:
    """What was known when a letter of a case went out."""

    letter: str
    case: str
    language: str
    facts: list[Fact]
    decisions: list[Line]
    letters: list[Came]

    def told(self, *types: str, to: str = "") -> list[Mapping[str, Any]]:
        """The data of the events of these types, and of those only that reached a case of this process."""
        return [fact.data for fact in self.facts if fact.type in types and (not fact.cases or f"{to}/" in fact.cases)]

    def decided(self, process: str, *options: str) -> bool:
        """Whether a case of this process was decided to be one of these, by a person or for want of one."""
        said = re.compile(rf"(decide|nobody decided): ({'|'.join(options)})\b")
        return any(line.case.startswith(f"{process}/") and said.match(line.text) for line in self.decisions)

    def sent(self, *letters: str) -> list[Came]:
        """The letters of these names that this case has sent."""
        return [came for came in self.letters if came.case == self.case and came.name in letters]


def _why_it_comes_back(known: Known) -> bool:
    """§1, rule 1: the reason that the customer gives, in a request or in words, or that a person picks for them.

    A return that a complaint leads to has the complaint as its reason (§13). Who answers angrily what nobody can read
    is not asked again: that counts as any other reason, for which the shop pays (rules 5, 6).
    """
    asked = known.told("order.return_requested", to="return-request")
    said = [*asked, *known.told("customer.message", "customer.replied", to="return-request")]
    read = [screen(words.get("text", ""), words.get("choice"), RETURN_REASONS, known.language) for words in said]
    given = {*(one.intent for one in read), *(request.get("reason") for request in asked)} - {None, "unclear", "other"}
    angry = any(one.angry and one.intent == "unclear" for one in read)
    told = bool(given or angry or known.told("order.complaint"))
    return told or known.decided("return-request", *RETURN_REASONS)


def _terms_of_a_return(known: Known) -> bool:
    """§3: terms are agreed on the reason of §1; what an inspection costs has its findings as the reason."""
    received = known.told("warehouse.return_received")
    found = any(line["condition"] != "as_described" for goods in received for line in goods.get("lines", ()))
    return _why_it_comes_back(known) and (known.letter != "inspection-differs" or found)


def _why_it_is_exchanged(known: Known) -> bool:
    """§11: the way back costs by its reason (004), a dearer product by the wish for it."""
    asked = known.told("order.exchange_requested")
    if known.letter == "pay-difference":
        return any(request.get("wanted_sku") for request in asked)
    given = any(request.get("reason") for request in asked) or bool(known.told("order.complaint"))
    return given or known.decided("exchange", "our_fault", "no_fault", "exchange")


def _what_the_repair_centre_found(known: Known) -> bool:
    """§12: the fault; that the warranty does not pay, before the way is the customer's; the centre's quote."""
    match known.letter:
        case "repair-not-covered":
            return bool(known.told("order.repair_requested"))
        case "repair-instructions":
            return bool(known.sent("repair-not-covered"))
        case _:
            return any(step.get("quote") for step in known.told("repair.progressed"))


def _what_is_to_be_changed(known: Known) -> bool:
    """§8: the goods that the customer would like instead."""
    return any(request["change"].get("lines") for request in known.told("order.change_requested"))


def _that_it_turned_up(known: Known) -> bool:
    """§4: a lost parcel turns up after its remedy; who keeps it was asked before what it costs was asked for."""
    remedies = known.sent("parcel-reshipped", "parcel-refunded")
    news = [fact.at for fact in known.facts if fact.type in ("shipment.checkpoint", "carrier.replied")]
    turned_up = bool(remedies and news) and max(news) >= remedies[0].at - SLACK
    return turned_up and (known.letter == "parcel-found" or bool(known.sent("parcel-found")))


REASONS: dict[str, Callable[[Known], bool]] = {
    "return-escalation": _why_it_comes_back,
    "return-parcel": _terms_of_a_return,
    "exchange": _why_it_is_exchanged,
    "repair": _what_the_repair_centre_found,
    "order-change": _what_is_to_be_changed,
    "shipment-watch": _that_it_turned_up,
}
"""By process, whether the reason is known that the rules ask for before a cost is named."""


def too_early(played: Played) -> Iterator[str]:
    """The letters that named a cost before the reason for it was known."""
    performance = played.performance
    scenario, result, timeline = performance.scenario, performance.result, performance.timeline
    reached = defaultdict[tuple[timedelta, str], str](str)
    for line in timeline:
        kind, _, became = line.text.partition(": ")
        if line.kind == "event" and became.startswith(("started", "reached")):
            reached[line.at, kind] += f" {became}"
    facts = [
        Fact(event.at, event.type, scenario.data_of(event), reached[event.at, event.type])
        for event in scenario.story.events
    ]
    orders = [fact.data["order"] for fact in facts if isinstance(fact.data.get("order"), dict)]
    decisions = [line for line in timeline if line.kind in ("operator", "decision")]
    for letter, values in zip(result.letters, played.values, strict=True):
        if not LETTERS[letter.name].names_a_cost(values):
            continue
        known = Known(
            letter=letter.name.removesuffix("-reminder"),
            case=letter.case,
            language=orders[0]["customer"]["language"],
            facts=[fact for fact in facts if fact.at <= letter.at + SLACK],
            decisions=[line for line in decisions if line.at <= letter.at + SLACK],
            letters=[other for other in result.letters if other.at <= letter.at + SLACK],
        )
        if not REASONS[letter.case.partition("/")[0]](known):
            yield f"{letter} of {letter.case} names a cost, and nobody knew why"


@every_scenario
async def test_no_scenario_names_a_cost_before_the_reason(story: Path, plays: dict[Path, asyncio.Task[Played]]) -> None:
    assert list(too_early(await plays[story])) == []


@every_sequence
async def test_no_sequence_names_a_cost_before_the_reason(story: int, plays: dict[int, asyncio.Task[Played]]) -> None:
    played = await plays[story]
    assert list(too_early(played)) == [], played.performance.scenario.path.read_text("utf-8")


def test_all_money_in_letters_is_a_cost_or_harmless() -> None:
    written = {name for letter in LETTERS.values() for name in letter.money}
    declared = {name.rpartition(".")[2] for name in COSTS} | set(HARMLESS)
    assert written == declared
    assert not set(COSTS) & set(HARMLESS)


def test_letters_that_speak_of_a_cost_are_known_for_it() -> None:
    english = [item for path in FILES if path.stem == "en" for item in load_yaml(path).data.items()]
    speaking = {
        parse_key(name)[0] for name, content in english if WORDS.search(" ".join(" ".join(_sources(content)).split()))
    }
    assert {name for name in speaking if not LETTERS[name].may_name_a_cost} == set()
    assert speaking >= IN_WORDS


def test_each_process_with_costs_has_its_reason() -> None:
    naming = {kind.process for kind in workflows.ALL if any(LETTERS[name].may_name_a_cost for name in kind.LETTERS)}
    assert naming == set(REASONS)


ORDER = {"customer": {"language": "en"}}
OPENED = {"type": "order.paid", "data": {"order": ORDER}}
RETURN = "return-escalation/A-1", "return-terms"
FEE = {"fee": "18.00", "fee_share": "0.15"}
ASKED = {"type": "order.return_requested", "data": {"order": ORDER}}


EXCHANGE, REPAIR = {"type": "order.exchange_requested"}, {"type": "order.repair_requested"}
INSTRUCTIONS = {"fee": "0.00", "freight_paid_by": "shop"}


@pytest.mark.parametrize(
    ("case", "letter", "values", "before", "early"),
    [
        (*RETURN, FEE, ASKED, True),
        (*RETURN, FEE, ASKED | {"data": {"order": ORDER, "reason": "size"}}, False),
        (*RETURN, FEE, ASKED | {"data": {"order": ORDER, "reason": "other"}}, True),
        (*RETURN, FEE, ASKED | {"data": {"order": ORDER, "text": "It is too small."}}, False),
        (*RETURN, FEE, ASKED | {"data": {"order": ORDER, "reason": "size"}, "at": "3h"}, True),
        (*RETURN, FEE, {"type": "customer.message", "data": {"text": "What does it cost?"}}, True),
        (*RETURN, FEE, {"type": "customer.message", "data": {"choice": "1"}}, False),
        (*RETURN, FEE, {"type": "order.complaint", "data": {"text": "It wobbles."}}, False),
        (*RETURN, None, ASKED, True),
        ("return-parcel/A-1", "return-instructions", INSTRUCTIONS, ASKED, False),
        ("return-parcel/A-1", "return-instructions", INSTRUCTIONS | {"freight_paid_by": "customer"}, ASKED, True),
        ("return-parcel/A-1", "return-instructions", INSTRUCTIONS | {"fee": "9.00"}, ASKED, True),
        ("return-parcel/A-1", "inspection-differs", {"refund": "0.00"}, ASKED | {"data": {"reason": "size"}}, True),
        ("exchange/A-1", "exchange-instructions", {"freight": "open"}, EXCHANGE, False),
        ("exchange/A-1", "exchange-instructions", {"freight": "customer"}, EXCHANGE, True),
        ("exchange/A-1", "pay-difference-reminder", {"amount": "9.00"}, EXCHANGE, True),
        ("repair/A-1/1", "repair-instructions", {"freight": "customer"}, REPAIR, True),
        ("repair/A-1/1", "repair-quote", {"quote": "9.00"}, {"type": "repair.progressed"}, True),
        (
            "repair/A-1/1",
            "repair-quote",
            {"quote": "9.00"},
            {"type": "repair.progressed", "data": {"quote": "9"}},
            False,
        ),
        ("shipment-watch/A-1/P", "parcel-found", {"discount": "9", "discount_share": "0.3"}, ASKED, True),
        ("order-change/A-1", "change-confirm", {"charge": "9.00"}, ASKED, True),
        ("order-change/A-1", "change-confirm", {"charge": "0.00"}, ASKED, False),
    ],
)
def test_a_cost_without_a_reason_is_found(
    tmp_path: Path, case: str, letter: str, values: Mapping[str, Any] | None, before: dict[str, Any], early: bool
) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(repr({"events": [{"at": "0h", "subject": "A-1", **event} for event in (OPENED, before)]}))
    result = Result(letters=[Came(letter, timedelta(hours=2), case)])
    assert bool(list(too_early(Played(Performance(load_scenario(path), result), (values,))))) is early
