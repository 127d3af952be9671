"""Runs migrations on the connection that ``Database.upgrade`` hands over."""

from alembic import context

from booking.store.accounts import Account
from booking.store.leftovers import LeftEvent

# Every table is known once its module is imported.
(metadata,) = {Account.metadata, LeftEvent.metadata}

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
