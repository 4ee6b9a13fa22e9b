"""Roles from before migration 0020 come along on the link that they hang on; those that outlived theirs end."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.storage.database import Database
from app.storage.going_back import DataWouldBeLost
from app.storage.upgrade import downgrade, migrating, upgrade
from tests.databases import PostgreSQL
from tests.storage.rows import NOW

ISSUER = "https://login.example.org"
HERE = uuid.UUID(int=1)
PEOPLE = {name: uuid.UUID(int=number) for number, name in enumerate(("anna", "bram", "cas", "dewi"), start=10)}


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, sqlite_database: Database) -> Any:
    if request.param == "sqlite":
        downgrade(sqlite_database.owner, "0019")
        yield sqlite_database.owner
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.scratch("links") as engine:
            upgrade(engine, "0019")
            yield engine


def add(connection: Any, table: str, **values: Any) -> None:
    shown = {
        name: value.hex if isinstance(value, uuid.UUID) and connection.dialect.name == "sqlite" else value
        for name, value in values.items()
    }
    connection.execute(
        text(f"INSERT INTO {table} ({', '.join(shown)}) VALUES ({', '.join(f':{name}' for name in shown)})"), shown
    )


def test_roles_come_along_on_their_link_and_those_without_one_end(old: Any):
    """Anna has one link, that another provider used last; Bram's has ended; Cas has two, of which one made the role;
    of Dewi's two nobody knows."""
    with migrating(old) as connection:
        add(connection, "municipality", id=HERE, name="Zonnedam", created_at=NOW)
        for name, id in PEOPLE.items():
            add(
                connection,
                "user_account",
                id=id,
                login=name,
                name=name,
                language="nl",
                is_demonstration=False,
                created_at=NOW,
            )
            for role in ("manager", "policy_officer"):
                add(connection, "membership", user_id=id, municipality_id=HERE, role=role, created_at=NOW)
            add(connection, "provider_role", user_id=id, municipality_id=HERE, role="manager", provider="zonnedam")
        for name, subject, provider in (
            ("anna", "a", "veldam"),
            ("cas", "c1", "veldam"),
            ("cas", "c2", "zonnedam"),
            ("dewi", "d1", "veldam"),
            ("dewi", "d2", "meerdam"),
        ):
            link = {"issuer": ISSUER, "subject": subject, "user_id": PEOPLE[name], "provider": provider}
            add(connection, "provider_account", **link, made_account=False, linked_at=NOW, seen_at=NOW)

    upgrade(old)

    with migrating(old) as connection:
        said = connection.execute(text("SELECT issuer, subject, role FROM provider_role ORDER BY subject")).all()
        held = connection.execute(
            text(
                "SELECT login, role FROM membership JOIN user_account ON id = user_id"
                " WHERE role = 'manager' ORDER BY login"
            )
        ).all()
        told = connection.execute(
            text(
                "SELECT login, act, detail FROM account_event"
                " JOIN user_account ON user_account.id = about ORDER BY login"
            )
        ).all()
    assert said == [(ISSUER, "a", "manager"), (ISSUER, "c2", "manager")]
    assert held == [("anna", "manager"), ("cas", "manager")]
    detail = {"provider": "zonnedam", "before": ["manager", "policy_officer"], "roles": ["policy_officer"]}
    assert [(login, act) for login, act, _ in told] == [
        ("bram", "roles_changed_by_provider"),
        ("dewi", "roles_changed_by_provider"),
    ]
    assert [json.loads(each) if isinstance(each, str) else each for *_, each in told] == [detail, detail]
    with pytest.raises(
        DataWouldBeLost, match=r"what is in provider_role.issuer, provider_role.subject; nothing was changed"
    ):
        downgrade(old, "0019")
    downgrade(old, "0019", may_lose_data=True)


@pytest.mark.parametrize(("other", "stays"), [(None, True), ("disabled", True), ("enabled", False)])
def test_last_administrator_stays_also_where_nobody_knows_which_link_made_one(old: Any, other: str | None, stays: bool):
    """Dewi has two links; Anna, if there is one, is an administrator too, whom no provider made one."""
    with migrating(old) as connection:
        add(connection, "municipality", id=HERE, name="Zonnedam", created_at=NOW)
        for name in ("dewi", "anna") if other else ("dewi",):
            add(
                connection,
                "user_account",
                id=PEOPLE[name],
                login=name,
                name=name,
                language="nl",
                is_demonstration=False,
                created_at=NOW,
                disabled_at=NOW if (name, other) == ("anna", "disabled") else None,
            )
            member = {"user_id": PEOPLE[name], "municipality_id": HERE, "role": "administrator"}
            add(connection, "membership", **member, created_at=NOW)
        add(
            connection,
            "provider_role",
            user_id=PEOPLE["dewi"],
            municipality_id=HERE,
            role="administrator",
            provider="zonnedam",
        )
        for subject, provider, days in (("d1", "veldam", 2), ("d2", "meerdam", 1)):
            link = {"issuer": ISSUER, "subject": subject, "user_id": PEOPLE["dewi"], "provider": provider}
            seen_at = NOW + timedelta(days=days)
            add(connection, "provider_account", **link, made_account=False, linked_at=NOW, seen_at=seen_at)

    upgrade(old)

    with migrating(old) as connection:
        said = connection.execute(text("SELECT provider, subject, role FROM provider_role")).all()
        held = connection.execute(
            text("SELECT login FROM membership JOIN user_account ON id = user_id WHERE disabled_at IS NULL")
        ).scalars()
        assert set(held) == ({"dewi"} if stays else {"anna"})
    assert said == ([("zonnedam", "d1", "administrator")] if stays else [])
