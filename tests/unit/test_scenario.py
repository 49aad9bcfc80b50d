from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aftersales.expectations import Came, Result, missed, parse_bound, shown
from aftersales.faults import BadFile
from aftersales.scenario import Acts, Happens, Scenario, load_scenario
from aftersales.scenario_time import Calendar

H = timedelta(hours=1)
NOW = datetime(2030, 3, 6, 12, 30, tzinfo=UTC)  # a Wednesday

Read = Callable[..., Scenario]

EVENTS = """
events:
  - {at: 0h, type: order.return_requested, subject: A-1, data: {order: {order_id: A-1, market: US}}}
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write(text: str, **others: str) -> Scenario:
        for name, content in others.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        path = tmp_path / "story.yaml"
        path.write_text(text)
        return load_scenario(path)

    return write


def refusal(read: Read, text: str) -> str:
    with pytest.raises(BadFile) as bad:
        read(text)
    return str(bad.value)


def test_the_example_of_the_format_is_read(read: Read) -> None:
    scenario = read(
        """
name: insists twice, politely
policy: {returns: {reply_window: 72h}}
market: US
events:
  - {at: 0h, type: order.return_requested, subject: A-1001, data: {order: {}, lines: [], reason: changed_mind}}
  - {at: 5h, type: customer.replied, data: {case_id: return-escalation/A-1001, text: "I still want to."}}
operators:
  - {at: 4h, case: return-escalation/A-1001, decide: {option: approve, by: operator-7, reason: "loyal customer"}}
counterparts:
  command.issue_return_label: {fail: 2}
expect:
  letters: [return-terms, waive-restocking, return-label]
  commands: [create_rma, issue_return_label]
  outcomes: [{process: return-escalation, result: label_sent, letters_sent: 3}]
  absent: {letters: [return-refused]}
  at: {return-label: "<= 31h"}
"""
    )
    assert scenario.name == "insists twice, politely"
    assert scenario.order_id == "A-1001"
    assert scenario.market == "US"
    assert scenario.counterparts["issue_return_label"].fail == 2
    assert [type(item) for item in scenario.timeline()] == [Happens, Acts, Happens]
    assert scenario.subject_of(scenario.story.events[1]) == "A-1001"


def test_a_story_without_a_name_has_that_of_its_file(read: Read) -> None:
    assert read(EVENTS).name == "story"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("evnts: []", "story.yaml:5: evnts: is not a known key; did you mean events?"),
        ("marke: US", "story.yaml:5: marke: is not a known key; did you mean market?"),
        ("expect: {leters: []}", "story.yaml:5: expect.leters: is not a known key; did you mean letters?"),
        ("expect:\n  absent: {leters: []}", "story.yaml:6: expect.absent.leters: is not a known key"),
        (
            "counterparts: {command.refnd: {fail: 1}}",
            "counterparts.command.refnd: is not a command; did you mean refund",
        ),
        ("counterparts: {refund: {fail: -1}}", "story.yaml:5: counterparts.refund.fail: "),
        ("operators: [{at: 1h, case: a/b}]", "story.yaml:5: operators[0]: write either decide"),
        ("operators: [{at: 1h, case: ab, extend: {}}]", "'ab' is not a case id"),
        ("operators: [{at: 1, case: a/b, extend: {}}]", "story.yaml:5: operators[0].at: write a span of time"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read: Read, line: str, told: str) -> None:
    assert told in refusal(read, EVENTS.rstrip() + "\n\n" + line)


def test_every_fault_is_told_at_once(read: Read) -> None:
    told = refusal(read, "evnts: []\nexpect: {leters: []}")
    assert len(told.splitlines()) == 3
    assert "events: is missing" in told


@pytest.mark.parametrize("text", ["", "[]", "events: []"])
def test_a_file_without_events_is_refused(read: Read, text: str) -> None:
    assert "story.yaml:1" in refusal(read, text)


def test_values_at_the_top_go_over_every_order_snapshot(read: Read) -> None:
    scenario = read(
        """
