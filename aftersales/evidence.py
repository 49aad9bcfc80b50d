"""The evidence pack of a dispute: what is known of an order, as files to hand to a platform or a bank (§18).

It leaves the house. So it holds what happened and what was done, and not what is the shop's own: what goods cost it,
what was refused or held up, and who decided what for which reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from aftersales.events import TYPES, BadEvent, DisputeOpened, parse_event
from aftersales.model import Amount, Model, Time
from aftersales.order import Order
from aftersales.records import CaseRef, CommandRecord, EventRecord, EventStatus, LetterRecord, PaymentRecord

INDEX, MANIFEST = "index.html", "manifest.json"
_PAGE = Path(__file__).with_name("evidence.html")
_LINK = re.compile(r"https?://[^\s\"'<>]+")
_WRITTEN = frozenset({"text", "fault", "reason", "message"})
"""Fields of events in which somebody says something in words."""
_ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype")
_OWN = frozenset({"unit_cost", "cost"})
_SHOWN = frozenset({"amount", "currency", "lines", "parcel", "rma"})
_PAID = frozenset({"kind", "amount", "currency", "at"})


class EvidenceRequest(Model):
    """What a case asks for: pack `number` of its dispute."""

    case: CaseRef
    number: int
    order: Order
    dispute: DisputeOpened
    respond_by: Time
    policy_version: str
    at: Time


class EvidencePack(Model):
    """A pack that was built: its folder inside the data folder, and how much of what is in it.

    `proofs` counts what was there apart from the dispute: letters of other cases, scans, photos and other links.
    `digest` is the SHA-256 of the manifest, `paid` what had left for the order by then, return freight not counted.
    """

    folder: str
    digest: str
    letters: int
    messages: int
    scans: int
    links: int
    commands: int
    proofs: int
    paid: Amount

    def left(self, order: Order) -> Decimal:
        """What has not been paid back of the order."""
        return max(order.total - self.paid, Decimal(0))

    @property
    def in_words(self) -> str:
        """How much there is, and where it lies."""
        return (
            f"So far {self.paid} was paid back; there are {self.letters} letters, {self.messages} messages, "
            f"{self.scans} scans, {self.links} photos and links, {self.commands} commands. "
            f"Evidence: {self.folder}/{INDEX} in the data folder."
        )


class SentLetter(NamedTuple):
    """A letter, and the e-mail as it went out where it is still there."""

    record: LetterRecord
    mail: bytes | None


class OrderRecord(NamedTuple):
    """All that the database has of an order, over all its cases, each in the order of time."""

    events: Sequence[EventRecord]
    letters: Sequence[SentLetter]
    commands: Sequence[CommandRecord]
    payments: Sequence[PaymentRecord]


def pack(request: EvidenceRequest, record: OrderRecord, folder: str) -> tuple[EvidencePack, dict[str, bytes]]:
    """The pack and its files by their path in the folder; the same record gives the same bytes."""
    # What a case only told a person has no text of its own.
    came = [event for event in record.events if event.raw and event.status != EventStatus.REFUSED]
    events = [_Happened.of(event) for event in came]
    commands = [command for command in record.commands if command.reference is not None]
    payments = [payment for payment in record.payments if payment.state == "confirmed"]
    letters = [_Letter.of(number, letter) for number, letter in enumerate(record.letters, 1)]
    files = {file: content for letter in letters for file, content in letter.files.items()} | {
        "order.json": _json(_public(request.order.model_dump(mode="json"))),
        "events.json": _json([_told(event) for event in came]),
        "commands.json": _json([_given(command) for command in commands]),
        "money.json": _json([payment.model_dump(mode="json", include=set(_PAID)) for payment in payments]),
    }
    links = list(dict.fromkeys(link for event in events for link in event.links))
    page = _page().render(
        request=request,
        order=request.order,
        dispute=request.dispute,
        events=events,
        letters=letters,
        messages=[event for event in events if event.words],
        scans=[event for event in events if event.type == "shipment.checkpoint"],
        links=links,
        commands=commands,
        payments=payments,
        files={name: sha256(content).hexdigest() for name, content in files.items()},
    )
    files[INDEX] = page.encode()
    scans = sum(event.type == "shipment.checkpoint" for event in events)
    summary = EvidencePack(
        folder=folder,
        digest="",
        letters=len(letters),
        messages=sum(event.by_customer for event in events),
        scans=scans,
        links=len(links),
        commands=len(commands),
        proofs=sum(letter.record.case.process != request.case.process for letter in letters) + scans + len(links),
        paid=paid(record.payments),
    )
    files[MANIFEST] = _json(
        {
            "case": request.case.case_id,
            "number": request.number,
            "collected_at": request.at.isoformat(),
            "policy_version": request.policy_version,
            "summary": summary.model_dump(mode="json", exclude={"digest"}),
            "files": {name: sha256(files[name]).hexdigest() for name in sorted(files)},
        }
    )
    return with_digest(summary, files[MANIFEST]), files


def with_digest(summary: EvidencePack, manifest: bytes) -> EvidencePack:
    """The pack of this manifest."""
    return summary.model_copy(update={"digest": sha256(manifest).hexdigest()})


def built(manifest: bytes) -> EvidencePack:
    """The pack that a manifest is of, as it was built once."""
    return with_digest(EvidencePack.model_validate({**json.loads(manifest)["summary"], "digest": ""}), manifest)


def paid(payments: Sequence[PaymentRecord]) -> Decimal:
    """What has left for an order or is about to; return freight comes on top of its total and is not counted."""
    left = (one.amount for one in payments if one.state != "released" and one.kind != "freight")
    return sum(left, Decimal(0))


def _public(value: Any) -> Any:
    """The same without what the goods cost the shop."""
    if isinstance(value, dict):
        return {name: _public(item) for name, item in value.items() if name not in _OWN}
    return [_public(item) for item in value] if isinstance(value, list) else value


def _told(record: EventRecord) -> dict[str, Any]:
    """An event as it came, without what the contract does not name: that may be the shop's own notes."""
    raw = json.loads(record.raw)
    try:
        known: Mapping[str, Any] = parse_event(raw).model_dump(mode="json")
    except BadEvent:
        # Taken by an earlier build, whose contract it met.
        known = TYPES[record.type].model_fields
    data = _named(raw.get("data") or {}, known)
    return {**{name: raw[name] for name in _ENVELOPE if name in raw}, "data": _public(data)}


