"""What is held about one person, to give it to that person (AVG, articles 15 and 20).

About the account, and of the municipality of the session: what that person did and wrote there. Other people are in it
as little as can be: an act about somebody else is told without whom it was about.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from app.engine.definition import StepPlan, Text
from app.engine.run import StageRef
from app.policy import ALL_RUNS
from app.storage.account_log import shortened
from app.storage.plans import load_plans
from app.storage.scope import municipality_of, set_reach
from app.storage.tables import (
    AccountEvent,
    AccountLink,
    AnswerRow,
    AuditorLimit,
    AuthenticatorApp,
    Erasure,
    EventRow,
    EvidenceRow,
    LocalPlan,
    LoginSession,
    MandateRow,
    MassMove,
    Membership,
    OpenPointRow,
    Operator,
    Passkey,
    ProviderAccount,
    RecoveryCode,
    RunAccess,
    RunMember,
    RunRow,
    SamePerson,
    TextRow,
    User,
)

AT_ONCE: Final = 500  # rows in memory


@dataclass(frozen=True, slots=True)
class Part:
    """`rows` are read while they are asked for, once."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Any]]


def parts_about(session: Session, user_id: uuid.UUID, *, is_own: bool, whole_account: bool) -> Iterator[Part]:
    """`is_own`: for the person; somebody else gets addresses shortened, as in the log of accounts. `whole_account`:
    also what is not of this municipality, such as sessions; not for the administrator of one of several."""
    yield from _account(session, user_id)
    if whole_account:
        yield from _ways_in(session, user_id, is_own=is_own)
    if (here := municipality_of(session)) is None:
        return
    # What somebody wrote is that person's, also on a run that is open to that person no more.
    set_reach(session, user_id, ALL_RUNS)
    yield from _roles(session, user_id, here)
    yield from _at_work(session, user_id)
    yield from _written(session, user_id)


def _part(session: Session, name: str, *columns: Any, where: Any, order: Any, join: Any = None) -> Part:
    """Columns are known by their name; a label gives another."""
    query = sa.select(*columns).where(where).order_by(order)
    if join is not None:
        query = query.join(*join)
    return Part(name, tuple(each.key for each in columns), _rows(session, query))


def _rows(session: Session, query: Any) -> Iterator[Sequence[Any]]:
    yield from session.execute(query.execution_options(yield_per=AT_ONCE))


# --- the account --------------------------------------------------------------------------------------------------


def _account(session: Session, user_id: uuid.UUID) -> Iterator[Part]:
    columns = (
        *(col(User.login), col(User.name), col(User.language), col(User.created_at), col(User.disabled_at)),
        col(User.password_hash).is_not(None).label("has_password"),
    )
    yield _part(session, "account", *columns, where=col(User.id) == user_id, order=col(User.id))


def _ways_in(session: Session, user_id: uuid.UUID, *, is_own: bool) -> Iterator[Part]:
    link, app, code, key = ProviderAccount, AuthenticatorApp, RecoveryCode, Passkey
    columns: tuple[Any, ...] = (col(Operator.added_at), col(Operator.disabled_at))
    yield _part(session, "operator", *columns, where=col(Operator.user_id) == user_id, order=col(Operator.added_at))
    columns = (
        *(col(link.provider), col(link.issuer), col(link.subject), col(link.made_account)),
        *(col(link.linked_at), col(link.seen_at)),
    )
    yield _part(session, "organisations", *columns, where=col(link.user_id) == user_id, order=col(link.linked_at))
    columns = (col(app.created_at), col(app.confirmed_at))
    yield _part(session, "authenticator_app", *columns, where=col(app.user_id) == user_id, order=col(app.created_at))
    own, unused = col(code.user_id) == user_id, sa.func.count().filter(col(code.used_at).is_(None)).label("unused")
    yield _part(session, "recovery_codes", unused, where=own, order=sa.text("1"))
    columns = (col(key.name), col(key.created_at), col(key.used_at))
    yield _part(session, "passkeys", *columns, where=col(key.user_id) == user_id, order=col(key.created_at))
    columns = (col(AccountLink.created_at), col(AccountLink.expires_at), col(AccountLink.used_at))
    yield _part(
        session, "links", *columns, where=col(AccountLink.user_id) == user_id, order=col(AccountLink.created_at)
    )
    login = LoginSession
    columns = (col(login.created_at), col(login.seen_at), col(login.expires_at), col(login.address), col(login.device))
    found = _part(session, "sessions", *columns, where=col(login.user_id) == user_id, order=col(login.created_at))
    rows = found.rows if is_own else ((*row[:3], shortened(row[3]), row[4]) for row in found.rows)
    yield Part(found.name, found.columns, rows)


