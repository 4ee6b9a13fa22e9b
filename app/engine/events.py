"""Facts that happened in a run. They hold ids, keys, times and commitments, never names or free text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.engine.points import NewPoint
from app.engine.run import (
    AnswerMark,
    DecisionTaken,
    EvidenceForm,
    EvidenceId,
    Followed,
    Parked,
    StageInstance,
    StageRef,
    TextId,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    run: str
    plan_id: str
    plan_version: str
    plan_digest: str
    name: TextId
    purpose: TextId
    domains: tuple[str, ...]
    team: tuple[UserId, ...]
    manager: UserId
    earlier_run: str | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRenamed:
    """Another name or purpose; the earlier texts stay."""

    name: TextId
    purpose: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged:
    team: tuple[UserId, ...]
    manager: UserId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainsChanged:
    domains: tuple[str, ...]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """`early_reason` is there when advised stages (`unmet_advice`) were not finished yet, `reason` with a later round:
    why there is one."""

    ref: StageRef
    unmet_advice: tuple[str, ...] = ()
    early_reason: TextId | None = None
    reason: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSkipped:
    ref: StageRef
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipUndone:
    ref: StageRef
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSaved:
    """`answers` holds the changed answers only."""

    ref: StageRef
    step: str
    answers: Mapping[str, AnswerMark]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCompleted:
    ref: StageRef
    step: str
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAdded:
    ref: StageRef
    step: str
    evidence: EvidenceId
    kind: str
    form: EvidenceForm
    commitment: str
    grounds: tuple[str, ...]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWithdrawn:
    ref: StageRef
    step: str
    evidence: EvidenceId
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecorded:
    decision: str
    domain: str | None
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWithdrawn:
    decision: str
    domain: str | None
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    ref: StageRef
    request: str
    seal: str
    message: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn:
    """`is_work`: who withdraws it counts among those who worked on the stage; not so in the oldest events."""

    ref: StageRef
    request: str
    is_work: bool = False
    reason: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageApproved:
    """`seal` is the digest of exactly what was shown, with the conditions added. `is_final` says that the quorum is now
    met. `roles`: those that the gate asks for and the approver has. Here and in the other decisions: `mandate` and
    `on_behalf_of` when a deputy decides in the name of somebody who is absent."""

    ref: StageRef
    request: str
    seal: str
    is_final: bool
    remark: TextId | None = None
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    conditions: tuple[NewPoint, ...] = ()
    roles: tuple[str, ...] = ()
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSentBack:
    """`findings` maps step ids to the text that says what should change. `seal` is the digest of what was shown."""

    ref: StageRef
    request: str
    findings: Mapping[str, TextId]
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    seal: str | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReopened:
    """Work goes on in a continuous stage; its earlier approval stays valid for what it sealed."""

    ref: StageRef
    reason: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWithdrawn:
    """Of an approved stage: all of it, and the stage is open again. While the stage waits for more approvals: only
    that of who withdraws it. `given_by`: whose hand that was by, when another gave it in this person's name, or the
    absent manager before a deputy took it back."""

    ref: StageRef
    reason: TextId
    given_by: UserId | None = None
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recused:
    """Somebody who could decide takes no part in the decisions about this stage instance."""

    ref: StageRef
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalTakenBack:
    ref: StageRef
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointReported:
    """By its owner: the open point is done, and how."""

    ref: StageRef
    point: str
    remark: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointClosed:
    ref: StageRef
    point: str
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointReturned:
    """It is not done yet, says who decides."""

    ref: StageRef
    point: str
    reason: TextId
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointChanged:
    """Another owner, another date, or both."""

    ref: StageRef
    point: str
    owner: UserId
    due: date
    reason: TextId
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveProposed:
    """The team asks a manager to move the run, since that touches an approval. `choices` and `reasons` are by the id
    of the item; `outcome` is the digest of what the choices lead to."""

    proposal: str
    to_version: str
    to_digest: str
    outcome: str
    choices: Mapping[str, str]
    reasons: Mapping[str, TextId]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveProposalWithdrawn:
    """By the team, or by a manager who declines."""

    proposal: str
    reason: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMoved:
    """The run goes on with another version of its plan.

    It holds what is different afterwards: `stages` those that changed, whole; `gone` those that are there no more;
    `parked` what has no place now, `returned` the ids of what has a place again. All else stays as it is.
    """

    move: str
    from_version: str
    from_digest: str
    to_plan: str
    to_version: str
    to_digest: str
    outcome: str
    choices: Mapping[str, str]
    reasons: Mapping[str, TextId]
    stages: tuple[StageInstance, ...]
    gone: tuple[StageRef, ...]
    domains: tuple[str, ...]
    decisions: tuple[DecisionTaken, ...]
    parked: tuple[Parked, ...]
    returned: tuple[str, ...]
    proposed_by: UserId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUndone:
    """The run is as it was before the move `move`; work done since that has no place then is in `parked`. `reason` may
    say why."""

    move: str
    plan_id: str
    to_version: str
    to_digest: str
    stages: tuple[StageInstance, ...]
    gone: tuple[StageRef, ...]
    domains: tuple[str, ...]
    decisions: tuple[DecisionTaken, ...]
    parked: tuple[Parked, ...]
    returned: tuple[str, ...]
    reason: TextId | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersProposed:
    """Answers of an earlier run come along as proposals, when a stage begins. `authors`: who worked on them there."""

    ref: StageRef
    step: str
    answers: Mapping[str, AnswerMark]
    authors: tuple[UserId, ...] = ()
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShared:
    """An adviser may read the run and give advice, from now on."""

    adviser: UserId
    question: TextId | None = None
    wanted_by: date | None = None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingEnded:
    adviser: UserId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceGiven:
    """`ref` is there for advice about one stage; `grounds` are those that it speaks to."""

    advice: str
    ref: StageRef | None = None
    text: TextId
    grounds: tuple[str, ...]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceAnswered:
    advice: str
    followed: Followed
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataErased:
    """Personal data went out of what people wrote in the run, and nothing else changed. Each map tells what stands
    there since: from an answer (by the commitment that the history holds of it), a text and a piece of evidence (by id)
    to the commitment of what took its place. `ground` is a code of the law; one asked, another confirmed (`by`)."""

    erasure: str
    ground: str
    answers: Mapping[str, str]
    texts: Mapping[TextId, str]
    evidence: Mapping[EvidenceId, str]
    asked_by: UserId
    by: UserId
    at: datetime


Event = (
    RunStarted
    | RunRenamed
    | TeamChanged
    | DomainsChanged
    | StageStarted
    | StageSkipped
    | SkipUndone
    | StepSaved
    | StepCompleted
    | EvidenceAdded
    | EvidenceWithdrawn
    | DecisionRecorded
    | DecisionWithdrawn
    | ApprovalRequested
    | RequestWithdrawn
    | StageApproved
    | StageSentBack
    | StageReopened
    | ApprovalWithdrawn
    | Recused
    | RecusalTakenBack
    | PointReported
    | PointClosed
    | PointReturned
    | PointChanged
    | MoveProposed
    | MoveProposalWithdrawn
    | RunMoved
    | MoveUndone
    | AnswersProposed
    | RunShared
    | SharingEnded
    | AdviceGiven
    | AdviceAnswered
    | PersonalDataErased
)

ByMandate = StageApproved | StageSentBack | ApprovalWithdrawn | PointClosed | PointReturned | PointChanged
"""What somebody can do in the name of a manager who is absent."""
