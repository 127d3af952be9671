"""First tables: owners, call types, calendars, calls, the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, and on PostgreSQL the wall against overlaps (``Database.upgrade`` sets SQLite's)."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_fingerprint", sa.String(), nullable=False),
        sa.Column("worker_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("backed_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "owner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("discretion", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=False),
        sa.Column("imprint", sa.Text(), nullable=False),
        sa.Column("privacy", sa.Text(), nullable=False),
        sa.Column("phone_countries", sa.String(), nullable=False),
        sa.Column("holiday_country", sa.String(length=2), nullable=False),
        sa.Column("holiday_region", sa.String(), nullable=False),
        sa.Column("notice_in_working_time", sa.Boolean(), nullable=False),
        sa.Column("most_moves", sa.Integer(), nullable=False),
        sa.Column("morning_minutes", sa.Integer(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("timetable", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
        sa.UniqueConstraint("slug", name=op.f("uq_owner_slug")),
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_encrypted", sa.String(), nullable=False),
        sa.Column("is_busy", sa.Boolean(), nullable=False),
        sa.Column("takes_calls", sa.Boolean(), nullable=False),
        sa.Column("all_day_blocks", sa.Boolean(), nullable=False),
        sa.Column("busy", sa.LargeBinary(), nullable=False),
        sa.Column("covered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expanded_with", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("error_kind", sa.String(), nullable=False),
        sa.Column("silence_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_calendar_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
    )
    op.create_index(op.f("ix_calendar_owner_id"), "calendar", ["owner_id"], unique=False)
    op.create_table(
        "call_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("before_minutes", sa.Integer(), nullable=False),
        sa.Column("after_minutes", sa.Integer(), nullable=False),
        sa.Column("notice_minutes", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=False),
        sa.Column("max_per_day", sa.Integer(), nullable=True),
        sa.Column("max_per_week", sa.Integer(), nullable=True),
        sa.Column("who_calls", sa.String(), nullable=False),
        sa.Column("reminders", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_call_type_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_type")),
        sa.UniqueConstraint("owner_id", "slug", name=op.f("uq_call_type_owner_id_slug")),
    )
    op.create_table(
        "calendar_resource",
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("ics", sa.Text(), nullable=False),
        sa.Column("busy", sa.LargeBinary(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_resource_calendar_id_calendar"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("calendar_id", "href", name=op.f("pk_calendar_resource")),
    )
    op.create_index(op.f("ix_calendar_resource_uid"), "calendar_resource", ["uid"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("call_type_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "confirmed",
                "declined",
                "withdrawn",
                "cancelled",
                name="state",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_wall_time", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("who_calls", sa.String(), nullable=False),
        sa.Column("wants_reminders", sa.Boolean(), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("link_version", sa.Integer(), nullable=False),
        sa.Column("address_proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ics_uid", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_type_id"], ["call_type.id"], name=op.f("fk_call_call_type_id_call_type")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_call_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("owner_id", "request_key", name=op.f("uq_call_owner_id_request_key")),
    )
    op.create_index(op.f("ix_call_created_at"), "call", ["created_at"], unique=False)
    op.create_index(op.f("ix_call_origin"), "call", ["origin"], unique=False)
    op.create_index("ix_call_owner_id_starts_at", "call", ["owner_id", "starts_at"], unique=False)
    op.create_table(
        "call_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_call_change_call_id_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_change")),
    )
    op.create_index(op.f("ix_call_change_call_id"), "call_change", ["call_id"], unique=False)
    op.create_table(
        "held_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_held_period_call_id_call")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_held_period_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_period")),
    )
    op.create_index(op.f("ix_held_period_call_id"), "held_period", ["call_id"], unique=False)
    op.create_index("ix_held_period_owner_id_starts_at", "held_period", ["owner_id", "starts_at"], unique=False)
    op.create_table(
        "job",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=True),
        sa.Column("group_key", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("first_mail_to", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ambiguous_attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_job_call_id_call")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_job_owner_id_owner")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_job")),
        sa.UniqueConstraint("id", name=op.f("uq_job_id")),
    )
    op.create_index(op.f("ix_job_call_id"), "job", ["call_id"], unique=False)
    op.create_index(op.f("ix_job_first_mail_to"), "job", ["first_mail_to"], unique=False)
    op.create_index(op.f("ix_job_group_key"), "job", ["group_key"], unique=False)
    op.create_index(
        "ix_job_open",
        "job",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_table(
        "placed_event",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_placed_event_calendar_id_calendar")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_placed_event_call_id_call")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_placed_event")),
    )
    op.create_index(op.f("ix_placed_event_calendar_id"), "placed_event", ["calendar_id"], unique=False)
    op.create_index(op.f("ix_placed_event_uid"), "placed_event", ["uid"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(
            "ALTER TABLE held_period ADD CONSTRAINT held_period_no_overlap EXCLUDE USING gist "
            "(owner_id WITH =, call_id WITH <>, tstzrange(starts_at, ends_at) WITH &&)"
        )
