"""The tables, for SQLite and PostgreSQL alike.

A change here needs a new file in `migrations/versions` and its number in `REVISION`; a test compares the two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

REVISION = "0004"
"""The newest migration: what a database must be at for this code."""

_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Text without NUL, which PostgreSQL refuses, and lone surrogates, which no database can encode."""
    return text if text.isascii() and "\x00" not in text else _UNSAFE.sub("\ufffd", text)


class CleanText(TypeDecorator[str]):
    """Text as `clean` leaves it."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and returned with its offset; SQLite itself would return it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no offset; give moments as aware datetimes")
        return value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _text(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, CleanText, nullable=null)


def _time(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, UtcTime, nullable=null)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

events = Table(
    "events",
    metadata,
    _text("source"),
    _text("id"),
    _text("order_id"),
    _text("type"),
    _time("happened_at", null=True),
    _time("received_at"),
    _text("status"),
    _text("detail"),
    Column("cases", JSON, nullable=False),
    _text("raw"),
    PrimaryKeyConstraint("source", "id"),
    Index(None, "id"),
    Index(None, "order_id"),
    Index(None, "status", "received_at"),
    Index(None, "received_at"),
)
"""Every event that came in. `cases` is a list of case ids, `raw` the text as received."""

aliases = Table(
    "aliases",
    metadata,
    _text("alias"),
    _text("scope"),
    _text("shop"),
    _text("order_id"),
    _text("parcel_no"),
    _time("at"),
    PrimaryKeyConstraint("alias", "scope"),
)
"""What senders call an order that do not know its id: the tracking number of a parcel, a platform's own number."""

answered = Table(
    "answered",
    metadata,
    _text("sender"),
    _text("id"),
    _text("digest"),
    Column("status", Integer, nullable=False),
    _text("media_type"),
    _text("answer"),
    _time("at"),
    PrimaryKeyConstraint("sender", "id"),
    Index(None, "at"),
)
"""Requests over HTTP and what they were answered, so that a repeat gets the same. `digest` is that of what was
signed."""

cases = Table(
    "cases",
    metadata,
    _text("case_id"),
    _text("trigger"),
    _text("process"),
    _text("order_id"),
    _text("part"),
    _text("shop"),
    _time("opened_at"),
    _time("closed_at", null=True),
    _text("result", null=True),
    _text("stage", null=True),
    _text("opening", null=True),
    PrimaryKeyConstraint("case_id", "trigger"),
    Index(None, "order_id"),
    Index(None, "closed_at", "opened_at"),
    Index(None, "opened_at"),
    # For the figures, which would otherwise read every row with its opening.
    Index("ix_cases_figures", "process", "opened_at", "closed_at", "shop", "order_id"),
)
"""Every run of a case; `closed_at` is null while it runs."""

letters = Table(
    "letters",
    metadata,
    _text("key"),
    _text("case_id"),
    _text("trigger"),
    _text("letter"),
    _text("variant"),
    _text("language"),
    _text("version"),
    _text("message_id"),
    Column("choices", JSON, nullable=False),
    _time("claimed_at"),
    _time("sent_at", null=True),
    _text("reference", null=True),
    _time("tried_at", null=True),
    _text("bounced", null=True),
    PrimaryKeyConstraint("key"),
    ForeignKeyConstraint(["case_id", "trigger"], ["cases.case_id", "cases.trigger"]),
    Index(None, "case_id", "trigger"),
    Index(None, "message_id"),
)
"""Every letter, claimed before it is sent. `tried_at` stands while nobody knows whether it went out; `bounced` says why
it came back."""

commands = Table(
    "commands",
    metadata,
    _text("key"),
    _text("case_id"),
    _text("trigger"),
    _text("type"),
    Column("data", JSON, nullable=False),
    _time("claimed_at"),
    _time("accepted_at", null=True),
    _text("reference", null=True),
    _text("refused", null=True),
    PrimaryKeyConstraint("key"),
    ForeignKeyConstraint(["case_id", "trigger"], ["cases.case_id", "cases.trigger"]),
    Index(None, "case_id", "trigger"),
    Index(None, "type", "reference"),
    Index(None, "type", "accepted_at"),
)
"""Every command, claimed before it is given."""

payments = Table(
    "payments",
    metadata,
    _text("key"),
    _text("case_id"),
    _text("trigger"),
    _text("shop"),
    _text("order_id"),
    _text("kind"),
    _text("amount"),
    _text("currency"),
    _text("state"),
    _time("at"),
    _text("approved_by"),
    _text("reason"),
    PrimaryKeyConstraint("key"),
    ForeignKeyConstraint(["case_id", "trigger"], ["cases.case_id", "cases.trigger"]),
    Index(None, "shop", "order_id"),
)
"""The money of every order: what left for it, or is about to. `amount` is an exact decimal."""

