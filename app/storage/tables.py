"""All tables. They stay inside `storage` and the queries of features; screens get frozen view values.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Municipality(SQLModel, table=True):
    __tablename__ = "municipality"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class User(SQLModel, table=True):
    """`login` is stored in lower case. A disabled user can't sign in and loses open sessions. `person_id` is the same
    for all accounts of one person, and empty for who has one; it follows from `SamePerson` (app/storage/people.py)."""

    __tablename__ = "user_account"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    login: str = Field(unique=True)
    name: str
    password_hash: str | None = None
    language: str = "nl"
    is_demonstration: bool = False
    created_at: datetime = Field(sa_type=UTCDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    person_id: uuid.UUID | None = None


class SamePerson(SQLModel, table=True):
    """Two accounts belong to one person, until `ended_at`. `municipality_id`: whose administrator says so; empty where
    the installation found out by itself. Not limited to a municipality: for deciding it counts everywhere."""

    __tablename__ = "same_person"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    one: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    other: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    municipality_id: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")
    recorded_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    ended_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Operator(SQLModel, table=True):
    """Somebody who manages the municipalities of this installation, which is no role in any of them. Made on the
    command line only."""

    __tablename__ = "operator"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    added_at: datetime = Field(sa_type=UTCDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Membership(SQLModel, table=True):
    """A role of a user in a municipality; somebody may hold several."""

    __tablename__ = "membership"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id", index=True)
    role: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UTCDateTime)


class AuditorLimit(SQLModel, table=True):
    """Within what bounds somebody is an auditor of a municipality; without such a row there are none. The days are of
    the Netherlands, both included. With `chosen_runs_only`, which runs: see `RunAccess`."""

    __tablename__ = "auditor_limit"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="period"),)

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id", index=True)
    chosen_runs_only: bool
    starts_on: date | None = None
    ends_on: date | None = None
    set_at: datetime = Field(sa_type=UTCDateTime)


class LoginSession(SQLModel, table=True):
    """`id` is the SHA-256 (hex) of the token in the cookie, so a copy of the database opens no session. `renew_since`:
    the roles of the user changed, so the next answer brings a new token. `address` and `device` (what the browser says
    of itself) are there so that the user recognises the session.

    `provider`, `provider_sid` (its session there) and `provider_token` (encrypted: where and with what to
    log out there) belong to one that a provider opened; it reaches no other municipality than `limited_to`."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_provider_provider_sid", "provider", "provider_sid"),)

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    municipality_id: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")
    csrf_token: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    renew_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    address: str | None = None
    device: str | None = None
    provider: str | None = None
    provider_sid: str | None = None
    provider_token: str | None = None
    limited_to: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")


class PendingSignIn(SQLModel, table=True):
    """Somebody whose password was right, or whom a provider knows, and who has yet to show or set up a second factor.
    `id` and what a provider adds as in LoginSession; it opens nothing but that one page."""

    __tablename__ = "pending_sign_in"

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    provider: str | None = None
    provider_sid: str | None = None
    provider_token: str | None = None
    limited_to: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")


class ProviderAccount(SQLModel, table=True):
    """Somebody as a provider knows them (OpenID Connect): never found by anything but `issuer` and `subject` together.
    `provider` is the key, in the settings, of the one that gave the link. `made_account`: the account came with the
    first sign-in; otherwise its user linked the two."""

    __tablename__ = "provider_account"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    provider: str
    made_account: bool
    linked_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)


class ProviderRole(SQLModel, table=True):
    """A membership that exists because a provider says so of a person there (`issuer` and `subject`), and ends when no
    provider says so of anybody there who is linked to this account. One without such a row was given here."""

    __tablename__ = "provider_role"
    __table_args__ = (
        ForeignKeyConstraint(["issuer", "subject"], ["provider_account.issuer", "provider_account.subject"]),
    )

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    role: str = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)


class ProviderFlow(SQLModel, table=True):
    """Somebody who is on the way to a provider and back. `id` and `browser` are the SHA-256 (hex) of the `state` and of
    the token in the cookie; `sealed` is encrypted: nonce, code verifier, and what was typed before. `user_id` is there
    when somebody who is signed in links an account. It counts once."""

    __tablename__ = "provider_flow"

    id: str = Field(primary_key=True)
    browser: str
    provider: str
    user_id: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    verder: str
    sealed: str
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)


