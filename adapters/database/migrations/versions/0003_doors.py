"""What doors need: other names of orders, the requests that were answered, and letters that may be out or came back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
DROPS = ("answered", "aliases", "letters.tried_at", "letters.bounced")

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("parcel_no", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("alias", "scope", name="pk_aliases"),
    )
    op.create_table(
        "answered",
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sender", "id", name="pk_answered"),
    )
    op.create_index("ix_answered_at", "answered", ["at"])
    op.add_column("letters", sa.Column("tried_at", TIME))
    op.add_column("letters", sa.Column("bounced", sa.Text))
    op.create_index("ix_letters_message_id", "letters", ["message_id"])


def downgrade() -> None:
    op.drop_index("ix_letters_message_id", "letters")
    op.drop_column("letters", "bounced")
    op.drop_column("letters", "tried_at")
    op.drop_table("answered")
    op.drop_table("aliases")