market: DE
customer: {language: de}
events:
  - at: 0h
    type: order.paid
    data: {order: {order_id: A-1, market: US, customer: {name: Ada, language: en}}}
  - {at: 1h, type: order.updated, data: {order: !include other.yaml}}
  - {at: 2h, type: order.cancelled, data: {reason: none}}
""",
        other="{order_id: A-1, market: FR}",
    )
    first, second, third = (scenario.data_of(event) for event in scenario.story.events)
    assert first["order"] == {"order_id": "A-1", "market": "DE", "customer": {"name": "Ada", "language": "de"}}
    assert second["order"] == {"order_id": "A-1", "market": "DE", "customer": {"language": "de"}}
    assert "order" not in third
    assert scenario.market == "DE"
    assert scenario.story.events[0].data["order"]["market"] == "US"  # type: ignore[index, call-overload]


def test_an_event_without_an_id_is_known_by_its_content(read: Read) -> None:
    scenario = read(
        """
events:
  - &first {at: 1h, type: customer.message, subject: A-1, data: {text: hello}}
  - *first
  - {<<: *first, at: 2h}
  - {<<: *first, at: 3h, id: my-own}
"""
    )
    ids = [event.identity for event in scenario.story.events]
    assert ids[0] == ids[1] != ids[2]
    assert ids[3] == "my-own"


def test_ids_and_money_need_no_quotes(read: Read) -> None:
    scenario = read(
        """
order_id: 0042
freight_paid: 9.90
customer: {name: 7}
policy: {reply_window: 72h, restocking_fee: 0.15, returns: {insurance_cap: {default: 12.00}}}
events:
  - &opens
    at: 0h
    type: order.return_requested
    subject: 0042
    data: {order: !include order.yaml, lines: [{line_id: 1, quantity: 2}], reason: changed_mind}
  - {<<: *opens, at: 1h, id: 0x7f}
  - {at: 2h, type: customer.replied, data: {text: 2, choice: 2, in_reply_to: 1_000}}
operators:
  - {at: 3h, case: a/b, decide: {option: partial, amount: 70.00, by: 12}}
