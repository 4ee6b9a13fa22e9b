"""What a report says, as values without any rule: page, PDF and CSV show the same ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from app.engine.answers import Value
from app.engine.definition import Question, Stage, Step, Text
from app.engine.progress import GroundProgress, Progress
from app.engine.run import Followed, StageRef, StepStatus
from app.engine.standing import StageState
from app.storage.answer_store import Answer


class AnswerLine(NamedTuple):
    """A question with its current answer; no answer is a line too. A question that another answer hides is listed
    only when it has an answer all the same. `is_proposal`: it came along from before, and nobody confirmed it yet."""

    question: Question
    answer: Answer | None
    by: str | None
    is_proposal: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """`set_aside`: the version to which it belongs, when it has no place in the present one."""

    id: str
    ref: StageRef
    step: str
    step_title: Text
    kind_title: Text
    form: str
    title: str
    source: str
    document_date: date | None
    confidentiality: str
    ground_titles: tuple[Text, ...]
    sha256: str | None
    bytes: int | None
    file_name: str | None
    url: str | None
    note: str | None
    added_by: str
    added_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    set_aside: str | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    step: Step
    status: StepStatus
    completed_by: str | None
    completed_at: datetime | None
    finding: str | None
    answers: tuple[AnswerLine, ...]
    evidence: tuple[EvidenceLine, ...]


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """A decision about a stage instance, or what was done about one. `kind`: approved, approved_with_conditions,
    sent_back, withdrawn, request_withdrawn, reopened, recused, recusal_taken_back, or point_… with what happened to an
    open point. `seal` is the digest (hex) of what was decided on; `version` of the plan, when it was an earlier one
    than the run has now; `on_behalf_of` and `ground` when a deputy decided."""

    kind: str
    ref: StageRef
    by: str
    at: datetime
    seal: str | None
    remarks: tuple[tuple[Text | None, str], ...]
    version: str | None = None
    on_behalf_of: str | None = None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceLine:
    """One round of a stage (in one domain)."""

    ref: StageRef
    stage: Stage
    domain_title: Text | None
    state: StageState
    progress: Progress
    is_current: bool
    started_by: str | None
    started_at: datetime | None
    early_reason: str | None
    skip_reason: str | None
    round_reason: str | None
    contributors: tuple[str, ...]
    decisions: tuple[ApprovalLine, ...]
    steps: tuple[StepLine, ...]
    checklist: StepLine | None

    @property
    def counted(self) -> str:
        """Parts done of all, for tables; nothing for a skipped stage, where nothing was done."""
        if self.state is StageState.SKIPPED:
            return ""
        return f"{self.progress.done}/{self.progress.total}"


@dataclass(frozen=True, slots=True)
class RoadLine:
    """A decision outside the stages that is in force."""

    title: Text
    domain_title: Text | None
    by: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """Advice of an adviser, and what the team did with it. Without `stage_title` it is about the whole run, or about a
    stage (in a domain) that is not in the present version. A text that was erased is None."""

    stage_title: Text | None
    domain_title: Text | None
    round: int
    is_of_earlier_version: bool
    by: str
    at: datetime
    text: str | None
    grounds: tuple[Text, ...]
    followed: Followed | None
    reason: str | None
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DomainLine:
    title: Text
    progress: Progress


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """Something that is not finished or not known; `kind`: step, checklist, unknown, sent_back, look_again, request, or
    condition and condition_reported for a condition of an approval, with its text, owner and date."""

    kind: str
    ref: StageRef
    stage_title: Text
    domain_title: Text | None
    what: Text | None
    n: int = 1
    text: str | None = None
    owner: str = ""
    due: date | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of the plan that the run went on with. `kind`: started, moved, or undone for going back to it."""

    kind: str
    version: str
    digest: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """Something that has no place in the present version, in the words of its own. `kind` and `why` are those of
    `ParkedKind` and `ParkedWhy`. An answer has its `question` and `value`, a decision a `title`, an approval a `seal`;
    `text` is the title of evidence, or what was written with it."""

    kind: str
    why: str
    version: str
    digest: str
    stage_title: Text | None
    domain_title: Text | None
    round: int
    step_title: Text | None
    title: Text | None = None
    question: Question | None = None
    value: Value = None
    text: str | None = None
    by: str | None = None
    at: datetime | None = None
    seal: str | None = None

    def with_(self, **values: Any) -> ParkedLine:
        return replace(self, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a report says of a run, whoever makes it. `revision` says after which event of the run this is, `on` that it
    is how the run stood at the end of that day."""

    run_id: str
    name: str
    purpose: str
    plan_title: Text
    plan_id: str
    plan_version: str
    plan_digest: str
    manager: str
    team: tuple[str, ...]
    started_by: str
    started_at: datetime
    revision: int
    progress: Progress
    stages: tuple[InstanceLine, ...]
    not_started: tuple[InstanceLine, ...]
    domains: tuple[DomainLine, ...]
    grounds: tuple[tuple[Text, GroundProgress], ...]
    roads: tuple[RoadLine, ...]
    evidence: tuple[EvidenceLine, ...]
    open_points: tuple[OpenPoint, ...]
    versions: tuple[VersionLine, ...] = ()
    parked: tuple[ParkedLine, ...] = ()
    advice: tuple[AdviceLine, ...] = ()
    on: date | None = None

    @property
    def approved_count(self) -> int:
        return sum(line.is_current and line.state in _APPROVED for line in self.stages)

    @property
    def skipped_count(self) -> int:
        return sum(line.is_current and line.state is StageState.SKIPPED for line in self.stages)

    @property
    def current_count(self) -> int:
        return sum(line.is_current for line in self.stages) + len(self.not_started)

    @property
    def evidence_in_force(self) -> int:
        return sum(line.withdrawn_at is None and line.set_aside is None for line in self.evidence)

    @property
    def blind_spots(self) -> int:
        return sum(progress.blind_spots for _, progress in self.grounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Contents):
    """As somebody made it for themselves, at that moment."""

    municipality: str
    made_by: str
    made_at: datetime

    @classmethod
    def of(cls, contents: Contents, *, municipality: str, by: str, at: datetime) -> Report:
        said = {field.name: getattr(contents, field.name) for field in fields(Contents)}
        return cls(**said, municipality=municipality, made_by=by, made_at=at)


_APPROVED = frozenset({StageState.APPROVED, StageState.CONTINUOUS})
