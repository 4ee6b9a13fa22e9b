"""What differs between two moments of a stage instance, with the texts that its seals stand for.

The moments may be of different versions of the plan: what was is said in the words of its own version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from app.engine.definition import Question, Stage, Step, StepPlan, Text
from app.engine.points import PointState
from app.engine.run import Run, StageRef
from app.engine.seal import Difference, Manifest, PointDifference, differences, point_differences
from app.storage.answer_store import Answer
from app.storage.plans import UnknownPlan, load_plans
from app.web.shown import Shown, shown
from app.web.word_diff import Piece, word_diff


@dataclass(frozen=True, slots=True)
class Given:
    """An answer at one moment; `answer` is None when its text was erased since. `asked`: the question of then, where
    it has other words now."""

    answer: Shown | None
    asked: Text | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Of an answer (`question`) or of a piece of evidence (its title as `evidence`). An answer is None at a moment
    when there was none. `is_unknown`: the present version of the plan does not have this part."""

    step: Text
    question: Text | None
    evidence: str | None
    before: Given | None
    after: Given | None
    is_new: bool
    is_gone: bool
    is_unknown: bool = False
    pieces: tuple[Piece, ...] = ()

    @property
    def is_of_words(self) -> bool:
        """Whether both sides are texts, so that what differs can be shown word by word."""
        return bool(self.pieces)


@dataclass(frozen=True, slots=True)
class PointChange:
    """Of an open point: what each moment says of it. `text` is the id of its text. A state is None when it was not
    there."""

    id: str
    text: str
    before: PointState | None
    after: PointState | None
    owner: str
    due: date
    is_moved: bool
    """Whether it got another owner or date."""


def point_changes(before: Manifest, after: Manifest) -> tuple[PointChange, ...]:
    return tuple(_point_change(each) for each in point_differences(before, after))


def _point_change(each: PointDifference) -> PointChange:
    told = each.after or each.before
    assert told is not None
    was, now = each.before or told, each.after or told
    return PointChange(
        id=each.id,
        text=str(told["text"]),
        before=PointState(str(each.before["state"])) if each.before else None,
        after=PointState(str(each.after["state"])) if each.after else None,
        owner=str(now["owner"]),
        due=date.fromisoformat(str(now["due"])),
        is_moved=(was["owner"], was["due"]) != (now["owner"], now["due"]),
    )


def commitments_in(found: Iterable[Difference]) -> set[str]:
    """Of the answers, to look up their texts."""
    return {c for each in found if each.kind == "answers" for c in (each.before, each.after) if c}


def plans_of(session: Session, plan: StepPlan, manifests: Iterable[Mapping[str, object]]) -> dict[str, StepPlan]:
    """By digest: the versions that manifests name, and the present one. Asks nothing when they are all that one; a
    version that is not there is absent."""
    named = {str(content["plan"]["digest"]) for content in manifests} - {plan.digest}  # type: ignore[index]  # a manifest holds JSON
    try:
        others = load_plans(session, named) if named else {}
    except UnknownPlan:
        others = {}
    return {plan.digest: plan, **others}


def differences_since(run: Run, ref: StageRef, before: Manifest, after: Manifest) -> list[Difference]:
    """Without what only got another place when the run moved to another version. Manifests of one version are of one
    stage instance, or nothing can be said."""
    if before["stage"] != str(ref) and before["plan"]["digest"] == run.plan_digest:
        return []
    found = differences(before, after)
    gone = {each.before for each in found if each.after is None}
    new = {each.after for each in found if each.before is None}
    stayed = gone & new
    return [each for each in found if (each.before or each.after) not in stayed]


def stage_then(plans: Mapping[str, StepPlan], content: Manifest) -> Stage | None:
    """The stage as the version defined it that a manifest names."""
    plan = plans.get(content["plan"]["digest"])
    return plan.stages_by_id.get(StageRef.parse(content["stage"]).stage) if plan else None


def as_changes(
    then: Stage | None,
    now: Stage,
    found: Iterable[Difference],
    versions: Mapping[str, Answer],
    titles: Mapping[str, str],
) -> tuple[Change, ...]:
    """In the order of the stage, what it does not have any more last. `versions` by commitment, `titles` of evidence
    by id."""
    order = {step.id: number for number, step in enumerate(now.all_steps())}
    ordered = sorted(found, key=lambda difference: order.get(difference.step, len(order)))
    return tuple(_change(then, now, each, versions, titles) for each in ordered)


def _change(
    then: Stage | None, now: Stage, each: Difference, versions: Mapping[str, Answer], titles: Mapping[str, str]
) -> Change:
    step_then, step_now = _step(then, each.step), _step(now, each.step)
    is_answer = each.kind == "answers"
    asked_then = _question(step_then, each.key) if is_answer else None
    asked_now = _question(step_now, each.key) if is_answer else None
    asked = asked_now or asked_then
    step = step_now or step_then
    before = _given(asked_then or asked_now, asked_now, each.before, versions) if is_answer else None
    after = _given(asked_now or asked_then, asked_now, each.after, versions) if is_answer else None
    return Change(
        step=step.title if step else _readable(each.step),
        question=(asked.text if asked else _readable(each.key)) if is_answer else None,
        evidence=None if is_answer else titles.get(each.key, ""),
        before=before,
        after=after,
        is_new=each.before is None,
        is_gone=each.after is None,
        is_unknown=step_now is None or (is_answer and asked_now is None),
        pieces=_word_by_word(before, after),
    )


def _word_by_word(before: Given | None, after: Given | None) -> tuple[Piece, ...]:
    """For texts, and for the explanation with a grade; nothing to show for what is chosen from a list."""
    old, new = (words_of(given.answer) if given and given.answer else "" for given in (before, after))
    return word_diff(old, new) if old and new else ()


def words_of(answer: Shown) -> str:
    return answer.text or answer.reason


def _given(
    question: Question | None, present: Question | None, commitment: str | None, versions: Mapping[str, Answer]
) -> Given | None:
    if commitment is None:
        return None
    answer = versions.get(commitment)
    has_other_words = question is not None and present is not None and question.text != present.text
    return Given(
        answer=shown(question, answer.value) if question and answer else None,
        asked=question.text if question and has_other_words else None,
    )


def _step(stage: Stage | None, id: str) -> Step | None:
    return stage.steps_by_id.get(id) if stage else None


def _question(step: Step | None, id: str) -> Question | None:
    return next((question for question in step.questions if question.id == id), None) if step else None


def _readable(id: str) -> Text:
    return Text(id.replace("-", " ").capitalize())
