"""The desk: accounts, sessions, one-time links, notes on clients, tasks; and what the owner can set there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns by plain ALTER TABLE, so that no table is copied and no trigger lost; then the new tables."""
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_account"), "login_failure", ["account"], unique=False)
    op.create_index(op.f("ix_login_failure_at"), "login_failure", ["at"], unique=False)
    op.create_index(op.f("ix_login_failure_device"), "login_failure", ["device"], unique=False)
    op.create_table(
        "account",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("totp_secret_encrypted", sa.String(), nullable=False),
        sa.Column("totp_last_step", sa.Integer(), nullable=False),
        sa.Column("recovery_hashes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_account_owner_id_owner")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_account")),
    )
    op.create_table(
        "client_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_client_note_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_note")),
        sa.UniqueConstraint("owner_id", "contact", name=op.f("uq_client_note_owner_id_contact")),
    )
    op.create_index(op.f("ix_client_note_contact"), "client_note", ["contact"], unique=False)
    op.create_index(op.f("ix_client_note_owner_id"), "client_note", ["owner_id"], unique=False)
    op.create_table(
        "desk_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("shows_waiting_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_desk_session_owner_id_owner")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_session")),
        sa.UniqueConstraint("public_id", name=op.f("uq_desk_session_public_id")),
    )
    op.create_index(op.f("ix_desk_session_owner_id"), "desk_session", ["owner_id"], unique=False)
    op.create_table(
        "old_slug",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_old_slug_owner_id_owner")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_old_slug")),
    )
    op.create_index(op.f("ix_old_slug_owner_id"), "old_slug", ["owner_id"], unique=False)
    op.create_table(
        "way_in",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_way_in_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_way_in")),
    )
    op.create_index(op.f("ix_way_in_owner_id"), "way_in", ["owner_id"], unique=False)
    op.create_table(
        "left_event",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("periods", sa.JSON(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_left_event_calendar_id_calendar")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_left_event_call_id_call")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_left_event")),
    )
    op.create_index(op.f("ix_left_event_calendar_id"), "left_event", ["calendar_id"], unique=False)
    op.create_index(op.f("ix_left_event_call_id"), "left_event", ["call_id"], unique=False)
    op.create_table(
        "phone_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_phone_task_call_id_call")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_phone_task_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_task")),
    )
    op.create_index(op.f("ix_phone_task_call_id"), "phone_task", ["call_id"], unique=False)
    op.create_index(op.f("ix_phone_task_owner_id"), "phone_task", ["owner_id"], unique=False)
    op.add_column("calendar", sa.Column("tentative_blocks", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("calendar", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("answers", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("call_change", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("call_change", sa.Column("from_starts_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call_type", sa.Column("wording", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("call_type", sa.Column("lengths", sa.String(), nullable=False, server_default=""))
    op.add_column("call_type", sa.Column("languages", sa.String(), nullable=False, server_default=""))
    op.add_column("call_type", sa.Column("is_email_needed", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("call_type", sa.Column("questions", sa.String(), nullable=False, server_default="note"))
    op.add_column("call_type", sa.Column("visibility", sa.String(), nullable=False, server_default="listed"))
    op.add_column("call_type", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job", sa.Column("error_kind", sa.String(), nullable=False, server_default=""))
    op.create_index(
        "ix_job_undone",
        "job",
        ["owner_id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.add_column("owner", sa.Column("title", sa.String(), nullable=False, server_default=""))
    op.add_column("owner", sa.Column("text", sa.Text(), nullable=False, server_default=""))
    op.add_column("owner", sa.Column("signature", sa.Text(), nullable=False, server_default=""))
    op.add_column("owner", sa.Column("holidays_worked", sa.Text(), nullable=False, server_default=""))
    op.add_column("owner", sa.Column("embed_sites", sa.Text(), nullable=False, server_default=""))
    op.add_column("owner", sa.Column("setup_step", sa.String(), nullable=False, server_default=""))
    op.add_column("placed_event", sa.Column("earlier_periods", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("placed_event", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
