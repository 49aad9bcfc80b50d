"""Evidence packs: whole, the same however often they are asked for, and never a stage for what customers write."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typing_extensions import override

from adapters.database import Store, open_store
from adapters.evidence import ARCHIVE, EvidenceFolder
from adapters.outbox import Outbox
from aftersales.events import DisputeOpened
from aftersales.evidence import INDEX, MANIFEST, EvidenceRequest
from aftersales.letters import Rendered
from aftersales.order import Customer, Order
from aftersales.records import CaseRef, CommandRecord, EventRecord, EventStatus, LetterRecord, PaymentRecord
from aftersales.sending import Outgoing
from tests import events
from tests.events import order
from tests.letters_out import nothing
from tests.recorded import recorded

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVIL = '<script>alert("1")</script><img src=x onerror=alert(1)>'


def ref(case_id: str, trigger: str = "shop e1", shop: str = "amazon-us") -> CaseRef:
    process = case_id.partition("/")[0]
    return CaseRef(case_id=case_id, trigger=trigger, process=process, order_id="A-1", shop=shop, opened_at=AT)


DISPUTE, LADDER = ref("dispute/A-1"), ref("return-escalation/A-1")


class Page(HTMLParser):
    """The tags of a page, its addresses and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    @override
    def handle_data(self, data: str) -> None:
        self.words += data


def event(
    number: int, type: str, case: CaseRef = LADDER, became: EventStatus = EventStatus.SIGNALLED, **data: Any
) -> EventRecord:
    at = AT + timedelta(minutes=number)
    raw = {"id": f"e{number}", "source": "shop", "type": type, "subject": "A-1", "time": at.isoformat(), "data": data}
    return EventRecord(
        source="shop",
        id=f"e{number}",
        order_id="A-1",
        type=type,
        happened_at=at,
        received_at=at,
        status=became,
        cases=(case.case_id,),
        raw=json.dumps(raw),
    )


async def letter(store: Store, outbox: Outbox, case: CaseRef, name: str, text: str) -> None:
    key = f"{case.case_id}#{name}"
    known: dict[str, Any] = {"key": key, "case": case, "letter": name, "language": "en", "version": "v1"}
    record = LetterRecord(**known, message_id="<m@x.example>", choices=(), claimed_at=AT)
    await store.claim_letter(record)
    rendered = Rendered(language="en", version="v1", subject=name, text=text, html=f"<p>{name}</p>", choices=())
    to = Customer(name="Ada", email="ada@example.com", language="en")
    sent = Outgoing(
        key=key,
        case_id=case.case_id,
        message_id="<m@x.example>",
        to=to,
        shop="Shop",
        name=name,
        rendered=rendered,
        at=AT,
    )
    await store.letter_sent(key, at=AT, reference=await outbox.deliver(sent, nothing))


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        outbox = Outbox(tmp_path / "letters")
        await letter(store, outbox, LADDER, "return-terms", f"Dear Ada, terms. {EVIL}")
        await recorded(
            store,
            [
                event(
                    1, "order.return_requested", text=EVIL, photos=["https://p.example/1.jpg", "javascript:alert(1)"]
                ),
                event(2, "shipment.checkpoint", parcel_no="P-1", status="delivered", location="Austin", message=EVIL),
                event(3, "customer.replied", text="It is broken.", case_id=LADDER.case_id),
                event(4, "dispute.opened", DISPUTE, kind="a_to_z", order={"items": "not shown twice"}),
                event(5, "order.complaint", became=EventStatus.REFUSED, text="never taken"),
            ],
        )
        await store.hand_back("aftersales key", case_id=LADDER.case_id, detail="see to it")
        command = CommandRecord(
            key="c1", case=LADDER, type="refund", data={"amount": "30.00", "currency": "USD"}, claimed_at=AT
        )
        await store.claim_command(command)
        paid: dict[str, Any] = {"case": LADDER, "currency": "USD", "at": AT}
        await store.reserve(PaymentRecord(key="c1", kind="refund", amount=Decimal(30), **paid), cap=None)
        await store.command_accepted("c1", at=AT, reference="RF-1")
        await store.charge(PaymentRecord(key="c2", kind="freight", amount=Decimal(8), **paid))
        elsewhere = paid | {"case": ref("return-parcel/A-1", shop="tmall")}
        await store.charge(PaymentRecord(key="c3", kind="refund", amount=Decimal(99), **elsewhere))
        yield store


def request(number: int = 1, case: CaseRef = DISPUTE) -> EvidenceRequest:
    dispute = DisputeOpened(id="e4", source="shop", order_id="A-1", time=AT, kind="a_to_z", claim_id="C-1", text=EVIL)
    return EvidenceRequest(
        case=case,
        number=number,
        order=Order.model_validate(order("A-1")),
        dispute=dispute,
        respond_by=AT,
        policy_version="2026-11+abc",
        at=AT,
    )


@pytest.fixture
def locker(tmp_path: Path, store: Store) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence", store.views, tmp_path / "letters")