class AnsweredForm(SQLModel, table=True):
    """A form that was answered (app/storage/answered_forms.py). `key` is the SHA-256 (hex) of the key that the page
    gave it, `content` tells under that key what was sent. `address` and `notice` are the answer."""

    __tablename__ = "answered_form"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    key: str = Field(primary_key=True)
    content: str
    address: str
    notice: str
    answered_at: datetime = Field(sa_type=UTCDateTime, index=True)


class AuthenticatorApp(SQLModel, table=True):
    """The second factor of a user (TOTP, RFC 6238). `secret` is encrypted (app/storage/vault.py). It counts from
    `confirmed_at` on. `last_step` is the time step of the newest code that was used: none counts twice.
    `wrong_codes` since the last right one, over any time."""

    __tablename__ = "authenticator_app"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    secret: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_step: int | None = None
    wrong_codes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class RecoveryCode(SQLModel, table=True):
    """`digest`: SHA-256 (hex) of a random code of 120 bits. It counts once, instead of a code of the app."""

    __tablename__ = "recovery_code"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    digest: str = Field(primary_key=True)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential. `credential_id` and `public_key` (COSE) are base64url."""

    __tablename__ = "passkey"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    credential_id: str = Field(unique=True)
    public_key: str
    sign_count: int = Field(sa_type=BigInteger)
    transports: Any = Field(sa_type=JSONValue)
    name: str
    created_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class SpentChallenge(SQLModel, table=True):
    """An answer of a passkey to a challenge counts once. `id`: SHA-256 (hex) of the challenge, kept until it ends."""

    __tablename__ = "spent_challenge"

    id: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)


class AccountLink(SQLModel, table=True):
    """A link with which somebody sets a password, once. `id` is the SHA-256 (hex) of the token in it. `made_by` is
    empty for one that was made on the command line."""

    __tablename__ = "account_link"

    id: str = Field(primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    made_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AccountEvent(MunicipalityScoped, table=True):
    """Append-only until its term of keeping (enforced by triggers, see AccountLogCut): what happened to an account,
    told to each municipality that it works for. `by` is empty for whoever is not signed in, and for the command line.
    `place` is a shortened address; `detail` holds roles and keys of providers, never names or free text."""

    __tablename__ = "account_event"
    __table_args__ = (Index("ix_account_event_municipality_id_at", "municipality_id", "at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    act: str
    about: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    at: datetime = Field(sa_type=UTCDateTime)
    place: str
    detail: Any = Field(sa_type=JSONValue, nullable=True)


class AccountLogCut(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): events of accounts from before `until` were removed, `removed` of them.
    Without such a row the database removes none; a younger `until` than a year ago it refuses."""

    __tablename__ = "account_log_cut"
    __table_args__ = (Index("ix_account_log_cut_municipality_id_until", "municipality_id", "until"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    until: datetime = Field(sa_type=UTCDateTime)
    removed: int
    at: datetime = Field(sa_type=UTCDateTime)


class LoginAttempt(SQLModel, table=True):
    """A failed sign-in, counted per `key` (account or address, hashed) to slow down guessing."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_key_at", "key", "at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    key: str
    at: datetime = Field(sa_type=UTCDateTime)


class PlanDocument(SQLModel, table=True):
    """The canonical document of a plan under its SHA-256, so that a run outlives the file. It says nothing of whose
    plan it is and has nothing to list it by: which plans there are, `PlanVersion` knows of the national ones and
    `LocalPlan`, limited like everything of a municipality, of the others."""

    __tablename__ = "plan_document"

    digest: str = Field(primary_key=True)
    document: Any = Field(sa_type=JSONValue)


class PlanVersion(SQLModel, table=True):
    """A released plan that comes with the software, for every municipality. No run starts on a retired one."""

    __tablename__ = "plan_version"
    __table_args__ = (
        UniqueConstraint("plan_id", "version"),
        CheckConstraint("status IN ('released', 'retired')", name="status"),
    )

    digest: str = Field(primary_key=True, foreign_key="plan_document.digest")
    plan_id: str
    version: str
    title: str
    status: str = Field(default="released", sa_column_kwargs={"server_default": "released"})
    added_at: datetime = Field(sa_type=UTCDateTime)


class LocalPlan(MunicipalityScoped, table=True):
    """A plan of one municipality: what it adds to a national one (`extends_plan`, `extends_version`), or a plan of its
    own. `source` is the file as it was sent, `digest` of the plan that comes out. A draft can be replaced; what was
    released never changes (enforced by triggers), and its document is in `PlanDocument`. `reason` may be erased."""

    __tablename__ = "local_plan"
    __table_args__ = (
        UniqueConstraint("municipality_id", "plan_id", "version"),
        CheckConstraint("status IN ('draft', 'released', 'retired')", name="status"),
        CheckConstraint("status = 'draft' OR (released_by IS NOT NULL AND released_at IS NOT NULL)", name="released"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_id: str
    version: str
    title: str
    extends_plan: str | None = None
    extends_version: str | None = None
    source: str
    digest: str = Field(index=True)
    status: str = "draft"
    uploaded_by: uuid.UUID = Field(foreign_key="user_account.id")
    uploaded_at: datetime = Field(sa_type=UTCDateTime)
    released_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    released_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str = ""
    retired_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    retired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class RunRow(MunicipalityScoped, table=True):
    """A run (traject). `revision` counts its events and is the lock against two writers at once. `asked_to_move_at` is
    there while a manager is asked to confirm that it goes on with another version of its plan."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_municipality_id_changed_at", "municipality_id", "changed_at"),
        Index("ix_run_asked_to_move_at_municipality_id", "asked_to_move_at", "municipality_id"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_digest: str = Field(foreign_key="plan_document.digest", index=True)
    plan_id: str
    plan_version: str
    name: str
    purpose: str
    manager_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    state: Any = Field(sa_type=JSONValue)
    revision: int = 0
    started_by: uuid.UUID = Field(foreign_key="user_account.id")
    started_at: datetime = Field(sa_type=UTCDateTime)
    changed_at: datetime = Field(sa_type=UTCDateTime)
    asked_to_move_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @classmethod
    def run_column(cls) -> Any:
        return cls.id


class RunMember(MunicipalityScoped, table=True):
    __tablename__ = "run_member"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id", index=True)


class RunAccess(MunicipalityScoped, table=True):
    """A run that is open to somebody whose role counts on some runs only: to an adviser with whom it was shared (as the
    events of the run say), to an auditor for whom an administrator chose it. Every query of such a user is limited by
    these rows (app/storage/scope.py)."""

    __tablename__ = "run_access"
    __table_args__ = (CheckConstraint("role IN ('adviser', 'auditor')", name="role"),)

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id", index=True)
    role: str = Field(primary_key=True)


class StageRow(MunicipalityScoped, table=True):
    """One round of a stage (in one domain, '' for none). `state` is the engine's value without its steps."""

    __tablename__ = "stage_instance"
    # Status first, kind first: with the municipality in front SQLite would use these to find the rows of one run.
    __table_args__ = (Index("ix_stage_instance_status_municipality_id", "status", "municipality_id"),)

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    ref: str = Field(primary_key=True)
    stage: str
    domain: str = ""
    round: int
    status: str
    passed: bool = False
    state: Any = Field(sa_type=JSONValue)


class OpenPointRow(MunicipalityScoped, table=True):
    """A condition of an approval that somebody still has to do something about, so that lists find it. The stage holds
    all of it, and those that are over."""

    __tablename__ = "open_point"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "ref"], ["stage_instance.run_id", "stage_instance.ref"]),
        Index("ix_open_point_state_municipality_id_due", "state", "municipality_id", "due"),
        CheckConstraint("state IN ('open', 'reported')", name="state"),
    )

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    id: str = Field(primary_key=True)
    ref: str
    owner_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    due: date
    state: str
    text_id: uuid.UUID


