"""A role that a provider gives hangs on the link with the person there of whom it was said, and ends with it"""

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEY = ("user_id", "municipality_id", "role", "provider")
OLD = sa.table("provider_role", *(sa.column(name, sa.Uuid() if name.endswith("_id") else sa.String()) for name in KEY))
NEW = sa.table("provider_role", *(sa.column(name, type_=each.type) for name, each in OLD.columns.items()))
NEW.append_column(sa.column("issuer", sa.String()))
NEW.append_column(sa.column("subject", sa.String()))
LINK = sa.table(
    "provider_account",
    sa.column("issuer", sa.String()),
    sa.column("subject", sa.String()),
    sa.column("user_id", sa.Uuid()),
    sa.column("provider", sa.String()),
    sa.column("seen_at"),
)
USER = sa.table("user_account", sa.column("id", sa.Uuid()), sa.column("disabled_at"))
MEMBERSHIP = sa.table(
    "membership",
    sa.column("user_id", sa.Uuid()),
    sa.column("municipality_id", sa.Uuid()),
    sa.column("role", sa.String()),
)
EVENT = sa.table(
    "account_event",
    sa.column("id", sa.Uuid()),
    sa.column("municipality_id", sa.Uuid()),
    sa.column("act", sa.String()),
    sa.column("about", sa.Uuid()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("place", sa.String()),
    sa.column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
)


def upgrade() -> None:
    connection = op.get_bind()
    said = connection.execute(sa.select(OLD)).all()
    links = connection.execute(sa.select(LINK).order_by(LINK.c.seen_at, LINK.c.issuer, LINK.c.subject)).all()
    meant = {role: _links_of(role, links) for role in said}
    kept = {role: found[0] for role, found in meant.items() if len(found) == 1}
    kept |= {role: meant[role][-1] for role in _last_administrators(_without(said, kept), meant)}
    rows = [
        {**dict(zip(KEY, role, strict=True)), "issuer": link.issuer, "subject": link.subject}
        for role, link in kept.items()
    ]
    op.drop_table("provider_role")
    _make(
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer", "subject"],
            ["provider_account.issuer", "provider_account.subject"],
            name=op.f("fk_provider_role_issuer_subject"),
        ),
        key=(*KEY, "issuer", "subject"),
    )
    if rows:
        connection.execute(sa.insert(NEW), rows)
    _end_memberships(_without(said, kept))


def _links_of(role: Any, links: Collection[Any]) -> list[Any]:
    """Empty where the link ended. Where several could be meant, the role comes back with the next sign-in."""
    theirs = [link for link in links if link.user_id == role.user_id]
    return [link for link in theirs if link.provider == role.provider] or theirs


def _without(said: Collection[Any], kept: Collection[Any]) -> list[Any]:
    held = {role[:3] for role in kept}
    return [role for role in said if role[:3] not in held]


def _last_administrators(ended: Collection[Any], meant: Mapping[Any, list[Any]]) -> list[Any]:
    """Where several links could be meant and nobody else could administer the municipality: if its provider cannot be
    reached, there is no next sign-in, and nobody to let anybody in. They keep the role on the link that was used last,
    and the next sign-in through that one tells whether they still have it."""
    connection, found = op.get_bind(), []
    ended = [role for role in ended if role.role == "administrator"]
    for municipality_id in {role.municipality_id for role in ended}:
        theirs = [role for role in ended if role.municipality_id == municipality_id]
        enabled = set(
            connection.execute(
                sa.select(MEMBERSHIP.c.user_id)
                .join(USER, USER.c.id == MEMBERSHIP.c.user_id)
                .where(
                    MEMBERSHIP.c.municipality_id == municipality_id,
                    MEMBERSHIP.c.role == "administrator",
                    USER.c.disabled_at.is_(None),
                )
            ).scalars()
        )
        if enabled <= {role.user_id for role in theirs}:
            found += [role for role in theirs if role.user_id in enabled and len(meant[role]) > 1]
    return found


def _end_memberships(ended: list[Any]) -> None:
    """Roles that outlived their link. The log of accounts tells it, as when a provider takes a role away."""
    connection, at = op.get_bind(), datetime.now(UTC)
    for user_id, municipality_id, provider in sorted(
        {(row.user_id, row.municipality_id, row.provider) for row in ended}
    ):
        theirs = (MEMBERSHIP.c.user_id == user_id, MEMBERSHIP.c.municipality_id == municipality_id)
        before = set(connection.execute(sa.select(MEMBERSHIP.c.role).where(*theirs)).scalars())
        gone = before & {
            row.role for row in ended if row[:2] == (user_id, municipality_id) and row.provider == provider
        }
        if not gone:
            continue
        connection.execute(sa.delete(MEMBERSHIP).where(*theirs, MEMBERSHIP.c.role.in_(gone)))
        event = {
            "id": uuid.uuid4(),
            "municipality_id": municipality_id,
            "act": "roles_changed_by_provider",
            "about": user_id,
            "at": at,
            "place": "",
            "detail": {"provider": provider, "before": sorted(before), "roles": sorted(before - gone)},
        }
        connection.execute(sa.insert(EVENT), event)


def _make(*more: Any, key: Collection[str]) -> None:
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
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_provider_role")),
        *more,
    )


def downgrade() -> None:
    connection = op.get_bind()
    rows = [dict(row) for row in connection.execute(sa.select(OLD).distinct()).mappings()]
    op.drop_table("provider_role")
    _make(key=KEY)
    if rows:
        connection.execute(sa.insert(OLD), rows)
