"""What the figures are computed from: goods that left, goods and letters of closed cases; limits that are crossed."""

import sqlalchemy as sa
from alembic import op

from adapters.database.filling import fill

revision = "0004"
down_revision = "0003"
# All but the warnings is filled again from events and outcomes by the next upgrade.
DROPS = ("warnings",)

TIME = sa.DateTime(timezone=True)
COUNTS = {"messages": sa.Integer, "replies": sa.Integer, "replied_in_time": sa.Integer, "reply_seconds": sa.Float}


def upgrade() -> None:
    op.create_table(
        "shipped_goods",
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("parcel_no", sa.Text, nullable=False),
        sa.Column("line_id", sa.Text, nullable=False),
        sa.Column("told_by", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("carrier", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("shipped_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("shop", "order_id", "parcel_no", "line_id", name="pk_shipped_goods"),
    )
    op.create_index("ix_shipped_goods_shipped_at", "shipped_goods", ["shipped_at"])

    outcome = ["case_id", "trigger"], ["outcomes.case_id", "outcomes.trigger"]
    op.create_table(
        "case_goods",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("line_id", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("loss", sa.BigInteger, nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "trigger", "line_id", name="pk_case_goods"),
        sa.ForeignKeyConstraint(*outcome, name="fk_case_goods_outcomes"),
    )
    op.create_index("ix_case_goods_closed_at", "case_goods", ["closed_at"])

    op.create_table(
        "case_letters",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("letter", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("variant", sa.Text, nullable=False),
        sa.Column("awaited", sa.Boolean, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("abandoned", sa.Boolean, nullable=False),
        sa.Column("answer_seconds", sa.Float),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "trigger", "number", name="pk_case_letters"),
        sa.ForeignKeyConstraint(*outcome, name="fk_case_letters_outcomes"),
    )
    op.create_index("ix_case_letters_closed_at", "case_letters", ["closed_at"])
    op.create_index("ix_case_letters_order_id", "case_letters", ["order_id"])

    op.create_table(
        "warnings",
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("told_at", TIME),
        sa.PrimaryKeyConstraint("shop", "kind", "subject", "since", name="pk_warnings"),
    )
    for name, kind in COUNTS.items():
        op.add_column("outcomes", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("letters", sa.Column("variant", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_commands_type_accepted_at", "commands", ["type", "accepted_at"])
    op.create_index("ix_cases_figures", "cases", ["process", "opened_at", "closed_at", "shop", "order_id"])
    op.drop_index("ix_outcomes_closed_at", "outcomes")
    answers = ["first_response_time", *COUNTS]
    op.create_index("ix_outcomes_figures", "outcomes", ["closed_at", "shop", "process", "cause", "result", *answers])
    fill(op.get_bind())


def downgrade() -> None:
    op.drop_index("ix_outcomes_figures", "outcomes")
    op.create_index("ix_outcomes_closed_at", "outcomes", ["closed_at"])
    op.drop_index("ix_cases_figures", "cases")
    op.drop_index("ix_commands_type_accepted_at", "commands")
    op.drop_column("letters", "variant")
    for name in COUNTS:
        op.drop_column("outcomes", name)
    for table in ("warnings", "case_letters", "case_goods", "shipped_goods"):
        op.drop_table(table)
