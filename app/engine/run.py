"""Where one policy trajectory stands: a value, made only by applying events.

Ids of users, texts and evidence are opaque strings; texts themselves live outside the engine, so that they can
be erased without touching history. Times are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from app.engine.points import Point

UserId = str
TextId = str
EvidenceId = str


@dataclass(frozen=True, slots=True, order=True)
class StageRef:
    """One instance of a stage: its round and, for a per-domain stage, its domain."""

    stage: str
    domain: str | None = None
    round: int = 1

    def __str__(self) -> str:
        """The form used in addresses and events: `verkennen.1`, `beleid-ontwikkelen.wonen.2`."""
        return ".".join([self.stage, *([self.domain] if self.domain else []), str(self.round)])

    @staticmethod
    @lru_cache(maxsize=4096)  # a page reads the same few in hundreds of rows
    def parse(text: str) -> StageRef:
        """Raises ValueError for a text that `str()` of a reference cannot give."""
        parts = text.split(".")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(text)
        number = parts[-1]
        if not (number.isascii() and number.isdecimal() and len(number) <= 4 and number[0] != "0"):
            raise ValueError(text)
        return StageRef(parts[0], parts[1] if len(parts) == 3 else None, int(number))

    def next_round(self) -> StageRef:
        return replace(self, round=self.round + 1)


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """What the engine knows of an answer. `commitment` (hex) ties it to the exact text without holding it;
    `choices` holds closed values only (option ids, grades). `is_complete` is False while, for instance, a
    "not applicable" still lacks its reason. An emptied answer has `is_filled` False. A proposal came along from an
    earlier version or an earlier run; it counts once somebody confirmed or changed it."""

    commitment: str
    is_filled: bool
    is_complete: bool
    choices: tuple[str, ...] = ()
    is_proposal: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is a whole answer, and somebody's own."""
        return self.is_filled and self.is_complete and not self.is_proposal


class EvidenceForm(StrEnum):
    FILE = "file"
    LINK = "link"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class EvidenceMark:
    """`commitment` (hex) covers the descriptive fields and, for a file, the SHA-256 of its bytes."""

    id: EvidenceId
    kind: str
    form: EvidenceForm
    commitment: str
    grounds: tuple[str, ...] = ()
    added_by: UserId = ""
    withdrawn_by: UserId | None = None

    @property
    def counts(self) -> bool:
        return self.withdrawn_by is None


class StepStatus(StrEnum):
    NOT_STARTED = "not_started"
    BUSY = "busy"
    COMPLETED = "completed"
    REVISIT = "revisit"


