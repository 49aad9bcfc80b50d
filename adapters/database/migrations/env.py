"""What Alembic runs: the migrations, on the connection and in the transaction that `upgrade.py` opened.

A new migration is a file `versions/000N_<what>.py` with the next number; write it by hand, like the one before.
Its `downgrade` goes back. What that throws away is told before: `DROPS` names tables, and columns as `table.column`.
"""

from alembic import context

from adapters.database.schema import metadata

# No `begin_transaction`: the caller commits, so that all migrations and the new number appear at once.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
