"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _registry()
    _letters()
    _values()
    _operation()
    _append_only()


def _registry() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_what_key", "audit", ["what", "key"])
    op.create_table(
        "legal_entity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("inn", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_legal_entity"),
        sa.UniqueConstraint("user_code", name="uq_legal_entity_user_code"),
    )
    op.create_index("ix_legal_entity_inn", "legal_entity", ["inn"])
    op.create_table(
        "metering_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entity_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("max_power_kw", sa.BigInteger(), nullable=True),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metering_point"),
        sa.UniqueConstraint("code", "area", name="uq_metering_point_code_area"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["legal_entity.id"], name="fk_metering_point_entity_id"
        ),
    )
    op.create_index("ix_metering_point_entity_id", "metering_point", ["entity_id"])
    op.create_table(
        "meter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=True),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("ratio", sa.BigInteger(), nullable=False),
        sa.Column("installed", sa.Date(), nullable=False),
        sa.Column("removed", sa.Date(), nullable=True),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meter"),
        sa.UniqueConstraint(
            "point_id", "number", "installed", name="uq_meter_point_id_number_installed"
        ),
        sa.ForeignKeyConstraint(["point_id"], ["metering_point.id"], name="fk_meter_point_id"),
    )
    op.create_index("ix_meter_number", "meter", ["number"])


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.Integer(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sa.UniqueConstraint("sha256", name="uq_letter_sha256"),
        sa.CheckConstraint(
            "state IN ('claimed', 'done', 'quarantined')", name=op.f("ck_letter_state")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["legal_entity.id"], name="fk_letter_entity_id"),
    )
    op.create_index("ix_letter_entity_id", "letter", ["entity_id"])
    op.create_index("ix_letter_received_at", "letter", ["received_at"])
    op.create_index("ix_letter_settled_at", "letter", ["settled_at"])
    op.create_index("ix_letter_state_received_at", "letter", ["state", "received_at"])
    op.create_table(
        "letter_location",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "mailbox", "folder", "uidvalidity", "uid", name="pk_letter_location"
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_letter_location_letter_id"),
    )
    op.create_index("ix_letter_location_letter_id", "letter_location", ["letter_id"])
    op.create_table(
        "submission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entity_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=True),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("layout", sa.String(), nullable=True),
        sa.Column("form_version", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("version_first", sa.BigInteger(), nullable=False),
        sa.Column("version_second", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("accepted_values", sa.Integer(), nullable=False),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("letter_id", "position", name="uq_submission_letter_id_position"),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_submission_letter_id"),
        sa.ForeignKeyConstraint(
            ["duplicate_of"], ["submission.id"], name="fk_submission_duplicate_of"
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["legal_entity.id"], name="fk_submission_entity_id"),
    )
    op.create_index("ix_submission_entity_id", "submission", ["entity_id"])
    op.create_index("ix_submission_sha256_entity_id", "submission", ["sha256", "entity_id"])
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("cell", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("point", sa.Text(), nullable=True),
        sa.Column("meter", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("end", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
        sa.CheckConstraint(
            "(letter_id IS NULL) <> (submission_id IS NULL)", name=op.f("ck_finding_owner")
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_finding_letter_id"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_finding_submission_id"
        ),
    )
    op.create_index("ix_finding_code", "finding", ["code"])
    op.create_index("ix_finding_letter_id", "finding", ["letter_id"])
    op.create_index("ix_finding_submission_id", "finding", ["submission_id"])
    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owed_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reply"),
        sa.UniqueConstraint("message_id", name="uq_reply_message_id"),
        sa.CheckConstraint(
            "state IN ('owed', 'sent', 'undeliverable')", name=op.f("ck_reply_state")
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_reply_letter_id"),
    )
    op.create_index("ix_reply_address_owed_at", "reply", ["address", "owed_at"])
    op.create_index("ix_reply_letter_id", "reply", ["letter_id"])
    op.create_index("ix_reply_state_next_at", "reply", ["state", "next_at"])


def _values() -> None:
    op.create_table(
        "interval_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interval_series"),
        sa.UniqueConstraint(
            "point_id",
            "channel",
            "step_minutes",
            name="uq_interval_series_point_id_channel_step_minutes",
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering_point.id"], name="fk_interval_series_point_id"
        ),
    )
    op.create_table(
        "interval_value",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("not_commercial", sa.Boolean(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "start", name="pk_interval_value"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_interval_value_submission_id"
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["interval_series.id"], name="fk_interval_value_series_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "interval_history",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("not_commercial", sa.Boolean(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "start", "replaced_by", name="pk_interval_history"),
        sa.ForeignKeyConstraint(
            ["series_id"], ["interval_series.id"], name="fk_interval_history_series_id"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["submission.id"], name="fk_interval_history_replaced_by"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_interval_history_submission_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "submission_span",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "series_id", "end", "start", "submission_id", name="pk_submission_span"
        ),
        sa.CheckConstraint('"end" > start', name=op.f("ck_submission_span_order")),
        sa.ForeignKeyConstraint(
            ["series_id"], ["interval_series.id"], name="fk_submission_span_series_id"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_submission_span_submission_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_submission_span_submission_id", "submission_span", ["submission_id"])
    op.create_table(
        "register_reading",
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("instant", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "meter_id", "channel", "zone", "instant", name="pk_register_reading"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_register_reading_meter_id"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_register_reading_submission_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_history",
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("instant", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "meter_id", "channel", "zone", "instant", "replaced_by", name="pk_register_history"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_register_history_submission_id"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["submission.id"], name="fk_register_history_replaced_by"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_register_history_meter_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "submission_reading",
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("instant", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "meter_id", "channel", "zone", "instant", "submission_id", name="pk_submission_reading"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_submission_reading_meter_id"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_submission_reading_submission_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_submission_reading_submission_id", "submission_reading", ["submission_id"])


def _operation() -> None:
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
        sa.CheckConstraint("id = 1", name=op.f("ck_instance_one")),
    )
    op.create_table(
        "mailbox_pass",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("passed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_mailbox_pass"),
    )
    op.create_table(
        "mailbox_lease",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_mailbox_lease"),
    )
    op.create_table(
        "sender_failure",
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("user_code", "address", name="pk_sender_failure"),
    )
    op.create_index("ix_sender_failure_address", "sender_failure", ["address"])
    op.create_index("ix_sender_failure_failed_at", "sender_failure", ["failed_at"])
    op.create_table(
        "period",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_period"),
    )


def _append_only() -> None:
    """What was once is never changed: the database itself refuses."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute(_REFUSE)
    for table in _APPEND_ONLY:
        for event in ("UPDATE", "DELETE"):
            refused = (
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
                if on_postgresql
                else f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
            name = f"tr_{table}_{event.lower()}"
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {refused}")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


_TABLES = (
    "audit",
    "legal_entity",
    "metering_point",
    "meter",
    "letter",
    "letter_location",
    "submission",
    "finding",
    "reply",
    "interval_series",
    "interval_value",
    "interval_history",
    "submission_span",
    "register_reading",
    "register_history",
    "submission_reading",
    "instance",
    "mailbox_pass",
    "mailbox_lease",
    "sender_failure",
    "period",
)

_APPEND_ONLY = ("audit", "interval_history", "register_history")
_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""