def _roles(session: Session, user_id: uuid.UUID, here: uuid.UUID) -> Iterator[Part]:
    columns: tuple[Any, ...] = (col(Membership.role), col(Membership.created_at).label("since"))
    own = (col(Membership.user_id) == user_id) & (col(Membership.municipality_id) == here)
    yield _part(session, "roles", *columns, where=own, order=col(Membership.role))
    limit = AuditorLimit
    columns = (col(limit.chosen_runs_only), col(limit.starts_on), col(limit.ends_on), col(limit.set_at))
    own = (col(limit.user_id) == user_id) & (col(limit.municipality_id) == here)
    yield _part(session, "auditor_limit", *columns, where=own, order=col(limit.set_at))
    same = SamePerson
    own = ((col(same.one) == user_id) | (col(same.other) == user_id)) & (col(same.municipality_id) == here)
    columns = (col(same.recorded_at), col(same.ended_at))
    yield _part(session, "same_person", *columns, where=own, order=col(same.recorded_at))
    event = AccountEvent
    # Of what somebody else did to this account, the address is that other person's.
    place = sa.case((col(event.by).is_(None) | (col(event.by) == user_id), col(event.place))).label("place")
    columns = (
        *(col(event.at), col(event.act), _who((col(event.about), "about"), (col(event.by), "by"), user_id=user_id)),
        *(place, col(event.detail)),
    )
    own = (col(event.about) == user_id) | (col(event.by) == user_id)
    found = _part(session, "account_log", *columns, where=own, order=col(event.at))
    yield Part(found.name, (*found.columns[:4], "roles", "before"), map(_told, found.rows))


def _who(*columns: tuple[Any, str], user_id: uuid.UUID) -> Any:
    """In what way a row is about this person."""
    return sa.case(*((column == user_id, sa.literal(what)) for column, what in columns)).label("as")


def _told(row: Sequence[Any]) -> Sequence[Any]:
    """Which roles: of this person only, not of whom it was done to."""
    at, act, how, place, detail = row
    roles = (detail or {}) if how == "about" else {}
    return (at, act, how, place, roles.get("roles"), roles.get("before"))


# --- work ---------------------------------------------------------------------------------------------------------


def _at_work(session: Session, user_id: uuid.UUID) -> Iterator[Part]:
    run: Any = col(RunRow.name).label("run")
    teams = sa.select(col(RunMember.run_id)).where(col(RunMember.user_id) == user_id)
    opened = sa.select(col(RunAccess.run_id)).where(col(RunAccess.user_id) == user_id)
    led, begun = col(RunRow.manager_id), col(RunRow.started_by)
    columns: tuple[Any, ...] = (
        *(run, (led == user_id).label("as_manager"), col(RunRow.id).in_(teams).label("in_team")),
        *((begun == user_id).label("started"), col(RunRow.id).in_(opened).label("opened"), col(RunRow.started_at)),
    )
    own: Any = (led == user_id) | (begun == user_id) | col(RunRow.id).in_(teams) | col(RunRow.id).in_(opened)
    yield _part(session, "runs", *columns, where=own, order=col(RunRow.started_at))
    point = OpenPointRow
    columns = (run, col(point.ref), col(point.due), col(point.state))
    own = col(point.owner_id) == user_id
    yield _part(session, "points", *columns, where=own, order=col(point.due), join=_of_run(point.run_id))
    mandate = MandateRow
    how = _who((mandate.mandator_id, "mandator"), (mandate.deputy_id, "deputy"), user_id=user_id)
    columns = (
        *(how, col(mandate.first_day), col(mandate.last_day), col(mandate.ground)),
        *(col(mandate.recorded_at), col(mandate.withdrawn_at)),
    )
    own = (col(mandate.mandator_id) == user_id) | (col(mandate.deputy_id) == user_id)
    yield _part(session, "mandates", *columns, where=own, order=col(mandate.recorded_at))
    request = Erasure
    how = _who(
        (col(request.account_id), "about"),
        (col(request.asked_by), "asked"),
        (col(request.decided_by), "decided"),
        user_id=user_id,
    )
    columns = (how, col(request.status), col(request.asked_at), col(request.decided_at))
    own = (col(request.account_id) == user_id) | (col(request.asked_by) == user_id)
    own |= col(request.decided_by) == user_id
    yield _part(session, "erasures", *columns, where=own, order=col(request.asked_at))


