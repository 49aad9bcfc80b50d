"""Any sequence of events: shuffled, repeated, early, late, lost. What must hold of every case holds of these too.

A story that fails is printed: kept as a file it can be played by `./dev rehearse`, and belongs into `scenarios/` once
it is understood.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.settings import ROOT
from aftersales.expectations import SLACK, Came
from aftersales.scenario import Scenario, load_scenario
from cli.rehearsal import Performance
from cli.rehearsal.player import Line
from tests.workflows.conftest import Played

SHOWN, ALL = 24, 500
"""How many stories every run plays, and how many `./dev test --slow` plays."""
CROWDED = 10_000
"""From this seed on an order has several cases at once, disputes among them; of these half as many are played."""
FOLDER = ROOT / "scenarios"
POLICY: dict[str, Any] = {"letters": {"acknowledge_every": "1s"}}
"""Every message is acknowledged: else a second one soon after the first rightly gets no letter of its own."""
PAYING = frozenset({"refund", "pay_compensation", "reship"})
"""Commands that pay; a case that asked the customer for money may give that back whatever is disputed."""
ASKS_FOR_MONEY = frozenset({"exchange", "repair", "order-change", "dispute"})
PAID = frozenset({"refund", "compensation", "gift", "reship", "claim_lost"})

LINES = [{"line_id": "1", "quantity": 1}]
PARCEL = {"parcel_no": "P-1", "carrier": "ups", "tracking_number": "1Z1", "origin": "US", "destination": "US"}
PHOTO = "https://p.example/1.jpg"
OPENING: dict[str, list[dict[str, Any]]] = {
    "order.return_requested": [
        {"lines": LINES, "reason": reason, "text": "I want to send it back."}
        for reason in ("changed_mind", "size", "found_cheaper", "defective", "wrong_item", "other", None)
    ],
    "order.wrong_item_reported": [
        {"line_id": "1", "text": "This is a cup.", "photos": photos, "received": received}
        for photos in ([], [PHOTO])
        for received in (None, {"sku": "CUP-1", "title": "Cup", "value": "8.00"})
    ],
    "order.shipped": [{"parcel": PARCEL, "lines": LINES}],
    "order.paid": [{}],
    "order.expedite_requested": [{"text": "Where is my order?"}],
    "order.exchange_requested": [
        {"lines": LINES, "reason": reason, "opened": opened, **wanted}
        for reason, opened in (("size", False), ("changed_mind", True), ("defective", True), (None, False))
        for wanted in ({}, {"wanted_sku": "LAMP-09", "wanted_price": "150.00"})
    ],
    "customer.message": [
        {"text": text}
        for text in (
            "I want to return it.",
            "Where is my order?",
            "Please cancel my order.",
            "Thank you!",
            "Blue, too?",
        )
    ],
    "order.repair_requested": [{"line_id": "1", "fault": "It does not switch on."}],
    "order.change_requested": [{"change": {"lines": LINES}}],
    "order.complaint": [{"text": "It wobbles.", "cause": cause} for cause in ("product", "logistics", "service", None)],
    "order.invoice_requested": [
        {"urgent": urgent, "tax_id": tax_id} for urgent in (True, False) for tax_id in ("", "DE12345", "DE136695976")
    ],
    "order.perk_requested": [{"perk": perk} for perk in ("gift", "free_shipping")],
    "order.bulk_requested": [
        {"units": units, "place": place, "packaging": packaging, "wanted_discount": wanted}
        for units, wanted in ((3, None), (6, None), (12, "20 %"))
        for place, packaging in (("9 Elm Rd, Dallas", "apart"), ("", None))
    ],
    "review.threatened": [{"text": "Everybody will read about it."}],
    "review.published": [
        {"text": "Bad lamp.", "rating": rating, "violates": violates}
        for rating, violates in ((1, None), (2, "abuse"), (5, None))
    ],
    "dispatch.blocked": [
        {"region": "US/TX", "carriers_blocked": blocked, "carriers_usual": ["ups", "usps"], "proof": [PHOTO]}
        for blocked in (["ups"], ["ups", "usps"])
    ],
}
"""What opens cases."""
DISPUTES = [{"kind": "a_to_z", "claim_id": "C-1"}, {"kind": "chargeback", "claim_id": "C-2"}]
FOLLOWING: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "customer.message",
        [
            {"text": text}
            for text in (
                "Yes, I agree.",
                "No. I still want to return it.",
                "WHERE IS MY PARCEL YOU THIEVES?",
                "Where is my parcel?",
                "Thank you!",
                "我不同意，请全额退款。",
                "好的，可以。",
                "Hmm, what colour does it have?",
                "",
            )
        ]
        + [{"text": "", "choice": choice} for choice in ("1", "2", "3")]
        + [{"text": "Here you are.", "attachments": [PHOTO]}],
    ),
    ("order.return_cancelled", [{}]),
    ("order.cancelled", [{"reason": "changed my mind"}]),
    (
        "warehouse.return_received",
        [
            {"rma": rma, "lines": [{"line_id": "1", "quantity": 1, "condition": condition}], "photos": [PHOTO]}
            for rma in ("*", "")
            for condition in ("as_described", "damaged", "missing")
        ],
    ),
    (
        "shipment.checkpoint",
        [
            {"parcel_no": "P-1", "status": status, "location": "Austin", "message": status}
            for status in ("info_received", "in_transit", "out_for_delivery", "delivered", "exception", "returned")
        ],
    ),
    ("carrier.replied", [{"parcel_no": "P-1", "answer": answer} for answer in ("moving", "found", "lost", "damaged")]),
    ("warehouse.answered", [{"answer": answer} for answer in ("dispatched", "out_of_stock", "amended", "too_late")]),
    ("carrier.intercepted", [{"parcel_no": "P-1", "ok": ok} for ok in (True, False)]),
    (
        "carrier.claim_decided",
        [{"parcel_no": "P-1", "granted": granted, "amount": "50.00"} for granted in (True, False)],
    ),
    ("repair.progressed", [{"rma": "*", "step": step} for step in ("received", "repaired", "not_repairable", "odd")]),
    ("repair.progressed", [{"rma": "*", "step": "quote", "quote": "25.00"}]),
    (
        "platform.decided",
        [
            {"subject": subject, "granted": granted}
            for subject in ("exemption", "review_appeal")
            for granted in (True, False)
        ],
    ),
    ("insurance.paid", [{"amount": "12.00"}]),
    ("payment.received", [{"purpose": "", "amount": "20.00"}]),
    (
        "dispute.opened",
        DISPUTES,
    ),
    ("dispute.withdrawn", [{"claim_id": claim} for claim in ("C-1", "C-2", "")]),
    ("dispute.decided", [{"claim_id": claim, "won": won} for claim in ("C-1", "C-2") for won in (True, False)]),
]


def story(seed: int) -> dict[str, Any]:
    """A story that nobody thought of: one or two events that open cases, and up to ten others around them.

    A crowded one has four and a dispute or two within two days, and up to twenty others.
    """
    chance, crowded = random.Random(seed), seed >= CROWDED
    orders = [f"!include {path}" for path in sorted(map(str, (FOLDER / "orders").glob("*.yaml")))]
    order = chance.choice([path for path in orders if "lamp-us.yaml" in path or "kettle" in path or "lamp-de" in path])
    events: list[dict[str, Any]] = []
    opening = {
        kind: OPENING[kind] for kind in chance.sample(sorted(OPENING), k=4 if crowded else chance.choice((1, 1, 2)))
    }
    if crowded:
        opening["dispute.opened"] = DISPUTES
    for kind, choices in opening.items():
        data = {"order": order, **chance.choice(choices)}
        events.append({"at": f"{chance.randrange(0, 48)}h", "type": kind, "data": data})
    for _ in range(chance.randrange(0, 20 if crowded else 10)):
        kind, choices = chance.choice(FOLLOWING)
        hours = chance.choice((chance.randrange(0, 12), chance.randrange(0, 200), chance.randrange(0, 1200)))
        events.append({"at": f"{hours}h", "type": kind, "data": chance.choice(choices)})
        if chance.random() < 0.2:
            events.append({**events[-1], "at": f"{hours + chance.randrange(0, 100)}h"})
    for number, event in enumerate(events):
        event["id"] = f"e{number}"
        if chance.random() < 0.15:
            event["repeat"] = 2
    # Whether a dispute still holds a payment up is looked at every day, which would be most of such a story.
    policy = POLICY | ({"operators": {"dispute_check": "480h"}} if crowded else {})
    return {"name": f"sequence {seed}", "policy": policy, "events": events}


def written(seed: int, folder: Path) -> Scenario:
    """The story as a file."""
    text = json.dumps(story(seed), ensure_ascii=False, indent=1)
    # YAML takes JSON, but for the tag that includes a file.
    lines = [line.replace('"!include ', "!include ").replace('.yaml"', ".yaml") for line in text.splitlines()]
    path = folder / f"sequence-{seed}.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return load_scenario(path)


def _seeds() -> Iterator[Any]:
    for first, shown, all in ((0, SHOWN, ALL), (CROWDED, SHOWN // 2, ALL // 2)):
        for seed in range(first, first + all):
            yield pytest.param(seed, marks=() if seed < first + shown else pytest.mark.slow)


every_sequence = pytest.mark.parametrize("story", list(_seeds()))


@every_sequence
async def test_any_sequence(story: int, plays: dict[int, asyncio.Task[Played]]) -> None:
    performance = (await plays[story]).performance
    broken = list(_broken(performance))
    told = [f"{line.at} {line.kind} {line.case} {line.text}" for line in performance.timeline]
    assert not broken, "\n".join([*broken, *told, performance.scenario.path.read_text("utf-8")])


def _broken(performance: Performance) -> Iterator[str]:
    """What does not hold of a story that was played."""
    result = performance.result
    yield from performance.missed
    # Who pays over the order's total is asked day after day, by rule 8; that may go on for longer than a story.
    # A dispute that no platform ever decides holds payments up as long, by §18.
    asking = ("stage decision", "stage payment-held")
    yield from (case for case in result.open_cases if not any(stage in case for stage in asking))
    lives = list(_lives(performance.timeline))
    for letter in result.letters:
        if not any(case == letter.case and letter.at <= end + SLACK for case, _, end in lives):
            yield f"{letter} went out after {letter.case} had closed"
    for message in (
        line for line in performance.timeline if line.kind == "event" and "customer.message: " in line.text
    ):
        reached = ("started" in message.text or "reached" in message.text) and "duplicate" not in message.text
        if reached and not any(letter.at >= message.at - SLACK for letter in result.letters):
            yield f"the customer's message at {message.at} is the last word"
    yield from _paid_in_a_dispute(performance)
    total = Decimal(str(_order(performance.scenario)["total"]))
    on_top = {event.identity: event for event in performance.scenario.story.events if event.type == "payment.received"}
    total += sum((Decimal(str(event.data["amount"])) for event in on_top.values()), Decimal(0))
    paid = sum((amount for outcome in result.outcomes for amount in _paid(outcome)), Decimal(0))
    if paid > total:
        yield f"{paid} was paid for what cost {total}, all that the customer paid on top counted"


def _paid_in_a_dispute(performance: Performance) -> Iterator[str]:
    """Payments of other cases while a dispute about the order was open (§18)."""
    disputes = (life for life in _lives(performance.timeline) if life.case.startswith("dispute/"))
    for case, start, end in disputes:
        for paid in performance.result.commands:
            process = paid.case.partition("/")[0]
            if paid.name in PAYING and process not in ASKS_FOR_MONEY and start + SLACK < paid.at < end - SLACK:
                yield f"{paid} of {paid.case} was paid although {case} was open from {start} to {end}"


class Life(NamedTuple):
    """One run of a case, from when it first showed a stage until it closed."""

    case: str
    start: timedelta
    end: timedelta


def _lives(timeline: list[Line]) -> Iterator[Life]:
    since: dict[str, timedelta] = {}
    for line in timeline:
        if line.kind == "stage":
            start = since.setdefault(line.case, line.at)
            if line.text == "closed":
                yield Life(line.case, start, line.at)
                del since[line.case]
    yield from (Life(case, start, timedelta.max - SLACK) for case, start in since.items())


def _paid(outcome: Came) -> Iterator[Decimal]:
    for kind in PAID:
        yield Decimal(str(outcome.fields.get(kind) or 0))


def _order(scenario: Scenario) -> dict[str, Any]:
    return next(dict(data) for event in scenario.story.events if isinstance(data := event.data.get("order"), dict))