async def test_a_pack_has_the_whole_record_of_the_order_over_all_its_cases(
    locker: EvidenceFolder, tmp_path: Path
) -> None:
    pack = await locker.build(request())
    counted = (pack.letters, pack.messages, pack.scans, pack.links, pack.commands, pack.proofs)
    assert counted == (1, 1, 1, 1, 1, 3)
    assert pack.paid == Decimal(30)
    words = Page((tmp_path / pack.folder / INDEX).read_text("utf-8")).words
    for told in ("Dear Ada, terms.", "It is broken.", "delivered", "Austin", "RF-1", "2026-11+abc", "Desk lamp"):
        assert told in words
    assert "never taken" not in words
    assert "not shown twice" not in words
    assert "refund 99" not in words


NOTES = ("internal_note", "VIP", "purchase_price", "cost_price", "risk_score", "used one")
"""What a shop adds to its events that the contract does not name."""


async def test_what_is_the_shops_own_stays_in_the_house(locker: EvidenceFolder, store: Store, tmp_path: Path) -> None:
    refused: dict[str, Any] = {"amount": "7.77", "currency": "USD", "approved_by": "Anna", "reason": "goodwill"}
    await store.claim_command(CommandRecord(key="c9", case=LADDER, type="refund", data=refused, claimed_at=AT))
    await store.command_refused("c9", reason="no such card")
    given: dict[str, Any] = {"cause": "our fault", "parcel": {"parcel_no": "P-9", "cost": "6.66"}}
    await store.claim_command(CommandRecord(key="c8", case=LADDER, type="reship", data=given, claimed_at=AT))
    await store.command_accepted("c8", at=AT, reference="RS-8")
    paid = order("A-1", internal_note="VIP, margin 60 %", purchase_price="41.00")
    paid["items"][0]["cost_price"] = "48.01"
    raw = events.event("order.paid", "A-1", order=paid, risk_score="0.93", staff_note="we sold her a used one")
    await recorded(store, [event(8, "order.paid").model_copy(update={"raw": json.dumps(raw)})])
    folder = tmp_path / (await locker.build(request())).folder
    texts = {path.name: path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in (".html", ".json")}
    for own in ("unit_cost", "48.00", "6.66", "7.77", "no such card", "Anna", "goodwill", "our fault", *NOTES):
        assert [name for name, text in texts.items() if own in text] == []
    assert "P-9" in texts["commands.json"]
    assert "RS-8" in texts["index.html"]


async def test_what_customers_write_is_text_and_never_markup(locker: EvidenceFolder, tmp_path: Path) -> None:
    folder = tmp_path / (await locker.build(request())).folder
    page = Page((folder / INDEX).read_text("utf-8"))
    assert not {"script", "img", "iframe", "link"} & set(page.tags)
    assert page.words.count(EVIL) >= 4
    files = [address for address in page.addresses if not address.startswith("https://p.example/")]
    assert files
    assert all((folder / file).is_file() for file in files)


async def test_the_manifest_has_the_hash_of_each_file_and_the_archive_has_them_all(
    locker: EvidenceFolder, tmp_path: Path
) -> None:
    pack = await locker.build(request())
    folder = tmp_path / pack.folder
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    packed = files.pop(ARCHIVE)
    assert packed
    assert pack.digest == sha256(files[MANIFEST]).hexdigest()
    listed = json.loads(files[MANIFEST])["files"]
    assert listed == {name: sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    assert {"letters/001-return-terms.eml", "letters/001-return-terms.txt", "events.json"} <= set(listed)
    with ZipFile(folder / ARCHIVE) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


async def test_a_pack_is_built_once_whatever_happens_afterwards(
    locker: EvidenceFolder, store: Store, tmp_path: Path
) -> None:
    first = await locker.build(request())
    await recorded(store, [event(9, "customer.replied", text="Much later.")])
    assert await locker.build(request()) == first
    later = await locker.build(request(number=2))
    assert later.messages == first.messages + 1
    assert [path.name for path in (tmp_path / first.folder).parent.iterdir() if path.name.startswith(".")] == []


async def test_the_same_record_gives_the_same_bytes(locker: EvidenceFolder, store: Store, tmp_path: Path) -> None:
    elsewhere = EvidenceFolder(tmp_path / "other" / "evidence", store.views, tmp_path / "letters")
    asked = request()
    first, second = await locker.build(asked), await elsewhere.build(asked)
    assert first == second
    one, other = tmp_path / first.folder, tmp_path / "other" / second.folder
    assert (one / ARCHIVE).read_bytes() == (other / ARCHIVE).read_bytes()


async def test_a_case_that_opens_anew_has_packs_of_its_own(locker: EvidenceFolder) -> None:
    again = ref("dispute/A-1", trigger="shop e9")
    assert (await locker.build(request())).folder != (await locker.build(request(case=again))).folder


async def test_a_letter_that_the_outbox_does_not_have_is_named_without_its_text(store: Store, tmp_path: Path) -> None:
    locker = EvidenceFolder(tmp_path / "evidence", store.views, tmp_path / "nowhere")
    pack = await locker.build(request())
    page = (tmp_path / pack.folder / INDEX).read_text("utf-8")
    assert pack.letters == 1
    assert "return-terms" in page
    assert "Dear Ada" not in page