outcomes = Table(
    "outcomes",
    metadata,
    _text("case_id"),
    _text("trigger"),
    _text("process"),
    _text("order_id"),
    _text("shop"),
    _text("currency"),
    _text("result"),
    _text("stage"),
    _text("cause"),
    Column("at_fault", Boolean, nullable=False),
    Column("amounts", JSON, nullable=False),
    Column("letters_sent", Integer, nullable=False),
    Column("first_response_time", Float, nullable=True),
    Column("resolution_time", Float, nullable=False),
    Column("decisions_missed", Integer, nullable=False),
    Column("angry", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("replied_in_time", Integer, nullable=False),
    Column("reply_seconds", Float, nullable=False),
    _text("policy_version"),
    _time("opened_at"),
    _time("closed_at"),
    Column("document", JSON, nullable=False),
    PrimaryKeyConstraint("case_id", "trigger"),
    Index(None, "order_id"),
    # For the figures, which would otherwise read every row with its document.
    Index(
        "ix_outcomes_figures",
        *("closed_at", "shop", "process", "cause", "result", "first_response_time"),
        *("messages", "replies", "replied_in_time", "reply_seconds"),
    ),
)
"""How cases ended. `amounts` maps kinds to exact decimals as text; `document` is the whole outcome.

`messages` of the customer were followed by `replies`, which took `reply_seconds` together.
"""

shipped_goods = Table(
    "shipped_goods",
    metadata,
    _text("shop"),
    _text("order_id"),
    _text("parcel_no"),
    _text("line_id"),
    _text("told_by"),
    _text("category"),
    _text("sku"),
    _text("carrier"),
    _text("lane"),
    Column("quantity", Integer, nullable=False),
    _text("currency"),
    Column("cost", BigInteger, nullable=False),
    _time("shipped_at"),
    PrimaryKeyConstraint("shop", "order_id", "parcel_no", "line_id"),
    Index(None, "shipped_at"),
)
"""Goods that left, a row for each line of each parcel. `cost` is what they cost the shop, in ten-thousandths of a unit
of the currency; `told_by` is the identity of the event that said so: of several the earliest counts."""

case_goods = Table(
    "case_goods",
    metadata,
    _text("case_id"),
    _text("trigger"),
    _text("line_id"),
    _text("shop"),
    _text("order_id"),
    _text("process"),
    _text("result"),
    _text("cause"),
    _text("category"),
    _text("sku"),
    Column("quantity", Integer, nullable=False),
    _text("currency"),
    Column("loss", BigInteger, nullable=False),
    _time("closed_at"),
    PrimaryKeyConstraint("case_id", "trigger", "line_id"),
    ForeignKeyConstraint(["case_id", "trigger"], ["outcomes.case_id", "outcomes.trigger"]),
    Index(None, "closed_at"),
)
"""What closed cases were about, and what was lost on each line (`aftersales.losses`), in ten-thousandths of a unit of
the currency. The line id is empty where the outcome does not say which goods it was about."""

case_letters = Table(
    "case_letters",
    metadata,
    _text("case_id"),
    _text("trigger"),
    Column("number", Integer, nullable=False),
    _text("shop"),
    _text("order_id"),
    _text("process"),
    _text("letter"),
    _text("language"),
    _text("variant"),
    Column("awaited", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("abandoned", Boolean, nullable=False),
    Column("answer_seconds", Float, nullable=True),
    _time("sent_at"),
    _time("closed_at"),
    PrimaryKeyConstraint("case_id", "trigger", "number"),
    ForeignKeyConstraint(["case_id", "trigger"], ["outcomes.case_id", "outcomes.trigger"]),
    Index(None, "closed_at"),
    Index(None, "order_id"),
)
"""What became of each letter of a closed case (`aftersales.letter_results`); `number` counts them from 0."""

warnings = Table(
    "warnings",
    metadata,
    _text("shop"),
    _text("kind"),
    _text("subject"),
    _time("since"),
    _time("until", null=True),
    _text("what"),
    _time("told_at", null=True),
    PrimaryKeyConstraint("shop", "kind", "subject", "since"),
)
"""Limits that are or were crossed: `since` and `until` when, `told_at` when staff had their mail about it. The kind is
`return_rate`, `non_quality` (the subject is a category of goods) or `claims` (`<letter>.<variant>`, which is stopped).
The shop is empty where it is all of them."""
