"""Municipality B with a word in every field that can hold text, and a look for that word in any answer.

A new column with text is in neither list below, so a test asks for it: give it a canary in `plant`, or say why not.
"""

from __future__ import annotations

import html
import io
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import pikepdf
import sqlalchemy as sa
from sqlalchemy import JSON, String, text
from sqlmodel import SQLModel, col

from app.engine.definition import StepPlan
from app.storage.scope import unscoped
from app.storage.tables import (
    LocalPlan,
    LoginSession,
    MandateRow,
    MassMove,
    Municipality,
    Passkey,
    ProviderAccount,
    ProviderRole,
    RunRow,
    User,
)
from app.web.identity import session_id_of
from tests.databases import behind
from tests.features.accounts.building import MONDAY
from tests.features.client import PEOPLE, World
from tests.journey.test_journey import squeezed, text_of_pdf
from tests.security.prepared import Prepared, prepare_all, texts, visitor
from tests.security.routes import values_for

HERE, THERE = "Zonnedijk", "Veldermeer"
# A search page repeats what was searched for, so the half that must not be found is another one.
SEARCHED, CANARY = "kanarie", "zangvogeltje"
WORD = f"{SEARCHED} {CANARY}"
NAMES = ("Gwen Prins", "Hugo Kuiper", "Ilse Baan", THERE)


def _named(lines: str) -> frozenset[str]:
    """As table.column."""
    tables = (line.split(":") for line in lines.strip().splitlines())
    return frozenset(f"{table.strip()}.{column}" for table, columns in tables for column in columns.split())


# Where canaries are.
SINGING: Final = _named("""
    answer: value
    evidence: file_name note source title url
    local_plan: plan_id reason source title
    login_session: device
    mandate: ground
    mass_move: reason
    municipality: name
    passkey: name
    plan_document: document
    provider_account: subject
    provider_role: subject
    run: name purpose
    run_text: text
    user_account: login name
""")
# A word of ours, of a step plan or of the settings.
_OURS: Final = _named("""
    answered_form: notice
    account_event: act
    answer: question ref step
    erasure: ground status
    evidence: confidentiality form kind media_type ref step
    local_plan: extends_plan extends_version status version
    log_entry: origin
    login_session: provider
    mass_move: plan_id to_version
    mass_move_run: outcome
    membership: role
    open_point: ref state
    pending_sign_in: provider
    plan_version: plan_id status title version
    provider_account: issuer provider
    provider_flow: provider verder
    provider_role: issuer provider role
    run: plan_id plan_version
    run_access: role
    run_event: kind
    stage_instance: domain ref stage status
    step_state: ref status step
    user_account: language
    witness_progress: witness
""")
# A key, digest or signature.
_PROOF: Final = _named("""
    answered_form: content key
    account_link: id
    answer: commitment salt
    authenticator_app: secret
    evidence: commitment salt sha256
    local_plan: digest
    log_entry: leaf
    log_head: peaks
    login_attempt: key
    login_session: csrf_token id provider_sid provider_token
    mass_move: to_digest
    mass_move_run: from_digest shown
    open_point: id
    passkey: credential_id public_key
    pending_sign_in: id provider_sid provider_token
    plan_document: digest
    plan_version: digest
    provider_flow: browser id sealed
    recovery_code: digest
    run: plan_digest
    run_text: commitment salt
    seal: digest
    signed_head: signature
    spent_challenge: id
    user_account: password_hash
""")
# Ids, keys and times only.
_IDS: Final = _named("""
    account_event: detail
    erasure: files items
    evidence: grounds
    mass_move: chosen
    mass_move_run: told
    passkey: transports
    run: state
    run_event: data
    seal: manifest
    signed_head: document
    stage_instance: state
    step_state: state
""")
_PLACES: Final = _named("""
    account_event: place
    answered_form: address
    login_session: address
""")
SILENT: Final = _OURS | _PROOF | _IDS | _PLACES


def text_columns() -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if isinstance(getattr(column.type, "impl_instance", column.type), String | JSON)
    }


@dataclass(frozen=True, slots=True)
class Planted:
    """Two municipalities with the same in it. `ids` are those of B, by the name that they have in an address."""

    world: World
    ours: Prepared
    theirs: Prepared
    ids: Mapping[str, Sequence[str]]
    digests: Sequence[str]  # of B's plans and files, which are ids too

    @property
    def plan(self) -> StepPlan:
        return self.world.plan