counterparts: {refund: {fail: 2}}
expect: {outcomes: [{refund: 19.20, letters_sent: 2}]}
""",
        order="{order_id: 1, total: 129.90, ship_to: {postcode: 01067}, items: [{line_id: 1, quantity: 2}]}",
    )
    first, again, reply = scenario.story.events
    assert (scenario.order_id, first.subject, again.id) == ("0042", "0042", "0x7f")
    assert scenario.data_of(first) == scenario.data_of(again)
    assert scenario.data_of(first) == {
        "order": {
            "order_id": "0042",
            "total": "129.90",
            "freight_paid": "9.90",
            "customer": {"name": "7"},
            "ship_to": {"postcode": "01067"},
            "items": [{"line_id": "1", "quantity": 2}],
        },
        "lines": [{"line_id": "1", "quantity": 2}],
        "reason": "changed_mind",
    }
    assert reply.data == {"text": "2", "choice": 2, "in_reply_to": "1_000"}
    assert scenario.story.operators[0].decide == {"option": "partial", "amount": "70.00", "by": "12"}
    assert scenario.document.part(("policy",)).data == {
        "reply_window": "72h",
        "restocking_fee": 0.15,
        "returns": {"insurance_cap": {"default": "12.00"}},
    }
    assert scenario.counterparts["refund"].fail == 2


@pytest.mark.parametrize("written", ["1.299e2", "1_000.00", "129.90000", "0x10", ".5", "12.", ".inf"])
def test_money_that_is_no_plain_number_is_refused_where_it_stands(read: Read, written: str) -> None:
    told = refusal(read, EVENTS.rstrip() + f"\n\ntotal: {written}")
    assert f"story.yaml:5: total: {written} is not an amount in plain digits; write money such as" in told


@pytest.mark.parametrize("span", ["-5d", "-5 days", "- 120 hours", "-P5D"])
def test_a_date_may_be_said_in_words(read: Read, span: str) -> None:
    calendar = Calendar(story(read), NOW)
    assert calendar.moment(span) == calendar.begins - timedelta(days=5)


def test_a_story_that_cannot_be_read_is_named_in_json_whatever_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("a: 1\na: 2\n")
    fee, part = tmp_path / "fee.yaml", tmp_path / "story.yaml"
    fee.write_text("name: ten\n" + EVENTS.strip() + "\npolicy:\n  restocking_fee: 10\n")
    part.write_text(EVENTS + "notes: !include part.yaml\n")
    command = [sys.executable, "-m", "cli", "rehearse", "--json", str(fee), str(part)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [(line["name"], line["file"], line["missed"]) for line in told] == [
        (
            "ten",
            str(fee),
            [f"{fee}:5: returns.restocking_fee: write a share as 15 % or 0.15, not 10; for 10 per cent write 10 %"],
        ),
        ("story", str(part), [f"{tmp_path / 'part.yaml'}:2: the key a stands twice; remove one of them"]),
    ]


def story(read: Read, when: str = "", order: str = "", **data: str) -> Scenario:
    fields = "".join(f", {key}: {value}" for key, value in data.items())
    return read(
        f"events:\n  - {{at: 2h, type: order.shipped, subject: A-1{when},"
        f" data: {{order: {{order_id: A-1{order}}}{fields}}}}}"
    )


def test_a_story_without_dates_begins_on_a_monday_morning(read: Read) -> None:
    calendar = Calendar(story(read, order=", delivered_at: -5d"), NOW)
    assert calendar.begins == datetime(2030, 3, 11, 9, tzinfo=UTC)
    assert calendar.placed({"delivered_at": "-5d", "promised_dispatch_by": "+3h"}) == {
        "delivered_at": "2030-03-06T09:00:00Z",
        "promised_dispatch_by": "2030-03-11T12:00:00Z",
    }


def test_the_time_of_an_event_says_when_the_story_begins(read: Read) -> None:
    scenario = story(read, when=', time: "2026-11-20T11:30:00Z"', order=', delivered_at: "2026-11-07T15:00:00Z"')
    calendar = Calendar(scenario, NOW)
    # A Friday at 9:30 then, and a Friday at 9:30 now.
    assert calendar.begins == datetime(2030, 3, 8, 9, 30, tzinfo=UTC)
    delivered = calendar.moment("2026-11-07T15:00:00Z")
    assert calendar.begins - delivered == timedelta(days=12, hours=18, minutes=30)


def test_a_story_in_the_future_keeps_its_dates(read: Read) -> None:
    calendar = Calendar(story(read, when=', time: "2031-12-24T11:00:00+01:00"'), NOW)
    assert calendar.begins == datetime(2031, 12, 24, 8, tzinfo=UTC)
    assert calendar.placed({"delivered_at": "2031-12-20"}) == {"delivered_at": "2031-12-20T00:00:00Z"}


def test_without_event_times_the_last_date_of_the_order_says_when_the_story_begins(read: Read) -> None:
    order = ', placed_at: "2026-11-01T08:00:00Z", delivered_at: "2026-11-07T15:00:00Z", warranty_until: "2027-11-07"'
    calendar = Calendar(story(read, order=order), NOW)
    assert calendar.begins + 2 * H == calendar.moment("2026-11-07T15:00:00Z")


def test_a_scan_says_when_the_story_begins(read: Read) -> None:
    scenario = story(read, order=', delivered_at: "2026-11-07T15:00:00Z"', at='"2026-11-03T10:00:00Z"')
    calendar = Calendar(scenario, NOW)
    assert calendar.begins + 2 * H == calendar.moment("2026-11-03T10:00:00Z")


def test_only_dates_are_moved(read: Read) -> None:
    calendar = Calendar(story(read, when=', time: "2026-11-20T11:30:00Z"'), NOW)
    data = {
        "text": "2026-11-20",
        "bought_by": "shop",
        "placed_at": "yesterday",
        "at": 5,
        "deep": [{"respond_by": "+1h", "until": "2026-11-20T10:30:00Z", "dispatched_at": "2026-11-20T10:30:00"}],
    }
    moved = calendar.placed(data)
    assert {key: moved[key] for key in ("text", "bought_by", "placed_at", "at")} == {
        key: data[key] for key in ("text", "bought_by", "placed_at", "at")
    }
    deep = moved["deep"][0]
    assert deep["respond_by"] == deep["until"] == "2030-03-08T10:30:00Z"
    assert deep["dispatched_at"] == "2026-11-20T10:30:00"


OUTCOME = Came(
    "return-parcel refunded",
    9 * H,
    "return-parcel/A-1",
    {"process": "return-parcel", "result": "refunded", "refund": "19.20", "letters_sent": 3, "at_fault": False},
)


def result(*letters: tuple[str, int], commands: list[Came] | None = None) -> Result:
    came = [Came(name, at * H, "return-escalation/A-1") for name, at in letters]
    return Result(letters=came, commands=commands or [], outcomes=[OUTCOME] if commands else [])


A = Came("a", H, "return-escalation/A-1")


def expecting(read: Read, text: str) -> Scenario:
    return read(EVENTS.strip() + "\nexpect:\n  " + text)


def test_letters_may_have_others_between_them(read: Read) -> None:
    scenario = expecting(read, "letters: [a, c]")
    assert missed(scenario, result(("a", 1), ("b", 2), ("c", 3))) == []


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ([("a", 1), ("b", 2)], "story.yaml:4: letter c: did not come after letter a; there came a at 1h, b at 2h"),
        ([("c", 1), ("a", 2)], "letter c: came too early or too seldom (c at 1h) after letter a"),
        ([], "letter a: did not come; there came none"),
    ],
)
def test_a_letter_that_did_not_come_in_turn_is_told(read: Read, came: list[tuple[str, int]], told: str) -> None:
    [what] = missed(expecting(read, "letters: [a, c]"), result(*came))
    assert told in what


def test_the_same_letter_twice_must_come_twice(read: Read) -> None:
    scenario = expecting(read, "letters: [a, a]")
    assert missed(scenario, result(("a", 1), ("a", 1))) == []
    assert missed(scenario, result(("a", 1))) != []


def test_letters_of_two_cases_at_the_same_moment_may_come_in_either_order(read: Read) -> None:
    scenario = expecting(read, "letters: [a, b]")
    b = Came("b", 1 * H, "return-parcel/A-1")
    a = Came("a", 1 * H + timedelta(seconds=2), "return-escalation/A-1")
    assert missed(scenario, Result(letters=[b, a])) == []
    assert missed(scenario, Result(letters=[b, a._replace(at=2 * H)])) != []
    assert missed(scenario, Result(letters=[b._replace(case=a.case), a])) != []


def test_letters_may_be_expected_by_case_or_process(read: Read) -> None:
    scenario = expecting(read, "letters: {return-parcel: [b], return-escalation/A-1: [a]}")
    b, a = Came("b", 1 * H, "return-parcel/A-1"), Came("a", 2 * H, "return-escalation/A-1")
    assert missed(scenario, Result(letters=[b, a])) == []
    assert "story.yaml:4" in missed(scenario, Result(letters=[a]))[0]


def test_commands_may_be_written_with_their_prefix(read: Read) -> None:
    scenario = expecting(read, "commands: [command.refund, create_rma]")
    case = "return-parcel/A-1"
    assert missed(scenario, Result(commands=[Came("refund", H, case), Came("create_rma", H, case)])) == []


@pytest.mark.parametrize(
    "fields",
    [
        "{process: return-parcel}",
        '{refund: "19.2", letters_sent: 3}',
        "{refund: 19.20}",
        '{at_fault: false, fee: "0.00"}',
    ],
)
def test_an_outcome_matches_when_every_field_is_equal(read: Read, fields: str) -> None:
    assert missed(expecting(read, f"outcomes: [{fields}]"), Result(outcomes=[OUTCOME])) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("{result: lost_refunded}", "return-parcel/A-1: result is refunded, not lost_refunded"),
        ('{refund: "19.21"}', "refund is 19.20, not 19.21"),
        ('{at_fault: "0"}', "at_fault is False, not 0"),
        ("{refnd: 1}", "there is no field refnd in it"),
        ("{process: wrong-item}", "did not come; there came return-parcel refunded at 9h"),
    ],
)
def test_an_outcome_that_differs_is_told_with_what_differs(read: Read, fields: str, told: str) -> None:
    [what] = missed(expecting(read, f"outcomes: [{fields}]"), Result(outcomes=[OUTCOME]))
    assert told in what


def test_what_must_not_come_is_told(read: Read) -> None:
    scenario = expecting(
        read, "absent:\n    letters: [b]\n    commands: [command.refund]\n    outcomes: [{result: refunded}]"
    )
    refund = Came("refund", 2 * H, "return-parcel/A-1")
    assert missed(scenario, result(("a", 1))) == []
    told = missed(scenario, result(("b", 1), commands=[refund]))
    assert [what.split(":")[1] for what in told] == ["5", "6", "7"]
    assert "b at 1h of return-escalation/A-1 came, but must not" in told[0]


@pytest.mark.parametrize(
    ("bound", "fitting", "unfit"),
    [
        ("<= 31h", 31 * H, 32 * H),
        (">= 30h", 30 * H, 29 * H),
        ("< 31h", 30 * H, 31 * H),
        ("> 30h", 31 * H, 30 * H),
        ("== 72h", 72 * H, 71 * H),
        ("72h", 72 * H + timedelta(seconds=3), 73 * H),
        ("30h..31h", 30 * H, 32 * H),
        ("1d .. 2d", 26 * H, 23 * H),
    ],
)
def test_bounds(bound: str, fitting: timedelta, unfit: timedelta) -> None:
    test = parse_bound(bound)
    assert test(fitting)
    assert not test(unfit)


@pytest.mark.parametrize("text", ["", "soon", "<= 31", "=< 31h", "30h.."])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_bound(text)


def test_a_letter_at_the_wrong_time_is_told(read: Read) -> None:
    scenario = expecting(read, 'at: {a: "<= 3h", b: "soon", c: 1h}')
    told = missed(scenario, result(("a", 5), ("a", 7)))
    assert "a came at 5h, 7h, not <= 3h" in told[0]
    assert "not 'soon'" in told[1]
    assert "c did not come" in told[2]
    assert missed(expecting(read, 'at: {a: ">= 6h"}'), result(("a", 5), ("a", 7))) == []


def test_cases_that_did_not_end_are_told_only_where_something_is_missed(read: Read) -> None:
    scenario = expecting(read, "letters: [a]")
    assert missed(scenario, Result(letters=[A], open_cases=["x is open"])) == []
    assert missed(scenario, Result(open_cases=["x is open"]))[1:] == ["x is open"]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (timedelta(hours=5, seconds=4), "5h"),
        (timedelta(hours=71, minutes=59, seconds=58), "72h"),
        (timedelta(minutes=3, seconds=4), "3m4s"),
        (-timedelta(minutes=2), "-2m"),
        (-timedelta(milliseconds=2), "0s"),
        (timedelta(days=15), "15d"),
    ],
)
def test_times_are_shown_as_precisely_as_matters(at: timedelta, text: str) -> None:
    assert shown(at) == text
