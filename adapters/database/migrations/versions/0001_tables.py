"""The first tables: events, cases, letters, commands, outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
DROPS = ("outcomes", "commands", "letters", "cases", "events")

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("happened_at", TIME),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("cases", sa.JSON, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name="pk_events"),
    )
    op.create_index("ix_events_id", "events", ["id"])
    op.create_index("ix_events_order_id", "events", ["order_id"])
    op.create_index("ix_events_status_received_at", "events", ["status", "received_at"])
    op.create_index("ix_events_received_at", "events", ["received_at"])

    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("result", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("opening", sa.Text),
        sa.PrimaryKeyConstraint("case_id", "trigger", name="pk_cases"),
    )
    op.create_index("ix_cases_order_id", "cases", ["order_id"])
    op.create_index("ix_cases_closed_at_opened_at", "cases", ["closed_at", "opened_at"])
    op.create_index("ix_cases_opened_at", "cases", ["opened_at"])

    op.create_table(
        "letters",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("letter", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("reference", sa.Text),
        sa.PrimaryKeyConstraint("key", name="pk_letters"),
        sa.ForeignKeyConstraint(["case_id", "trigger"], ["cases.case_id", "cases.trigger"], name="fk_letters_cases"),
    )
    op.create_index("ix_letters_case_id_trigger", "letters", ["case_id", "trigger"])

    op.create_table(
        "commands",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME),
        sa.Column("reference", sa.Text),
        sa.Column("refused", sa.Text),
        sa.PrimaryKeyConstraint("key", name="pk_commands"),
        sa.ForeignKeyConstraint(["case_id", "trigger"], ["cases.case_id", "cases.trigger"], name="fk_commands_cases"),
    )
    op.create_index("ix_commands_case_id_trigger", "commands", ["case_id", "trigger"])
    op.create_index("ix_commands_type_reference", "commands", ["type", "reference"])

    op.create_table(
        "outcomes",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at_fault", sa.Boolean, nullable=False),
        sa.Column("amounts", sa.JSON, nullable=False),
        sa.Column("letters_sent", sa.Integer, nullable=False),
        sa.Column("first_response_time", sa.Float),
        sa.Column("resolution_time", sa.Float, nullable=False),
        sa.Column("decisions_missed", sa.Integer, nullable=False),
        sa.Column("angry", sa.Boolean, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "trigger", name="pk_outcomes"),
    )
    op.create_index("ix_outcomes_order_id", "outcomes", ["order_id"])
    op.create_index("ix_outcomes_closed_at", "outcomes", ["closed_at"])


def downgrade() -> None:
    for table in DROPS:
        op.drop_table(table)
