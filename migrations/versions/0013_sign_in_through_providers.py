"""Sign-in through the providers of organisations: whose account is whose there, and who is on the way"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_account",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("made_account", sa.Boolean(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_provider_account_user_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_provider_account")),
    )
    with op.batch_alter_table("provider_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_account_user_id"), ["user_id"], unique=False)

    op.create_table(
        "provider_flow",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("verder", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_provider_flow_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_flow")),
    )
    with op.batch_alter_table("provider_flow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_flow_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "provider_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_provider_role_municipality_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_provider_role_user_id")),
        sa.PrimaryKeyConstraint("user_id", "municipality_id", "role", "provider", name=op.f("pk_provider_role")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_sid", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_token", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("limited_to", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_login_session_provider_provider_sid", ["provider", "provider_sid"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_login_session_limited_to"), "municipality", ["limited_to"], ["id"])

    with op.batch_alter_table("pending_sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_sid", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_token", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("limited_to", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_pending_sign_in_limited_to"), "municipality", ["limited_to"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("pending_sign_in", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_pending_sign_in_limited_to"), type_="foreignkey")
        batch_op.drop_column("limited_to")
        batch_op.drop_column("provider_token")
        batch_op.drop_column("provider_sid")
        batch_op.drop_column("provider")

    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_login_session_limited_to"), type_="foreignkey")
        batch_op.drop_index("ix_login_session_provider_provider_sid")
        batch_op.drop_column("limited_to")
        batch_op.drop_column("provider_token")
        batch_op.drop_column("provider_sid")
        batch_op.drop_column("provider")

    op.drop_table("provider_role")
    with op.batch_alter_table("provider_flow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_flow_expires_at"))

    op.drop_table("provider_flow")
    with op.batch_alter_table("provider_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_account_user_id"))

    op.drop_table("provider_account")
