"""The order's money: one row a payment, and those that commands of before have made."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
DROPS = ("payments",)

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    payments = op.create_table(
        "payments",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_payments"),
        sa.ForeignKeyConstraint(
            ["case_id", "trigger"], ["cases.case_id", "cases.trigger"], name="fk_payments_case_id_cases"
        ),
    )
    op.create_index("ix_payments_shop_order_id", "payments", ["shop", "order_id"])

    commands = sa.table("commands", *map(sa.column, ("key", "case_id", "trigger", "reference", "refused")))
    commands.append_column(sa.column("data", sa.JSON))
    commands.append_column(sa.column("claimed_at", TIME))
    cases = sa.table("cases", *map(sa.column, ("case_id", "trigger", "shop", "order_id")))
    same = sa.and_(commands.c.case_id == cases.c.case_id, commands.c.trigger == cases.c.trigger)
    given = sa.select(commands, cases.c.shop, cases.c.order_id).join_from(commands, cases, same)
    made = [row for row in op.get_bind().execute(given).mappings() if row["data"].get("pays")]
    if made:
        op.bulk_insert(payments, [_payment(row) for row in made])


def _payment(row: sa.RowMapping) -> dict[str, object]:
    known = {name: row[name] for name in ("key", "case_id", "trigger", "shop", "order_id")}
    data = row["data"]
    state = "released" if row["refused"] is not None else "confirmed" if row["reference"] is not None else "reserved"
    return known | {
        "kind": data["pays"],
        "amount": data["amount"],
        "currency": data.get("currency", ""),
        "state": state,
        "at": row["claimed_at"],
        "approved_by": data.get("approved_by", ""),
        "reason": "",
    }


def downgrade() -> None:
    op.drop_table("payments")
