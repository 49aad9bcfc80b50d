"""The store on both databases: ledgers, many writers at once, processes that die, databases that cannot be opened."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy import text

from adapters.database import DatabaseSettings, DatabaseUnusable, Store, open_store
from adapters.database.engines import connect
from aftersales.ids import case_id
from aftersales.outcome import DecisionTaken, Outcome
from aftersales.records import CaseRecord, CaseRef, CommandRecord, EventRecord, EventStatus, LetterRecord
from tests.recorded import recorded

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def ref(order: str = "A-1", *, process: str = "return-escalation", opened: float = 0, event: str = "e1") -> CaseRef:
    return CaseRef(
        case_id=case_id(process, order),
        trigger=f"shop {event}",
        process=process,
        order_id=order,
        shop="amazon-de",
        opened_at=at(opened),
    )


def running(case: CaseRef, opening: str | None = None) -> CaseRecord:
    return CaseRecord(**case.model_dump(), opening=opening)


def letter(case: CaseRef, name: str = "return-terms", *, hour: float = 1) -> LetterRecord:
    return LetterRecord(
        key=f"{case.case_id}|{case.trigger}|letter:{name}",
        case=case,
        letter=name,
        language="en",
        version="abc123",
        message_id=f"<{name}@example.org>",
        choices=("accept", "insist"),
        claimed_at=at(hour),
    )


def command(case: CaseRef, type: str = "create_rma", *, hour: float = 2) -> CommandRecord:
    key = f"{case.case_id}|{case.trigger}|{type}:1"
    data: dict[str, JsonValue] = {"amount": "12.90", "lines": [{"line_id": "1", "quantity": 2}], "note": None}
    return CommandRecord(key=key, case=case, type=type, data=data, claimed_at=at(hour))


def outcome(case: CaseRef, result: str = "terms_accepted", *, hour: float = 48) -> Outcome:
    return Outcome(
        case_id=case.case_id,
        trigger=case.trigger,
        process=case.process,
        order_id=case.order_id,
        shop=case.shop,
        currency="EUR",
        result=result,
        stage="waive-restocking",
        cause="product",
        at_fault=False,
        amounts={"refund": Decimal("12.90"), "fee": Decimal("0.10")},
        letters_sent=2,
        first_response_time=None,
        resolution_time=172800.5,
        decisions=(DecisionTaken(question="inspection", option="full", by="mei", reason="worn", at=at(3)),),
        decisions_missed=0,
        angry=True,
        policy_version="2026-11",
        template_versions={"return-terms": "abc123"},
        opened_at=case.opened_at,
        closed_at=at(hour),
    )


def event(id: str, *, order: str = "A-1", hour: float = 0, status: EventStatus = EventStatus.RECEIVED) -> EventRecord:
    return EventRecord(
        source="shop",
        id=id,
        order_id=order,
        type="customer.replied",
        happened_at=at(hour),
        received_at=at(hour + 0.5),
        status=status,
        raw='{"text": "退款 🙁 \u202e"}',
    )


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/aftersales.db"


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as opened:
        yield opened


def python(code: str, *args: str) -> subprocess.Popen[str]:
    """Another process that has the tests' helpers at hand."""
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}"}
    program = f"import asyncio, sys\nfrom test_store import *\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *args], env={**os.environ, **paths}, stdout=subprocess.PIPE, text=True
    )