class StepRow(MunicipalityScoped, table=True):
    """`is_required` and `is_done` say whether progress counts this step and whether it is finished, so that lists
    need not read `state`. The checklist is the step `checklist`."""

    __tablename__ = "step_state"
    __table_args__ = (ForeignKeyConstraint(["run_id", "ref"], ["stage_instance.run_id", "stage_instance.ref"]),)

    run_id: uuid.UUID = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    is_required: bool
    is_done: bool = False
    status: str
    state: Any = Field(sa_type=JSONValue)


class AnswerRow(MunicipalityScoped, table=True):
    """A version of an answer; none is overwritten. `value` may be erased, `commitment` stays:
    HMAC-SHA-256 (hex) of the canonical value under `salt`."""

    __tablename__ = "answer"
    __table_args__ = (
        Index("ix_answer_run_id_ref_step_is_current", "run_id", "ref", "step", "is_current"),
        Index("ix_answer_run_id_commitment", "run_id", "commitment"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id")
    ref: str
    step: str
    question: str
    value: Any = Field(sa_type=JSONValue, nullable=True)
    salt: str
    commitment: str
    is_current: bool = True
    saved_by: uuid.UUID = Field(foreign_key="user_account.id")
    saved_at: datetime = Field(sa_type=UTCDateTime)


class EvidenceRow(MunicipalityScoped, table=True):
    """`sha256`, `bytes`, `media_type` and `file_name` belong to a file, `url` to a link, `note` to a note."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("ix_evidence_run_id_ref_step", "run_id", "ref", "step"),
        CheckConstraint("form IN ('file', 'link', 'note')", name="form"),
        CheckConstraint("confidentiality IN ('public', 'internal', 'confidential')", name="confidentiality"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id")
    ref: str
    step: str
    kind: str
    form: str
    title: str
    document_date: date | None = None
    source: str = ""
    confidentiality: str = "internal"
    grounds: Any = Field(sa_type=JSONValue)
    sha256: str | None = None
    bytes: int | None = None
    media_type: str | None = None
    file_name: str | None = None
    url: str | None = None
    note: str | None = None
    salt: str
    commitment: str
    added_by: uuid.UUID = Field(foreign_key="user_account.id")
    added_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class TextRow(MunicipalityScoped, table=True):
    """Free text that an event refers to by id (a reason, a message, a finding). `text` may be erased; `commitment` is
    what the event holds of it: HMAC-SHA-256 (hex) under `salt`. Older texts have neither."""

    __tablename__ = "run_text"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id", index=True)
    text: str | None
    salt: str | None = None
    commitment: str | None = None
    written_by: uuid.UUID = Field(foreign_key="user_account.id")
    written_at: datetime = Field(sa_type=UTCDateTime)


class SealRow(MunicipalityScoped, table=True):
    """What exactly a request or approval sealed: the manifest of commitments whose SHA-256 is `digest`."""

    __tablename__ = "seal"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    digest: str = Field(primary_key=True)
    manifest: Any = Field(sa_type=JSONValue)
    created_at: datetime = Field(sa_type=UTCDateTime)


class EventRow(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): `sequence` counts per run from 1 without gaps."""

    __tablename__ = "run_event"
    __table_args__ = (Index("ix_run_event_kind_municipality_id_at", "kind", "municipality_id", "at"),)

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    sequence: int = Field(primary_key=True)
    kind: str
    data: Any = Field(sa_type=JSONValue)
    by: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    at: datetime = Field(sa_type=UTCDateTime)


class LogEntry(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): the place of an event in the log of its municipality. `position` counts from
    0 without gaps; `leaf` is the hash (hex, RFC 6962) of the entry that app/engine/log.py makes of the event."""

    __tablename__ = "log_entry"
    __table_args__ = (
        UniqueConstraint("run_id", "sequence"),
        ForeignKeyConstraint(["run_id", "sequence"], ["run_event.run_id", "run_event.sequence"]),
    )

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    position: int = Field(primary_key=True)
    run_id: uuid.UUID
    sequence: int
    origin: str
    leaf: str


class LogHead(MunicipalityScoped, table=True):
    """How far the log of a municipality is; it only grows (enforced by triggers). `peaks`: the roots of the full
    subtrees (hex, one after the other), from which the root follows. Whoever appends holds this row."""

    __tablename__ = "log_head"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    size: int = 0
    peaks: str = ""


class SignedHead(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers). `document` is the canonical head that was signed, byte for byte; the other
    columns repeat what queries need of it. `signature` is of Ed25519, in hex."""

    __tablename__ = "signed_head"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    number: int = Field(primary_key=True)
    size: int
    document: str
    signature: str
    signed_at: datetime = Field(sa_type=UTCDateTime)


class WitnessProgress(MunicipalityScoped, table=True):
    """Up to which signed head a witness received them; what failed is handed over again with the next."""

    __tablename__ = "witness_progress"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    witness: str = Field(primary_key=True)
    number: int
    at: datetime = Field(sa_type=UTCDateTime)


class MassMove(MunicipalityScoped, table=True):
    """Many runs that go to another version of their plan by one act of an administrator. `chosen` is the filter;
    `reason` may be erased. `worker` holds the claim of the process that is at it, for as long as `heartbeat_at` is
    recent; both are empty while nobody is."""

    __tablename__ = "mass_move"
    __table_args__ = (Index("ix_mass_move_municipality_id_started_at", "municipality_id", "started_at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_id: str
    to_version: str
    to_digest: str = Field(foreign_key="plan_document.digest")
    chosen: Any = Field(sa_type=JSONValue)
    reason: str | None
    started_by: uuid.UUID = Field(foreign_key="user_account.id")
    started_at: datetime = Field(sa_type=UTCDateTime)
    worker: uuid.UUID | None = None
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    stopped_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    stopped_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class MassMoveRun(MunicipalityScoped, table=True):
    """What happened to one run of a mass move. `shown` is the digest of the outcome that was previewed, if it was;
    `told` what belongs to the outcome: counts, reasons, or the reference in the log.

    No foreign key to the run: what happened is still told when the run is gone."""

    __tablename__ = "mass_move_run"
    __table_args__ = (
        Index("ix_mass_move_run_mass_move_id_outcome_run_id", "mass_move_id", "outcome", "run_id"),
        CheckConstraint("outcome IN ('waiting', 'moved', 'proposed', 'refused', 'failed')", name="outcome"),
    )

    mass_move_id: uuid.UUID = Field(primary_key=True, foreign_key="mass_move.id")
    run_id: uuid.UUID = Field(primary_key=True)
    from_digest: str = Field(foreign_key="plan_document.digest")
    shown: str | None = None
    outcome: str = "waiting"
    told: Any = Field(sa_type=JSONValue, nullable=True)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class MandateRow(MunicipalityScoped, table=True):
    """The deputy decides in the name of an absent manager on `first_day` to `last_day`, as days in the Netherlands.
    `ground` is the decision that this rests on. Nothing of it changes but its withdrawal, and what is erased from its
    ground (enforced by triggers)."""

    __tablename__ = "mandate"
    __table_args__ = (
        Index("ix_mandate_municipality_id_last_day", "municipality_id", "last_day"),
        CheckConstraint("first_day <= last_day", name="period"),
        CheckConstraint("mandator_id <> deputy_id", name="two_people"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    mandator_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    deputy_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    first_day: date
    last_day: date
    ground: str
    recorded_by: uuid.UUID = Field(foreign_key="user_account.id")
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Erasure(MunicipalityScoped, table=True):
    """Personal data that somebody asked to erase, and that goes once another confirms. It holds no personal data
    itself: `account_id` or `items` (kind, run, id and places; app/storage/erasure/items.py) say what, `ground` is a
    code of the law. `files`: hashes of files that are still to be removed; `cleaned_at`: no trace was left since."""

    __tablename__ = "erasure"
    __table_args__ = (
        Index("ix_erasure_municipality_id_asked_at", "municipality_id", "asked_at"),
        CheckConstraint("status IN ('asked', 'declined', 'done')", name="status"),
        CheckConstraint("status = 'asked' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)", name="decided"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    status: str = "asked"
    account_id: uuid.UUID | None = None  # no foreign key: a backup that was put back may not know the account yet
    items: Any = Field(sa_type=JSONValue)
    ground: str
    asked_by: uuid.UUID = Field(foreign_key="user_account.id")
    asked_at: datetime = Field(sa_type=UTCDateTime)
    decided_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    files: Any = Field(sa_type=JSONValue, nullable=True)
    cleaned_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
