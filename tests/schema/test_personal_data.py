"""Every column that could hold personal data is known to what erases it; a new one cannot be forgotten."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from app.storage import tables  # noqa: F401  # puts the tables into SQLModel.metadata
from app.storage.erasure.people import GOES, STAYS
from app.storage.erasure.places import WRITTEN

# Words of people in a row that goes with the account, or in the account itself: app/storage/erasure/people.py.
OF_ACCOUNTS = {"user_account", "login_attempt", "spent_challenge"}
# Ids, hashes, codes, keys of a plan, and what nobody types. The words of a plan are not for personal data: they are
# released once and for all, and people are told so where they write one.
NOT_WRITTEN = {
    "account_event": {"act", "place", "detail"},
    "answer": {"ref", "step", "question", "salt", "commitment"},
    "erasure": {"status", "items", "ground", "files"},
    "evidence": {
        *("ref", "step", "kind", "form", "confidentiality", "grounds", "sha256", "media_type", "salt", "commitment"),
    },
    "local_plan": {"plan_id", "version", "title", "extends_plan", "extends_version", "source", "digest", "status"},
    "log_entry": {"origin", "leaf"},
    "log_head": {"peaks"},
    "open_point": {"id", "ref", "state"},
    "mass_move": {"plan_id", "to_version", "to_digest", "chosen"},
    "mass_move_run": {"from_digest", "shown", "outcome", "told"},
    "municipality": {"name"},
    "plan_document": {"digest", "document"},
    "plan_version": {"digest", "plan_id", "version", "title", "status"},
    "run_access": {"role"},
    "run": {"plan_digest", "plan_id", "plan_version", "state"},
    "run_event": {"kind", "data"},
    "run_text": {"salt", "commitment"},
    "seal": {"digest", "manifest"},
    "signed_head": {"document", "signature"},
    "stage_instance": {"ref", "stage", "domain", "status", "state"},
    "step_state": {"ref", "step", "status", "state"},
    "witness_progress": {"witness"},
}
ADVICE = "if people type it, add it to WRITTEN in app/storage/erasure/places.py (and see there), else to NOT_WRITTEN"


def test_every_text_is_known_to_what_erases_personal_data():
    going = OF_ACCOUNTS | {column.class_.__tablename__ for column in GOES}
    unknown = []
    for table in SQLModel.metadata.sorted_tables:
        if table.name in going:
            continue
        known = WRITTEN.get(table.name, frozenset()) | NOT_WRITTEN.get(table.name, set())
        texts = {column.name for column in table.columns if holds_text(column)}
        unknown += [f"{table.name}.{name}" for name in sorted(texts - known)]
        assert known <= texts, f"{table.name} has no {known - texts}"
    assert unknown == [], ADVICE


def holds_text(column: Column[object]) -> bool:
    return isinstance(column.type, String | JSON | AutoString)


def test_every_reference_to_an_account_goes_or_stays_as_an_id():
    found = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "user_account" for key in column.foreign_keys)
    }
    going = {f"{column.class_.__tablename__}.{column.key}" for column in GOES}
    assert found == going | STAYS, "name it in app/storage/erasure/people.py"