def _of_run(run_id: Any) -> tuple[Any, Any]:
    return RunRow, col(RunRow.id) == run_id


def _written(session: Session, user_id: uuid.UUID) -> Iterator[Part]:
    answer, text, piece, event = AnswerRow, TextRow, EvidenceRow, EventRow
    run: Any = col(RunRow.name).label("run")
    columns: tuple[Any, ...] = (
        *(run, col(RunRow.plan_digest), col(answer.ref), col(answer.step), col(answer.question)),
        *(col(answer.value), col(answer.saved_at), col(answer.is_current)),
    )
    own = col(answer.saved_by) == user_id
    found = _part(session, "answers", *columns, where=own, order=col(answer.saved_at), join=_of_run(answer.run_id))
    asked = ("run", "stage", "step", "question", "value", "saved_at", "is_current")
    yield Part(found.name, asked, _with_words(session, found.rows))
    columns = (run, col(text.text), col(text.written_at))
    own = col(text.written_by) == user_id
    yield _part(session, "texts", *columns, where=own, order=col(text.written_at), join=_of_run(text.run_id))
    columns = (
        *(run, col(piece.ref), col(piece.step), col(piece.kind), col(piece.form), col(piece.title), col(piece.source)),
        *(col(piece.document_date), col(piece.confidentiality), col(piece.file_name), col(piece.media_type)),
        *(col(piece.bytes), col(piece.url), col(piece.note), col(piece.added_at), col(piece.withdrawn_at)),
    )
    own = col(piece.added_by) == user_id
    yield _part(session, "evidence", *columns, where=own, order=col(piece.added_at), join=_of_run(piece.run_id))
    columns = (run, col(event.at), col(event.kind), col(event.data))
    own = col(event.by) == user_id
    found = _part(session, "acts", *columns, where=own, order=col(event.at), join=_of_run(event.run_id))
    yield Part(found.name, ("run", "at", "kind", "ref", "step"), map(_act, found.rows))
    moves = (col(MassMove.reason), col(MassMove.started_at))
    own = col(MassMove.started_by) == user_id
    yield _part(session, "mass_moves", *moves, where=own, order=col(MassMove.started_at))
    plans = (col(LocalPlan.title), col(LocalPlan.version), col(LocalPlan.reason), col(LocalPlan.uploaded_at))
    own = (col(LocalPlan.uploaded_by) == user_id) | (col(LocalPlan.released_by) == user_id)
    yield _part(session, "plans", *plans, where=own, order=col(LocalPlan.uploaded_at))


def _act(row: Sequence[Any]) -> Sequence[Any]:
    """Without the rest of what the event holds: ids of others are in it."""
    run, at, kind, data = row
    return (run, at, kind, data.get("ref"), data.get("step"))


def _with_words(session: Session, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    plans: dict[str, StepPlan] = {}
    for run, digest, ref, step, question, *rest in rows:
        if digest not in plans:
            plans |= load_plans(session, [digest])
        yield (run, *_words(plans[digest], ref, step, question), *rest)


def _words(plan: StepPlan, ref: str, step: str, question: str) -> tuple[Text | str, Text | str, Text | str]:
    """Those of the plan; the keys, of a part that an earlier version of it had."""
    stage = plan.stages_by_id.get(StageRef.parse(ref).stage)
    found = stage.steps_by_id.get(step) if stage else None
    if stage is None or found is None:
        return ref, step, question
    asked = next((each.text for each in found.questions if each.id == question), question)
    return stage.title, found.title, asked
