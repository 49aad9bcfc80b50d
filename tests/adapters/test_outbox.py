"""The outbox: one readable file a letter, once, whole, and without a header more than it was given."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.letter_mail import compose
from adapters.outbox import Outbox, OutboxError
from aftersales.letters import Rendered
from aftersales.message_ids import case_of, message_id
from aftersales.order import Customer
from aftersales.sending import Outgoing
from tests.letters_out import nothing

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LETTER = Rendered(
    language="zh",
    version="abc",
    subject="关于您的订单",
    text="您好：\n\n1. 好\n",
    html="<p>您好</p>\n",
    choices=("accept",),
)


def letter(case_id: str = "return-escalation/A-1001", key: str = "k-1", **changes: Any) -> Outgoing:
    plain = Outgoing(
        key=key,
        case_id=case_id,
        message_id=message_id(case_id, key, "mail.example.com"),
        to=customer(),
        shop="Lumen Home",
        name="return-terms",
        rendered=LETTER,
        at=AT,
    )
    return replace(plain, **changes)


def customer(name: str = "Ada Reyes", email: str = "ada@example.com") -> Customer:
    return Customer.model_construct(name=name, email=email, language="en")


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


async def test_letter_is_one_readable_mail(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "outbox"
    where = await Outbox(folder).deliver(letter(), nothing)
    assert where.startswith("A-1001/20261120T093000Z-return-terms-")
    assert files(folder) == [where]
    content = (folder / where).read_bytes()
    assert "您好：".encode() in content
    mail = parsed(content)
    assert mail["Subject"] == "关于您的订单"
    assert mail["To"] == "Ada Reyes <ada@example.com>"
    assert mail["From"] == "Lumen Home <aftersales@mail.example.com>"
    assert mail["Date"].datetime == AT
    assert case_of(mail["Message-ID"]) == mail["X-Aftersales-Case"] == "return-escalation/A-1001"
    assert body(mail, "plain") == LETTER.text
    assert body(mail, "html") == LETTER.html


async def test_repeat_of_a_key_changes_nothing(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    first = await outbox.deliver(letter(), nothing)
    before = (tmp_path / first).read_bytes()
    later = letter(at=AT.replace(hour=11), rendered=LETTER.model_copy(update={"subject": "other"}))
    assert await outbox.deliver(later, nothing) == first
    assert files(tmp_path) == [first]
    assert (tmp_path / first).read_bytes() == before


async def test_letters_sent_at_once_are_all_there(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    places = await asyncio.gather(*(outbox.deliver(letter(key=f"k-{n % 10}"), nothing) for n in range(30)))
    assert len(set(places)) == 10
    assert files(tmp_path) == sorted(set(places))


async def test_orders_never_share_a_folder(tmp_path: Path) -> None:
    orders = ["A-1", "a-1", "A/1", "A_1", "..", "%2E%2E", "订单", "x" * 200, "x" * 199, "CON.", "A:1"]
    outbox = Outbox(tmp_path)
    cases = [f"return-escalation/{order.replace('%', '%25').replace('/', '%2F')}" for order in orders]
    places = [await outbox.deliver(letter(case, key=case), nothing) for case in cases]
    folders = [place.split("/")[0] for place in places]
    assert len({folder.lower() for folder in folders}) == len(orders)
    assert all(len(place.split("/")) == 2 and len(place) < 200 for place in places)
    assert files(tmp_path) == sorted(places)


async def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutboxError, match=f"the outbox {blocked}/box cannot be written: .*; make room"):
        await Outbox(blocked / "box").deliver(letter(), nothing)


async def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adapters.outbox.os.fsync", broken)
    with pytest.raises(OutboxError, match="No space left on device"):
        await Outbox(tmp_path).deliver(letter(), nothing)
    assert files(tmp_path) == []


names = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["Ada\r\nBcc: all@example.com", "a\n\nb", '"; <x@y.z>, "', "=?utf-8?q?x?=", "\ud800", "王小明" * 40]
    ),
)


@given(name=names, shop=names, subject=names, order=st.text(min_size=1, max_size=60))
def test_no_name_adds_a_header(name: str, shop: str, subject: str, order: str) -> None:
    case_id = f"return-escalation/{order.replace('%', '%25').replace('/', '%2F')}"
    mine = letter(case_id, to=customer(name), shop=shop, rendered=LETTER.model_copy(update={"subject": subject}))
    mail = parsed(compose(mine).as_bytes())
    expected = ["Message-ID", "Date", "From", "To", "Subject", "Content-Language", "X-Aftersales-Case"]
    assert sorted(mail.keys()) == sorted([*expected, "MIME-Version", "Content-Type"])
    assert [address.addr_spec for address in mail["To"].addresses] == ["ada@example.com"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["aftersales@mail.example.com"]
    assert case_of(mail["Message-ID"]) == case_id
    assert compose(mine).as_bytes() == compose(mine).as_bytes()


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a\x00b@example.com", "a\r\nBcc: x@y.z"])
def test_address_that_is_none_is_refused(email: str) -> None:
    mine = letter(to=customer(email=email))
    with pytest.raises(ValueError, match="e-mail address"):
        compose(mine)


@pytest.mark.parametrize("email", ["用户@example.com", "a,b@example.com", '"a b"@example.com', "ada@例子.cn"])
def test_unusual_addresses_are_kept(email: str) -> None:
    mine = letter(to=customer(email=email))
    content = compose(mine).as_bytes()
    assert b"\nBcc" not in content
    assert len(parsed(content)["To"].addresses) == 1


def test_long_lines_are_encoded() -> None:
    mine = letter(rendered=LETTER.model_copy(update={"html": "长" * 5000}))
    content = compose(mine).as_bytes()
    assert max(map(len, content.splitlines())) <= 998
    mail = parsed(content)
    assert body(mail, "html").strip() == "长" * 5000


def test_time_needs_an_offset() -> None:
    mine = letter(at=datetime(2026, 11, 20))
    with pytest.raises(ValueError, match="needs its offset"):
        compose(mine)