@dataclass(frozen=True, slots=True)
class StepState:
    """`revision` counts the saves of this step; a form carries it so that two people cannot overwrite each other."""

    status: StepStatus = StepStatus.NOT_STARTED
    revision: int = 0
    answers: Mapping[str, AnswerMark] = field(default_factory=dict)
    evidence: tuple[EvidenceMark, ...] = ()
    changed_by: UserId | None = None
    changed_at: datetime | None = None
    completed_by: UserId | None = None
    completed_at: datetime | None = None
    finding: TextId | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it holds no answer and no evidence now; what was emptied or withdrawn is in the history."""
        return not any(mark.is_filled for mark in self.answers.values()) and not any(i.counts for i in self.evidence)

    def choices(self, question: str) -> tuple[str, ...]:
        mark = self.answers.get(question)
        return mark.choices if mark else ()

    def is_filled(self, question: str) -> bool:
        mark = self.answers.get(question)
        return mark is not None and mark.is_filled

    def evidence_count(self, kind: str, *, links_count: bool) -> int:
        return sum(
            1
            for item in self.evidence
            if item.counts and item.kind == kind and (links_count or item.form is EvidenceForm.FILE)
        )


UNTOUCHED: Final = StepState(answers=MappingProxyType({}))
"""Of every step that nobody began."""


class StageStatus(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Request:
    """The team asks for approval; `seal` is the digest of the content at that moment."""

    id: str
    by: UserId
    at: datetime
    seal: str
    message: TextId | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """`roles`: those of the gate that the approver had then; unknown of approvals from before gates asked for roles."""

    request: str
    by: UserId
    at: datetime
    seal: str
    remark: TextId | None = None
    withdrawn_by: UserId | None = None
    mandate: str | None = None
    on_behalf_of: UserId | None = None
    roles: tuple[str, ...] = ()

    @property
    def in_name_of(self) -> UserId:
        return self.on_behalf_of or self.by

    @property
    def voices(self) -> tuple[UserId, ...]:
        """Whose approval it is: of who decided, and of who was absent. Neither counts a second time."""
        return (self.by, self.on_behalf_of) if self.on_behalf_of else (self.by,)


@dataclass(frozen=True, slots=True)
class Decided:
    """The latest decision about a stage instance, approved or sent back, on the content with that seal."""

    is_approval: bool
    by: UserId
    at: datetime
    seal: str
    mandate: str | None = None
    on_behalf_of: UserId | None = None


@dataclass(frozen=True, slots=True)
class Recusal:
    """Somebody who could decide about a stage instance takes no part in it, for a reason."""

    by: UserId
    at: datetime
    reason: TextId
    taken_back_at: datetime | None = None
    taken_back_reason: TextId | None = None

    @property
    def counts(self) -> bool:
        return self.taken_back_at is None


@dataclass(frozen=True)
class StageInstance:
    """One round of a stage (in one domain). `contributors` are all who worked on it; none of them may approve it.
    `points` are the conditions of its approvals. `reopened_reason`: why work went on after the last approval.

    `loaded` names the steps that a partial load brought along; None means all. Asking for another step is a bug
    in the caller, not an empty step.
    """

    ref: StageRef
    status: StageStatus = StageStatus.OPEN
    started_by: UserId | None = None
    started_at: datetime | None = None
    early_reason: TextId | None = None
    round_reason: TextId | None = None
    reopened_reason: TextId | None = None
    skip_reason: TextId | None = None
    contributors: tuple[UserId, ...] = ()
    request: Request | None = None
    approvals: tuple[Approval, ...] = ()
    decided_at: datetime | None = None
    decided: Decided | None = None
    passed: bool = False
    changed_since_approval: bool = False
    recusals: tuple[Recusal, ...] = ()
    points: tuple[Point, ...] = ()
    steps: Mapping[str, StepState] = field(default_factory=dict)
    loaded: frozenset[str] | None = None

    def step(self, id: str) -> StepState:
        assert self.loaded is None or id in self.loaded, f"step {id} of {self.ref} was not loaded"
        return self.steps.get(id, UNTOUCHED)

    def point(self, id: str) -> Point | None:
        return next((point for point in self.points if point.id == id), None)

    def with_step(self, id: str, state: StepState) -> StageInstance:
        return replace(self, steps=MappingProxyType({**self.steps, id: state}))

    def with_contributor(self, *users: UserId) -> StageInstance:
        more = dict.fromkeys(user for user in users if user not in self.contributors)
        return replace(self, contributors=(*self.contributors, *more)) if more else self

    @property
    def recused(self) -> tuple[UserId, ...]:
        return tuple(recusal.by for recusal in self.recusals if recusal.counts)


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A decision outside the stages, in force until withdrawn."""

    decision: str
    domain: str | None
    by: UserId
    at: datetime
    reason: TextId


class ParkedKind(StrEnum):
    ANSWER = "answer"
    EVIDENCE = "evidence"
    TEXT = "text"
    APPROVAL = "approval"
    STAGE = "stage"
    DECISION = "decision"