class TestLetters:
    async def test_claimed_then_sent(self, store: Store) -> None:
        record = letter(ref())
        assert await store.letter(record.key) is None
        await store.claim_letter(record)
        assert await store.letter(record.key) == record
        await store.letter_sent(record.key, at=at(2), reference="outbox/1.eml")
        sent = record.model_copy(update={"sent_at": at(2), "reference": "outbox/1.eml"})
        assert await store.letter(record.key) == sent

    async def test_a_second_claim_and_a_second_sending_change_nothing(self, store: Store) -> None:
        record = letter(ref())
        await store.claim_letter(record)
        await store.letter_sent(record.key, at=at(2), reference="first")
        await store.claim_letter(record.model_copy(update={"language": "zh", "claimed_at": at(9)}))
        await store.letter_sent(record.key, at=at(9), reference="second")
        known = await store.letter(record.key)
        assert known is not None
        assert (known.language, known.claimed_at, known.sent_at, known.reference) == ("en", at(1), at(2), "first")

    async def test_who_claims_again_is_told_what_stands(self, store: Store) -> None:
        record = letter(ref())
        again = record.model_copy(update={"language": "zh"})
        both = await asyncio.gather(store.claim_letter(record), store.claim_letter(again))
        assert list(both) == [record, record]
        await store.letter_sent(record.key, at=at(2), reference="first")
        assert (await store.claim_letter(again)).sent_at == at(2)

    async def test_sent_without_claim_is_an_error(self, store: Store) -> None:
        with pytest.raises(LookupError, match="letters was claimed with the key nowhere"):
            await store.letter_sent("nowhere", at=at(1), reference="r")

    async def test_of_two_tries_that_saw_the_same_one_is_let_through(self, store: Store) -> None:
        record = letter(ref())
        await store.claim_letter(record)
        both = [store.letter_tried(record.key, at=at(hour), after=None) for hour in (2, 3)]
        assert sorted(await asyncio.gather(*both)) == [False, True]
        assert (await store.claim_letter(record)).tried_at in (at(2), at(3))

    async def test_a_try_that_came_to_nothing_takes_back_its_own_mark_only(self, store: Store) -> None:
        record = letter(ref())
        await store.claim_letter(record)
        assert await store.letter_tried(record.key, at=at(2), after=None)
        assert await store.letter_tried(record.key, at=at(3), after=at(2))
        await store.letter_not_sent(record.key, at=at(2))
        assert (await store.claim_letter(record)).tried_at == at(3)
        await store.letter_not_sent(record.key, at=at(3))
        assert (await store.claim_letter(record)).tried_at is None

    async def test_what_is_sent_is_not_tried_again(self, store: Store) -> None:
        record = letter(ref())
        await store.claim_letter(record)
        await store.letter_sent(record.key, at=at(2), reference="first")
        assert not await store.letter_tried(record.key, at=at(3), after=None)

    async def test_the_first_effect_makes_the_case_known(self, store: Store) -> None:
        await store.claim_letter(letter(ref()))
        assert await store.open_cases("A-1") == [running(ref())]

    async def test_a_late_claim_does_not_reopen_the_case(self, store: Store) -> None:
        await store.claim_letter(letter(ref()))
        await store.close_case(outcome(ref()))
        await store.claim_letter(letter(ref(), "waive-restocking"))
        await store.claim_command(command(ref()))
        await store.open_case(running(ref(), "{}"))
        assert await store.open_cases("A-1") == []

    async def test_moments_come_back_the_same_from_any_offset(self, store: Store) -> None:
        shanghai = datetime(2026, 11, 3, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
        record = letter(ref()).model_copy(update={"claimed_at": shanghai})
        await store.claim_letter(record)
        known = await store.letter(record.key)
        assert known is not None
        assert known.claimed_at == shanghai
        assert known.claimed_at.utcoffset() == timedelta(0)


class TestCommands:
    async def test_claimed_then_accepted(self, store: Store) -> None:
        record = command(ref())
        await store.claim_command(record)
        await store.claim_command(record.model_copy(update={"data": {}}))
        assert await store.command(record.key) == record
        await store.command_accepted(record.key, at=at(3), reference="RMA-7")
        accepted = record.model_copy(update={"accepted_at": at(3), "reference": "RMA-7"})
        assert await store.command(record.key) == accepted == await store.claim_command(record)

    async def test_refused(self, store: Store) -> None:
        record = command(ref())
        await store.claim_command(record)
        await store.command_refused(record.key, reason="already refunded")
        refused = await store.command(record.key)
        assert refused == record.model_copy(update={"refused": "already refunded"})

    async def test_its_case_is_found_by_reference_and_by_key(self, store: Store) -> None:
        mine, other = command(ref()), command(ref("A-2"))
        for record in (mine, other):
            await store.claim_command(record)
        await store.command_accepted(mine.key, at=at(3), reference="RMA-7")
        await store.command_accepted(other.key, at=at(3), reference="RMA-8")
        assert await store.case_of_command(type="create_rma", reference="RMA-7") == running(ref())
        assert await store.case_of_command(type="refund", reference="RMA-7") is None
        assert await store.case_of_key(other.key) == running(ref("A-2"))
        assert await store.case_of_key("nothing") is None


class TestCases:
    async def test_opening_is_filled_in_once(self, store: Store) -> None:
        await store.claim_letter(letter(ref()))
        await store.open_case(running(ref(), "first"))
        await store.open_case(running(ref(), "second"))
        assert await store.last_opening("A-1") == "first"
        assert await store.last_opening("A-2") is None

    async def test_the_newest_opening_of_the_order(self, store: Store) -> None:
        await store.open_case(running(ref(opened=5, process="wrong-item"), "newer"))
        await store.open_case(running(ref(), "older"))
        await store.open_case(running(ref(opened=9, process="return-parcel")))
        assert await store.last_opening("A-1") == "newer"

    async def test_open_cases_with_the_newest_letter_come_first(self, store: Store) -> None:
        silent, quiet = ref(process="shipment-watch", opened=1), ref(process="wrong-item", opened=2)
        early, late = ref(opened=3), ref(process="return-parcel", opened=0)
        for case in (silent, early, late, quiet):
            await store.open_case(running(case))
        for record in (letter(early, hour=4), letter(late, hour=5), letter(late, "x", hour=1)):
            await store.claim_letter(record)
        await store.open_case(running(ref("A-2")))
        found = await store.open_cases("A-1")
        assert [case.process for case in found] == [
            "return-parcel",
            "return-escalation",
            "wrong-item",
            "shipment-watch",
        ]

    async def test_closed_once_with_the_whole_outcome(self, store: Store) -> None:
        await store.open_case(running(ref(), "{}"))
        await store.close_case(outcome(ref()))
        await store.close_case(outcome(ref(), "abandoned", hour=99))
        assert await store.views.outcomes() == [outcome(ref())]
        last = await store.last_case(ref().case_id)
        assert last is not None
        assert (last.closed_at, last.result, last.stage, last.opening) == (
            at(48), "terms_accepted", "waive-restocking", "{}",
        )  # fmt: skip

    async def test_closed_without_having_been_known(self, store: Store) -> None:
        parcel = CaseRef(**{**ref().model_dump(), "case_id": "shipment-watch/A-1/P-1", "part": "P-1"})
        await store.close_case(outcome(parcel))
        last = await store.last_case("shipment-watch/A-1/P-1")
        assert last is not None
        assert (last.part, last.result) == ("P-1", "terms_accepted")

    async def test_the_newest_run(self, store: Store) -> None:
        await store.open_case(running(ref(opened=5, event="e2")))
        await store.close_case(outcome(ref()))
        last = await store.last_case(ref().case_id)
        assert last == running(ref(opened=5, event="e2"))
        assert await store.last_case("return-escalation/none") is None

    async def test_amounts_are_stored_as_exact_text(self, store: Store, address: str) -> None:
        await store.close_case(outcome(ref()))
        query = text("SELECT amounts ->> 'refund', amounts ->> 'fee', at_fault FROM outcomes")
        async with connect(DatabaseSettings.of(address)) as raw:
            assert await raw.read(lambda sql: sql.execute(query).one()) == ("12.90", "0.10", False)


class TestEvents:
    async def test_new_then_known(self, store: Store) -> None:
        assert await recorded(store, [event("1"), event("2")]) == [None, None]
        await store.settle_events([event("1").model_copy(update={"status": EventStatus.STARTED, "cases": ("a", "b")})])
        assert await recorded(store, [event("2"), event("1")]) == [EventStatus.RECEIVED, EventStatus.STARTED]
        assert await store.views.event("shop 1") == [
            event("1").model_copy(update={"status": EventStatus.STARTED, "cases": ("a", "b")})
        ]
        assert await recorded(store, []) == []

    async def test_twice_in_one_batch(self, store: Store) -> None:
        again = event("1").model_copy(update={"raw": "again"})
        assert await recorded(store, [event("1"), again, again]) == [None, "received", "received"]
        assert await store.views.event("1") == [event("1")]

    async def test_a_refused_one_is_replaced(self, store: Store) -> None:
        refused, good = event("1", status=EventStatus.REFUSED), event("1")
        assert await recorded(store, [refused]) == [None]
        assert await recorded(store, [good, good]) == [EventStatus.REFUSED, EventStatus.RECEIVED]
        assert await store.views.event("1") == [good]

    async def test_refused_and_mended_in_one_batch(self, store: Store) -> None:
        worse = event("1", status=EventStatus.REFUSED).model_copy(update={"detail": "worse"})
        batch = [event("1", status=EventStatus.REFUSED), worse, event("1"), worse]
        assert await recorded(store, batch) == [None, "refused", "refused", "received"]
        assert await store.views.event("1") == [event("1")]

    async def test_waiting_ones_oldest_first(self, store: Store) -> None:
        waiting = EventStatus.NO_OPEN_CASE
        late, early = event("1", hour=5, status=waiting), event("2", hour=1, status=waiting)
        undated = event("3", hour=2, status=waiting).model_copy(update={"happened_at": None})
        await recorded(store, [late, undated, early, event("4"), event("5", order="A-2", status=waiting)])
        assert await store.waiting_events("A-1") == [early, undated, late]

    async def test_handed_back_stays_for_a_person(self, store: Store) -> None:
        await recorded(store, [event("1")])
        await store.hand_back("shop 1", case_id=ref().case_id, detail="nobody awaits it")
        settled = event("1").model_copy(update={"status": EventStatus.SIGNALLED, "cases": (ref().case_id,)})
        await store.settle_events([settled])
        for_a_person = {"status": EventStatus.FOR_A_PERSON, "detail": "nobody awaits it"}
        assert await store.views.event("1") == [settled.model_copy(update=for_a_person)]

    async def test_done_by_hand_is_not_handed_back_again(self, store: Store) -> None:
        done = event("1").model_copy(update={"status": EventStatus.DONE_BY_HAND, "detail": "called her"})
        await recorded(store, [event("1")])
        await store.hand_back("shop 1", case_id=ref().case_id, detail="x")
        await store.settle_events([done])
        await store.hand_back("shop 1", case_id=ref().case_id, detail="x")
        assert await store.views.event("1") == [done]

    async def test_one_that_never_came_in_is_handed_back_too(self, store: Store) -> None:
        await store.hand_back("return-escalation/A-1 agreed", case_id="return-parcel/A-1", detail="late")
        (found,) = await store.views.event("agreed")
        assert (found.order_id, found.status, found.cases) == ("A-1", "for_a_person", ("return-parcel/A-1",))
        with pytest.raises(ValueError, match="is no event's identity"):
            await store.hand_back("nonsense", case_id="return-parcel/A-1", detail="late")

    async def test_text_that_no_database_takes(self, store: Store) -> None:
        odd = event("1\x00").model_copy(update={"raw": "a\x00b\ud800c", "status": EventStatus.REFUSED})
        assert await recorded(store, [odd, odd]) == [None, EventStatus.REFUSED]
        (found,) = await store.views.event("1\x00")
        assert found.raw == "a\ufffdb\ufffdc"

    async def test_hundreds_at_once(self, store: Store) -> None:
        batch = [event(str(number % 900)) for number in range(1200)]
        assert await recorded(store, batch) == [None] * 900 + [EventStatus.RECEIVED] * 300


class TestManyAtOnce:
    async def test_every_caller_finds_its_own_write(self, store: Store) -> None:
        async def one(number: int) -> None:
            record = letter(ref(f"A-{number}"))
            await store.claim_letter(record)
            assert await store.letter(record.key) == record
            await store.letter_sent(record.key, at=at(2), reference=str(number))
            sent = await store.letter(record.key)
            assert sent is not None
            assert sent.reference == str(number)

        await asyncio.gather(*(one(number) for number in range(150)))
        assert (await store.views.summary()).letters == {"return-terms": 150}

    async def test_one_failure_is_one_callers(self, store: Store) -> None:
        claims = [store.claim_letter(letter(ref(f"A-{number}"))) for number in range(10)]
        unknown = store.letter_sent("nowhere", at=at(1), reference="r")
        results = await asyncio.gather(*claims[:5], unknown, *claims[5:], return_exceptions=True)
        assert [isinstance(result, LookupError) for result in results] == [False] * 5 + [True] + [False] * 5
        assert (await store.views.summary()).cases_open == 10

    async def test_a_cancelled_caller_stops_nobody(self, store: Store) -> None:
        tasks = [asyncio.create_task(store.claim_letter(letter(ref(f"A-{number}")))) for number in range(10)]
        lookups = [asyncio.create_task(store.letter(letter(ref(f"A-{number}")).key)) for number in range(10)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        lookups[0].cancel()
        await asyncio.gather(*tasks[1:], *lookups[1:])
        assert await store.letter(letter(ref("A-9")).key)

    async def test_two_processes_record_the_same_events(self, empty_address: str) -> None:
        code = """
async def main():
    async with open_store(sys.argv[1]) as store:
        new = 0
        for start in range(0, 400, 20):
            found = await recorded(store, [event(str(number)) for number in range(start, start + 20)])
            new += found.count(None)
        print(new)
asyncio.run(main())
"""
        others = [python(code, empty_address) for _ in range(2)]  # which open the same new database at once, too
        counts = [int(other.communicate(timeout=60)[0]) for other in others]
        assert sum(counts) == 400


class TestProcessesThatDie:
    async def test_what_was_claimed_survives_kill_9(self, address: str) -> None:
        code = """
async def main():
    async with open_store(sys.argv[1]) as store:
        async def forever(task):
            for number in range(10**6):
                record = letter(ref(f"{task}-{number}"))
                await store.claim_letter(record)
                print(record.key, flush=True)
        await asyncio.gather(*(forever(task) for task in range(10)))
asyncio.run(main())
"""
        writer = python(code, address)
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(300)]
        writer.send_signal(signal.SIGKILL)
        told += [line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        assert writer.wait() == -signal.SIGKILL
        writer.stdout.close()
        async with open_store(address) as store:
            assert all(await asyncio.gather(*(store.letter(key) for key in told)))

    async def test_closing_the_store_finishes_what_was_asked(self, address: str) -> None:
        async with open_store(address) as store:
            task = asyncio.create_task(store.claim_letter(letter(ref())))
            await asyncio.sleep(0)
        assert task.done()
        async with open_store(address) as store:
            assert await store.letter(letter(ref()).key)


class TestViews:
    async def test_the_story_of_a_case(self, store: Store) -> None:
        case = ref()
        came = event("1", hour=0.5).model_copy(update={"cases": (case.case_id,)})
        other = event("2", hour=0.5).model_copy(update={"cases": ("wrong-item/A-1",)})
        await recorded(store, [came, other])
        await store.claim_command(command(case, hour=3))
        await store.claim_letter(letter(case, hour=1))
        await store.close_case(outcome(case))
        await store.claim_letter(letter(ref("A-2")))
        story = await store.views.case_story(case.case_id)
        assert [line.what for line in story] == [came, letter(case, hour=1), command(case, hour=3), outcome(case)]
        assert [line.at for line in story] == [at(0.5), at(1), at(3), at(48)]
        assert await store.views.case_story("nonsense") == []

    async def test_lists_of_cases(self, store: Store) -> None:
        first, second = ref(opened=0), ref("A-2", process="wrong-item", opened=1)
        for record in (letter(first, hour=1), letter(first, "waive-restocking", hour=2)):
            await store.claim_letter(record)
        await store.open_case(running(second))
        await store.close_case(outcome(first))

        async def ids(**filters: str | bool | int) -> list[str]:
            return [line.order_id for line in await store.views.cases(**filters)]  # type: ignore[arg-type]

        assert await ids() == ["A-2", "A-1"]
        assert await ids(limit=1) == ["A-2"]
        assert await ids(open_only=True) == ["A-2"]
        assert await ids(process="return-escalation") == ["A-1"]
        (line,) = await store.views.cases(order_id="A-1")
        assert (line.last_letter, line.letters, line.result) == ("waive-restocking", 2, "terms_accepted")

    async def test_lists_of_events(self, store: Store) -> None:
        refused = event("2", order="A-2", hour=2, status=EventStatus.REFUSED)
        spaced = event("3", hour=3).model_copy(update={"id": "a b"})
        await recorded(store, [event("1", hour=1), refused, spaced])
        assert await store.views.events() == [spaced, refused, event("1", hour=1)]
        assert await store.views.events(status=EventStatus.REFUSED) == [refused]
        assert await store.views.events(order_id="A-1", limit=1) == [spaced]
        assert await store.views.event("a b") == await store.views.event("shop a b") == [spaced]
        assert await store.views.event("none") == []

    async def test_counts(self, store: Store) -> None:
        await recorded(store, [event("1"), event("2", status=EventStatus.REFUSED)])
        await store.claim_letter(letter(ref()))
        await store.claim_command(command(ref("A-2")))
        await store.close_case(outcome(ref()))
        assert (await store.views.summary()).model_dump() == {
            "cases_open": 1,
            "cases_closed": 1,
            "letters": {"return-terms": 1},
            "commands": {"create_rma": 1},
            "outcomes": {"return-escalation": {"terms_accepted": 1}},
            "events": {"received": 1, "refused": 1},
        }
        assert await store.views.outcomes(order_id="A-1") == [outcome(ref())]
        assert await store.views.outcomes(order_id="A-2") == []


class TestOpening:
    async def test_a_folder_is_made_and_the_second_start_is_quick(self, tmp_path: Path) -> None:
        folder = tmp_path / "new 100%" / "deep"
        async with open_store(url(folder)) as store:
            await store.claim_letter(letter(ref()))
        starts: list[float] = []
        for _ in range(3):
            begin = time.perf_counter()
            async with open_store(url(folder)) as store:
                starts.append(time.perf_counter() - begin)
                assert await store.letter(letter(ref()).key)
        assert min(starts) < 0.2

    async def test_many_open_a_new_database_at_once(self, empty_address: str) -> None:
        async def one(number: int) -> None:
            async with open_store(empty_address) as store:
                await store.claim_letter(letter(ref(f"A-{number}")))

        await asyncio.gather(*(one(number) for number in range(8)))
        async with open_store(empty_address) as store:
            assert (await store.views.summary()).cases_open == 8

    async def test_a_start_that_failed_half_way_is_made_good(self, tmp_path: Path) -> None:
        (tmp_path / "aftersales.db").touch()
        async with open_store(url(tmp_path)) as store:
            assert await store.open_cases("A-1") == []

    async def test_a_newer_database(self, address: str) -> None:
        async with open_store(address):
            pass
        newer = text("UPDATE alembic_version SET version_num = '0999'")
        async with connect(DatabaseSettings.of(address)) as raw:
            await raw.write(lambda sql: sql.execute(newer))
        await cannot_open(address, "revision 0999", "update Aftersales")

    async def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "aftersales.db").write_text("hello, I am a text file, and long enough to be looked at" * 40)
        await cannot_open(url(tmp_path), "aftersales.db", "file is not a database")

    async def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        await cannot_open(f"sqlite:///{tmp_path}/file/x/a.db", f"folder {tmp_path}/file/x", "choose another folder")

    @pytest.mark.parametrize("what", ["folder", "file"])
    async def test_what_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
        async with open_store(url(tmp_path)):
            pass
        closed = tmp_path if what == "folder" else tmp_path / "aftersales.db"
        # A superuser may write everywhere, whatever the mode says.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
        await cannot_open(url(tmp_path), str(closed), "is not writable", "give this user the right")

    @pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "", "nonsense", "mysql://x/y"])
    async def test_addresses_that_cannot_be_used(self, address: str) -> None:
        await cannot_open(address, "sqlite")


async def cannot_open(address: str, *words: str) -> None:
    with pytest.raises(DatabaseUnusable) as refused:
        async with open_store(address):
            pass
    told = str(refused.value)
    assert [word for word in words if word not in told] == [], told
