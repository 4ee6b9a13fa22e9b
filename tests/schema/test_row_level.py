"""Every table of a municipality is protected by PostgreSQL itself. For a new one: `protect()` in its migration."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from app.storage.row_level import OF_INSTALLATION, OF_MUNICIPALITY
from app.storage.scope import MunicipalityScoped
from tests.databases import PostgreSQL

SCOPED = sorted(
    str(mapper.class_.__tablename__)
    for mapper in SQLModel._sa_registry.mappers
    if issubclass(mapper.class_, MunicipalityScoped)
)
# Policies that let something through beside the two that every table has; why: migrations 0010 and 0016.
OTHERS = {"account_event": {"told_to_members": "INSERT", "told_by_operators": "INSERT"}}


def rows(server: PostgreSQL, query: str, **values: Any) -> list[Any]:
    with server.database.engine.connect() as connection:
        return [*connection.execute(text(query), values)]


def test_there_are_tables_to_protect():
    assert {"run", "run_event", "evidence", "answer"} <= {*SCOPED}


@pytest.mark.parametrize("table", SCOPED)
def test_table_of_a_municipality_is_protected_for_its_owner_too(postgresql: PostgreSQL, table: str):
    [(enabled, forced)] = rows(
        postgresql,
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = CAST(:table AS regclass)",
        table=table,
    )
    assert (enabled, forced) == (True, True), "call protect() of app/storage/row_level.py in its migration"


@pytest.mark.parametrize("table", SCOPED)
def test_rows_are_seen_by_ticket_or_by_an_owner_who_says_so_and_in_no_other_way(postgresql: PostgreSQL, table: str):
    found = {
        policy.policyname: policy
        for policy in rows(postgresql, "SELECT * FROM pg_policies WHERE tablename = :table", table=table)
    }
    [(owner,)] = rows(postgresql, "SELECT tableowner FROM pg_tables WHERE tablename = :table", table=table)
    here, everywhere = found.pop(OF_MUNICIPALITY), found.pop(OF_INSTALLATION)
    assert here.cmd == everywhere.cmd == "ALL"
    assert here.qual == here.with_check
    assert "permitted_municipality()" in here.qual
    assert here.qual.startswith("(municipality_id = ( SELECT")
    assert everywhere.qual == everywhere.with_check
    assert "stappenplan.installation_wide" in everywhere.qual
    assert [*everywhere.roles] == [owner]
    assert {name: policy.cmd for name, policy in found.items()} == OTHERS.get(table, {})


def test_other_tables_with_a_municipality_are_known():
    """They are read before it is known who is there, so they are not limited: see the rights in docs/postgresql.md."""
    found = {table.name for table in SQLModel.metadata.sorted_tables if "municipality_id" in table.c}
    assert found - {*SCOPED} == {"membership", "login_session", "auditor_limit", "provider_role", "same_person"}