class ParkedWhy(StrEnum):
    """Gone: the part is not in the newer version. Unfit: what was given does not fit the changed part. Chosen: the team
    set it aside. Merged: another answer went along. Closed: the part changed, and its round is over. Not begun: its new
    place is in a stage that was not begun. Undone: it was done after a move that was undone."""

    GONE = "gone"
    UNFIT = "unfit"
    CHOSEN = "chosen"
    MERGED = "merged"
    CLOSED = "closed"
    NOT_BEGUN = "not_begun"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Parked:
    """Something that has no place in the plan as it is now: kept, readable, exportable; it returns when a later
    version brings its part back. `ref`, `step` and `key` say where it was, in the version `plan_digest`.

    One of `answer`, `evidence`, `approval`, `stage` (without its steps) and `decision` holds it, by `kind`; of a text
    (a finding, a reason to skip) `key` is the id. `type` and `meaning` (a digest) tell what question an answer was to,
    `workers` who worked on the stage that it stood in: they worked on wherever it returns to.
    """

    id: str
    kind: ParkedKind
    why: ParkedWhy
    plan_version: str
    plan_digest: str
    ref: StageRef | None
    step: str | None = None
    key: str = ""
    type: str = ""
    meaning: str = ""
    answer: AnswerMark | None = None
    evidence: EvidenceMark | None = None
    approval: Approval | None = None
    stage: StageInstance | None = None
    decision: DecisionTaken | None = None
    workers: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A run went from one version of its plan to another. `revision` and `undone_revision`: of the run, right after
    the move and right after its undoing, so that each event can be read with the words of its time."""

    id: str
    from_version: str
    from_digest: str
    to_version: str
    to_digest: str
    by: UserId
    at: datetime
    revision: int
    undone_by: UserId | None = None
    undone_at: datetime | None = None
    undone_revision: int | None = None


@dataclass(frozen=True, slots=True)
class MoveProposal:
    """Choices that wait for a manager, since the move touches an approval. `outcome`: digest of what they lead to."""

    id: str
    to_version: str
    to_digest: str
    outcome: str
    choices: Mapping[str, str]
    reasons: Mapping[str, TextId]
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """The run is shared with an adviser, who was asked something perhaps, to be answered before `wanted_by`."""

    adviser: UserId
    by: UserId
    at: datetime
    question: TextId | None = None
    wanted_by: date | None = None


class Followed(StrEnum):
    """What the team did with an advice."""

    WHOLLY = "wholly"
    PARTLY = "partly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Answered:
    """`reason` says why, whatever was done with the advice."""

    followed: Followed
    reason: TextId
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True)
class Advice:
    """Of an adviser, about one stage instance or (`ref` is None) the run as a whole. It is nobody's work on the stage.
    Of an answer that was given again, this is the last one."""

    id: str
    ref: StageRef | None
    text: TextId
    grounds: tuple[str, ...]
    by: UserId
    at: datetime
    answer: Answered | None = None


@dataclass(frozen=True)
class Run:
    """`revision` counts the events. `manager` is asked for decisions; others with the role may take them too."""

    id: str
    plan_id: str
    plan_version: str
    plan_digest: str
    revision: int = 0
    name: TextId = ""
    purpose: TextId = ""
    domains: tuple[str, ...] = ()
    team: tuple[UserId, ...] = ()
    manager: UserId | None = None
    started_by: UserId | None = None
    started_at: datetime | None = None
    stages: Mapping[StageRef, StageInstance] = field(default_factory=dict)
    decisions: tuple[DecisionTaken, ...] = ()
    parked: tuple[Parked, ...] = ()
    moves: tuple[Move, ...] = ()
    proposal: MoveProposal | None = None
    earlier_run: str | None = None
    shared: tuple[Shared, ...] = ()
    advice: tuple[Advice, ...] = ()

    @property
    def advisers(self) -> tuple[UserId, ...]:
        return tuple(each.adviser for each in self.shared)

    @property
    def last_move(self) -> Move | None:
        """The latest move that was not undone."""
        return next((move for move in reversed(self.moves) if move.undone_at is None), None)

    def instance(self, ref: StageRef) -> StageInstance | None:
        return self.stages.get(ref)

    def rounds(self, stage: str, domain: str | None = None) -> list[StageInstance]:
        """The rounds of a stage (in a domain) that exist, oldest first."""
        found = [i for ref, i in self.stages.items() if ref.stage == stage and ref.domain == domain]
        return sorted(found, key=lambda instance: instance.ref.round)

    def latest(self, stage: str, domain: str | None = None) -> StageInstance | None:
        rounds = self.rounds(stage, domain)
        return rounds[-1] if rounds else None

    def instances(self, stage: str) -> Iterator[StageInstance]:
        """All instances of a stage, whatever domain or round."""
        return (instance for ref, instance in self.stages.items() if ref.stage == stage)

    def decision(self, decision: str, domain: str | None) -> DecisionTaken | None:
        for taken in self.decisions:
            if taken.decision == decision and taken.domain == domain:
                return taken
        return None

    def with_instance(self, instance: StageInstance) -> Run:
        return replace(self, stages=MappingProxyType({**self.stages, instance.ref: instance}))