def _named(value: Any, known: Any) -> Any:
    """Of a value what stands in what was understood of it."""
    if isinstance(value, dict) and isinstance(known, Mapping):
        return {name: _named(item, known[name]) for name, item in value.items() if name in known}
    if isinstance(value, list) and isinstance(known, list):
        return [_named(item, other) for item, other in zip(value, known, strict=False)]
    return value


def _given(command: CommandRecord) -> dict[str, Any]:
    """A command as it was carried out."""
    data = {name: value for name, value in command.data.items() if name in _SHOWN}
    return {"type": command.type, "at": command.accepted_at, "reference": command.reference, **_public(data)}


class _Happened(NamedTuple):
    """An event as a reader of the pack sees it."""

    at: datetime
    type: str
    facts: Mapping[str, str]
    words: str
    links: tuple[str, ...]
    by_customer: bool

    @classmethod
    def of(cls, record: EventRecord) -> _Happened:
        data = {name: value for name, value in _told(record)["data"].items() if name != "order"}
        told = {name: value for name, value in data.items() if name not in _WRITTEN and value not in (None, "", [], {})}
        return cls(
            at=record.happened_at or record.received_at,
            type=record.type,
            facts={name: _flat(value) for name, value in told.items()},
            words="\n".join(str(data[name]) for name in sorted(_WRITTEN & data.keys()) if data[name]),
            links=tuple(_LINK.findall(json.dumps(data, ensure_ascii=False))),
            by_customer=record.type.startswith("customer."),
        )


class _Letter(NamedTuple):
    """A letter as a reader of the pack sees it, with its files."""

    record: LetterRecord
    text: str
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, number: int, letter: SentLetter) -> _Letter:
        record, mail = letter
        if mail is None:
            return cls(record, "", {})
        body = message_from_bytes(mail, policy=policy.default).get_body(("plain",))
        text = body.get_content() if body else ""
        name = f"letters/{number:03}-{re.sub(r'[^A-Za-z0-9_-]', '_', record.letter)}"
        return cls(record, text, {f"{name}.eml": mail, f"{name}.txt": text.encode()})


@cache
def _page() -> Template:
    """The page's template. What anybody wrote is text in it, never markup."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = _moment
    return environment.from_string(_PAGE.read_text("utf-8"))


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n").encode()