def plant(world: World) -> Planted:
    ours = prepare_all(world, officer="anna", manager="carla", word="merel")
    theirs = prepare_all(world, officer="gwen", manager="hugo", word=WORD)
    _add_file(world, theirs)
    passkey, mass_move = uuid.uuid4(), uuid.uuid4()
    there, gwen = world.municipalities[THERE], uuid.UUID(world.users["gwen"])
    of_there = [uuid.UUID(world.users[login]) for login, (_, place, _) in PEOPLE.items() if place == THERE]
    with world.database.write() as session:
        unscoped(session, "plants canaries where no page puts one")
        session.execute(sa.update(Municipality).where(col(Municipality.id) == there).values(name=f"{THERE} {WORD}"))
        for user in session.scalars(sa.select(User).where(col(User.id).in_(of_there))):
            user.login, user.name = f"{user.login}.{CANARY}", f"{user.name} {WORD}"
        session.execute(sa.update(LoginSession).where(col(LoginSession.user_id).in_(of_there)).values(device=WORD))
        session.add(
            Passkey(
                id=passkey,
                user_id=gwen,
                credential_id="x",
                public_key="x",
                sign_count=0,
                transports=[],
                name=WORD,
                created_at=MONDAY,
            )
        )
        session.add(
            MassMove(
                id=mass_move,
                municipality_id=there,
                plan_id=world.plan.id,
                to_version="9.9.9",
                to_digest=world.plan.digest,
                chosen={},
                reason=WORD,
                started_by=gwen,
                started_at=MONDAY,
                finished_at=MONDAY,
            )
        )
        session.add(
            MandateRow(
                municipality_id=there,
                mandator_id=uuid.UUID(world.users["hugo"]),
                deputy_id=gwen,
                first_day=MONDAY.date(),
                last_day=MONDAY.date(),
                ground=WORD,
                recorded_by=gwen,
                recorded_at=MONDAY,
            )
        )
        session.add(
            ProviderAccount(
                issuer="https://id.example.nl",
                subject=CANARY,
                user_id=gwen,
                provider="example",
                made_account=False,
                linked_at=MONDAY,
                seen_at=MONDAY,
            )
        )
        session.flush()
        session.add(
            ProviderRole(
                user_id=gwen,
                municipality_id=there,
                role="policy_officer",
                provider="example",
                issuer="https://id.example.nl",
                subject=CANARY,
            )
        )
        # As it would be called by a municipality with such a name.
        drafts = sa.select(LocalPlan).where(col(LocalPlan.municipality_id) == there, col(LocalPlan.status) == "draft")
        for draft in session.scalars(drafts):
            draft.plan_id = f"{draft.plan_id}-{CANARY}"
        digests = session.scalars(sa.select(col(LocalPlan.digest)).where(col(LocalPlan.municipality_id) == there)).all()
        shas = session.execute(text("SELECT sha256 FROM evidence WHERE sha256 IS NOT NULL")).scalars().all()
        assert session.get(RunRow, uuid.UUID(theirs.run)) is not None
    ids = {
        **values_for(world, theirs),
        "user_id": (world.users["gwen"],),
        "session_id": (session_id_of("sessie-gwen"),),
        "passkey_id": (str(passkey),),
        "mass_move_id": (str(mass_move),),
        "plan_id": (theirs.local_plan,),
    }
    return Planted(world, ours, theirs, ids, (*dict.fromkeys([*digests, *shas]),))


def _add_file(world: World, theirs: Prepared) -> None:
    """One whose content sings too."""
    team = visitor(world, "gwen")
    team.open(f"/trajecten/{theirs.run}/fasen/beleid.wonen.1/stappen/tekst/bewijs?vorm=bestand")
    typed = texts(team.form_with("Toevoegen"), WORD)
    files = [(f"Los {WORD}.txt", f"Inhoud {WORD}".encode())]
    team.send("Toevoegen", {**typed, "soort": "verslag"}, files=files)


def silent_columns(world: World) -> list[str]:
    """Those that should have a canary in some row, and have none."""
    silent = []
    with behind(world.database).connect() as connection:
        for name in sorted(SINGING):
            table, column = name.split(".")
            query = f"SELECT count(*) FROM {table} WHERE lower(CAST({column} AS text)) LIKE :canary"
            if not connection.execute(text(query), {"canary": f"%{CANARY}%"}).scalar_one():
                silent.append(name)
    return silent


# --- looking -----------------------------------------------------------------------------------------------------


@dataclass
class Lookout:
    """Every answer passes here. `leaks` says where a word of B was."""

    words: Sequence[str] = (CANARY, *NAMES)
    answers: int = 0
    bytes: int = 0
    by_status: dict[int, int] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    def look(self, answer: Any, what: str, *, echoed: str = "") -> Any:
        """`echoed`: what the request itself said, and the answer may repeat."""
        self.answers += 1
        self.bytes += len(answer.content)
        self.by_status[answer.status_code] = self.by_status.get(answer.status_code, 0) + 1
        told = readable(answer)
        if echoed:
            told = told.replace(echoed.casefold(), "")
        self.leaks += [f"{word!r} in {what}" for word in self.words if squeezed(word).casefold() in told]
        assert answer.status_code < 500, f"{answer.status_code} for {what}"
        return answer


def readable(answer: Any) -> str:
    """All that an answer says, in whatever way, without spaces and capitals."""
    parts = [str(answer.headers.raw if hasattr(answer.headers, "raw") else answer.headers), *_texts(answer.content)]
    told = " ".join(parts)
    return squeezed(" ".join((told, unquote(told), html.unescape(told)))).casefold()


def _texts(content: bytes) -> Iterator[str]:
    if content.startswith(b"%PDF"):
        yield text_of_pdf(content)
        with pikepdf.open(io.BytesIO(content)) as document:
            yield str(document.docinfo)
            for name, attached in document.attachments.items():
                yield name
                yield from _texts(attached.get_file().read_bytes())
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield f"{member.filename} {member.comment!r}"
                yield from _texts(archive.read(member))
    else:
        yield content.decode("utf-8", "replace")
