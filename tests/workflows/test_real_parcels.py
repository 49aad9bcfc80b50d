"""Real parcels: histories of 17 carriers go through shipment-watch in virtual time, each with its own gaps.

The data lies beside the checkout and is read there. What silence must bring is worked out here once more, from the
gaps and the table of `spec/processes.md` §4, in another way than the process does it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.settings import ROOT
from aftersales.expectations import Came
from aftersales.scenario import load_scenario
from cli.rehearsal import Performance, Theatre
from tests.events import order

DATA = ROOT.parent / "shared" / "data" / "tracking-histories" / "histories.jsonl"
HISTORIES = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()] if DATA.exists() else []
pytestmark = pytest.mark.skipif(not HISTORIES, reason="the tracking histories lie beside the checkout and are not here")

EASTERN = timezone(timedelta(hours=-5))
STATUS = (
    (r"attempted to pick up", "label"),
    (r"out[ _]for[ _](delivery|distribution)|on fedex vehicle|with delivery courier|on board for delivery", "out"),
    (r"left the parcel delivery centre|expected to be delivered|delivery route|mettre en livraison", "out"),
    (r"pickup parcelshop|available for pickup|held at fedex|final notice|can be picked up", "available_for_pickup"),
    (r"delivered|livré|distributednormally", "delivered"),
    (r"not been able to deliver|unsuccessful delivery|delivery exception", "attempt_fail"),
    (r"shipment exception|addressing error", "exception"),
    (r"shipment information sent|label created|order information|electronic|data was entered|pre-advice", "label"),
    (r"preparing shipment|tracking number allocated|bientôt|test mode", "label"),
)
CARRIER = {"mydhl": "dhl_express"}
TAGS = {"out": "out_for_delivery", "label": "info_received"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEVER = timedelta(days=999)
NEAR = timedelta(minutes=3)
PATIENCE = {"available_for_pickup": 7 * DAY, "exception": timedelta()}
"""How long a parcel may be silent until it is stuck, where that is not 48 hours."""
LOST_AFTER = {"available_for_pickup": 8 * DAY}
CHOICE, DECISION, WATCHED = 48 * HOUR, 24 * HOUR, 30 * DAY
SEARCH, LEAD = 7 * DAY, 3 * DAY
TERMS = {"usps": (15 * DAY, 60 * DAY)}
"""From when until when a carrier takes a claim for a loss, counted from hand-over, where that is not day 1 to 30."""


class Scan(NamedTuple):
    """A scan of a history: hours since the first one, and the tag that its words stand for."""

    at: timedelta
    status: str
    text: str
    place: str


def moment(text: str) -> datetime | None:
    """A carrier's time: with zone, without one (UTC), with a 12-hour clock; None where there is none."""
    text = text.strip()
    if not text:
        return None
    if text.endswith(" EST"):
        return datetime.fromisoformat(text.removesuffix(" EST")).replace(tzinfo=EASTERN)
    if re.search(r"[ap]m$", text):
        return datetime.strptime(text, "%B %d, %Y %I:%M %p").replace(tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def status(event: dict[str, Any]) -> str:
    """The tag of `spec/events.md` for a carrier's words; what is none of the special ones is movement."""
    words = f"{event.get('description') or ''} {event.get('reason') or ''}".lower()
    return next((TAGS.get(tag, tag) for pattern, tag in STATUS if re.search(pattern, words)), "in_transit")


def scans(history: dict[str, Any]) -> list[Scan]:
    """The scans of a history that have a time, the oldest first."""
    timed = [(at, event) for event in history["events"] if (at := moment(event["time"]))]
    timed.sort(key=lambda item: item[0])
    return [
        Scan(at - timed[0][0], status(event), event["description"] or "", event.get("location") or "")
        for at, event in timed
    ]


def scenario(history: dict[str, Any], folder: Path) -> Path:
    """The history as a scenario: handed over at its first scan; after each scan an older one is told once more."""
    way = scans(history)
    shipped = {
        "order": order(history["id"], placed_at="-1d", delivered_at=None),
        "parcel": {"parcel_no": "P", "carrier": history["carrier"], "tracking_number": history["tracking_number"]},
    }
    events: list[dict[str, Any]] = [{"at": "0s", "type": "order.shipped", "data": shipped}]
    for number, scan in enumerate(way):
        for told, again in [(scan, False), (way[max(0, number - 1 - number % 2)], True)]:
            events.append(
                {
                    "at": f"{scan.at // timedelta(seconds=1)}s",
                    "id": f"{number}-{told.at}-{again}-{told.text}-{len(events)}",
                    "type": "shipment.checkpoint",
                    "data": {
                        "parcel_no": "P",
                        "status": told.status,
                        "at": f"+{told.at // timedelta(seconds=1)}s",
                        "location": told.place,
                        "message": told.text,
                    },
                }
            )
    file = folder / f"{history['id']}.yaml"
    file.write_text(json.dumps({"name": history["id"], "events": events}), "utf-8")
    return file


class Expected:
    """What the table makes of a way: letters and commands with their times since the first scan, and the end."""

    def __init__(self, way: Sequence[Scan], carrier: str) -> None:
        self.terms = TERMS.get(carrier.lower(), (DAY, 30 * DAY))
        self.claimed: list[timedelta] = []
        self.letters: list[tuple[str, timedelta]] = []
        self.commands: list[tuple[str, timedelta]] = []
        self.silences = dict.fromkeys(("pickup overdue", "pickup late", "stuck", "lost"), 0)
        self.way = way
        self.end = self._walk()

    def _walk(self) -> str:
        place, busy = "label", timedelta()
        begun = set[str]()
        for scan, limit in zip(self.way, [*(later.at for later in self.way[1:]), NEVER], strict=True):
            if scan.status == "delivered":
                return "delivered"
            place = place if scan.status == "info_received" else scan.status
            for step, due in self._steps(place, scan.at):
                at = max(due, busy)
                if at >= limit:
                    break
                if step in begun and step.startswith("pickup"):
                    continue
                begun.add(step)
                self.silences[step] += 1
                self._act(step, at)
                if step == "lost":
                    busy = at + CHOICE
                    meanwhile = [later.status for later in self.way if at < later.at < busy]
                    if "delivered" in meanwhile:
                        return "delivered"
                    if all(status == "info_received" for status in meanwhile):
                        self.claimed = self._claim(busy, at)
                        return self._remedy(busy)
                    break
        raise AssertionError("silence always ends in a loss")

    def _steps(self, place: str, since: timedelta) -> list[tuple[str, timedelta]]:
        if place == "label":
            lost = max(since + 72 * HOUR, 48 * HOUR)
            return [("pickup overdue", 24 * HOUR), ("pickup late", 48 * HOUR), ("lost", lost)]
        stuck, lost = PATIENCE.get(place, 48 * HOUR), LOST_AFTER.get(place, 72 * HOUR)
        return [("stuck", since + stuck), ("lost", since + lost)]

    def _act(self, step: str, at: timedelta) -> None:
        letter = {"pickup late": "parcel-pickup-late", "stuck": "parcel-stuck", "lost": "parcel-lost-choice"}
        command = {
            "pickup overdue": ["ask_warehouse", "nudge_carrier"],
            "stuck": ["carrier_inquiry"],
            "lost": ["carrier_trace"],
        }
        self.letters += [(letter[step], at)] if step in letter else []
        self.commands += [(name, at) for name in command.get(step, [])]

    def _remedy(self, at: timedelta) -> str:
        self.letters.append(("parcel-reshipped", at))
        self.commands.append(("reship", at))
        later = [scan.at for scan in self.way if scan.at > at and scan.status != "info_received"]
        if later and later[0] < at + WATCHED:
            self.letters.append(("parcel-found", later[0] + DECISION))
        return "reshipped"

    def _claim(self, at: timedelta, traced: timedelta) -> list[timedelta]:
        """When the loss is claimed: after the search, which every scan begins anew, but inside the carrier's dates."""
        first, until = self.terms
        due = max(traced + SEARCH, first)
        for scan in self.way:
            if at < scan.at < min(due, until - LEAD) and scan.status != "info_received":
                if scan.status == "delivered":
                    return []
                due = max(scan.at + SEARCH, first)
        return [max(at, min(due, until - LEAD))] if at < until else []


def near(came: Sequence[Came], expected: Sequence[tuple[str, timedelta]]) -> bool:
    """Whether the same things came, each at its time."""
    return [one.name for one in came] == [name for name, _ in expected] and all(
        abs(one.at - at) < NEAR for one, (_, at) in zip(came, expected, strict=True)
    )


@pytest.fixture(scope="module")
async def performances(
    theatre: Theatre, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[Performance]]]:
    """All histories, under way."""
    folder = tmp_path_factory.mktemp("histories")
    tasks = {
        history["id"]: asyncio.create_task(theatre.play(load_scenario(scenario(history, folder))))
        for history in HISTORIES
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("history", HISTORIES, ids=[f"{one['id']}-{one['carrier']}" for one in HISTORIES])
async def test_silence_brings_what_the_table_says(
    history: dict[str, Any], performances: dict[str, asyncio.Task[Performance]]
) -> None:
    expected, performance = Expected(scans(history), history["carrier"]), await performances[history["id"]]
    watch = f"shipment-watch/{history['id']}/P"
    result = performance.result
    told = "\n".join(f"{line.at} {line.kind} {line.text}" for line in performance.timeline)
    assert not performance.missed, told
    assert not result.open_cases, told
    ends = [outcome.fields["result"] for outcome in result.outcomes if outcome.case == watch]
    assert ends == [expected.end], told
    assert near(result.letters, expected.letters), f"expected {expected.letters}, came\n{told}"
    commands = [command for command in result.commands if command.case == watch]
    assert near(commands, expected.commands), f"expected {expected.commands}, came\n{told}"
    claims = [command for command in result.commands if command.name == "file_carrier_claim"]
    filed = [("file_carrier_claim", at) for at in expected.claimed]
    assert near(claims, filed), f"expected {filed}, came\n{told}"


def test_what_came_out_is_what_the_docs_say() -> None:
    ways = [scans(history) for history in HISTORIES]
    expected = [Expected(way, history["carrier"]) for way, history in zip(ways, HISTORIES, strict=True)]
    counts = {
        "parcels": len(ways),
        "carriers": len({CARRIER.get(name := one["carrier"].lower(), name) for one in HISTORIES}),
        "scans in the data": sum(len(history["events"]) for history in HISTORIES),
        "scans with a time": sum(map(len, ways)),
        **{f"ended {end}": sum(one.end == end for one in expected) for end in ("delivered", "reshipped")},
        **{f"silences: {step}": sum(one.silences[step] for one in expected) for step in expected[0].silences},
        "turned up after the remedy": sum("parcel-found" in dict(one.letters) for one in expected),
        "claimed from the carrier": sum(len(one.claimed) for one in expected),
    }
    docs = (ROOT / "docs" / "real-parcels.md").read_text("utf-8")
    for name, count in counts.items():
        assert f"| {name} | {count} |" in docs, f"docs/real-parcels.md: {name} is {count}"
