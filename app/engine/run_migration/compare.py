"""What is different between two versions of a plan, sorted by what it asks of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.engine.definition import (
    CHECKLIST,
    Decision,
    EvidenceDemand,
    Ground,
    Item,
    Question,
    Stage,
    Step,
    StepPlan,
    Text,
)
from app.engine.run_migration.changes import Change, ChangeClass, Difference, PartKind, What
from app.engine.run_migration.part_map import PartMap, QuestionPath, StepPath, earlier_paths, map_parts
from app.engine.run_migration.properties import (
    decide_again,
    demands,
    gate_differences,
    heaviest,
    helps,
    meant,
    question_differences,
    shown,
    wording,
)

__all__ = ["Change", "ChangeClass", "Comparison", "Difference", "PartKind", "What", "compare"]


@dataclass(frozen=True)
class Comparison:
    """From the first to the last of a row of versions: the map of parts, and the changes in the order of the plan."""

    plans: tuple[StepPlan, ...]
    parts: PartMap
    changes: tuple[Change, ...]

    @property
    def old(self) -> StepPlan:
        return self.plans[0]

    @property
    def new(self) -> StepPlan:
        return self.plans[-1]

    def counted(self) -> Mapping[ChangeClass, int]:
        return {each: sum(change.change_class is each for change in self.changes) for each in ChangeClass}


def compare(plans: Sequence[StepPlan]) -> Comparison:
    """Compares the first with the last; those between are the versions that the declarations pass through.

    A wording counts as cosmetic only when each version that changed it says so.  Raises ValueError for fewer than two.
    """
    if len(plans) < 2:
        raise ValueError("comparing takes two versions")
    maps = [map_parts(old, new) for old, new in pairwise(plans)]
    whole = maps[0]
    for following in maps[1:]:
        whole = whole.then(following)
    return Comparison(tuple(plans), whole, tuple(_Comparing(tuple(plans), maps, whole).all()))


# --- parts -----------------------------------------------------------------------------------------------------


class _Comparing:
    """The walk over both plans; holds what every part needs."""

    def __init__(self, plans: tuple[StepPlan, ...], maps: Sequence[PartMap], whole: PartMap) -> None:
        self.plans, self.maps, self.whole = plans, maps, whole
        self.old, self.new = plans[0], plans[-1]
        self.earlier = [earlier_paths(old, parts) for old, parts in zip(plans, maps, strict=False)]
        self.sources: dict[StepPath, list[StepPath]] = {}
        for before, afters in whole.steps.items():
            for after in afters:
                self.sources.setdefault(after, []).append(before)
        self.question_sources: dict[QuestionPath, list[QuestionPath]] = {}
        for question, target in whole.questions.items():
            self.question_sources.setdefault(target, []).append(question)

    def all(self) -> Iterator[Change]:
        yield from self._grounds()
        yield from self._decisions()
        for stage in self.new.stages:
            yield from self._stage(stage)
        for stage in self.old.stages:
            if stage.id not in self.whole.stages:
                yield from self._gone_stage(stage)
        yield from self._guidance()

    def _cosmetic(self, path: str) -> bool:
        """Whether each version that changed this part (a path in the newest) says that only words changed."""
        path_then = path
        for number in range(len(self.maps) - 1, -1, -1):
            new = self.plans[number + 1]
            changes = new.changes if new.changes and new.changes.since == self.plans[number].base[1] else None
            earlier = self.earlier[number].get(path_then)
            if earlier is None:
                return False
            is_declared = changes is not None and path_then in changes.cosmetic
            if not is_declared and _words_of(self.plans[number], earlier) != _words_of(new, path_then):
                return False
            path_then = earlier
        return True

    def _reason(self, before: str | None, after: str | None) -> Text | None:
        for plan in reversed(self.plans[1:]):
            reasons = plan.changes.reasons if plan.changes else {}
            for path in (after, before):
                if path is not None and path in reasons:
                    return reasons[path]
        return None

    def _change(
        self,
        kind: PartKind,
        what: What,
        before: str | None,
        after: str | None,
        title: Text,
        differences: Sequence[Difference] = (),
        *,
        change_class: ChangeClass | None = None,
    ) -> Change:
        weighed = heaviest(differences) if change_class is None else change_class
        reason = self._reason(before, after)
        return Change(kind, what, before, after, title, weighed, tuple(differences), reason)

    # --- outside the stages

    def _grounds(self) -> Iterator[Change]:
        olds, news = self.old.grounds_by_id, self.new.grounds_by_id
        for id, ground in news.items():
            path, earlier = f"grounds.{id}", olds.get(id)
            if earlier is None:
                again = ChangeClass.ANSWER_AGAIN
                yield self._change(PartKind.GROUND, What.ADDED, None, path, ground.title, change_class=again)
            elif found := list(self._ground_differences(earlier, ground, path)):
                yield self._change(PartKind.GROUND, What.CHANGED, path, path, ground.title, found)
        for id, ground in olds.items():
            if id not in news:
                yield self._change(PartKind.GROUND, What.REMOVED, f"grounds.{id}", None, ground.title)

    def _ground_differences(self, before: Ground, after: Ground, path: str) -> Iterator[Difference]:
        yield from wording("title", before.title, after.title, is_cosmetic=self._cosmetic(path))
        yield from helps("covers", before.covers, after.covers)
        yield from helps("questions", before.questions, after.questions)
        yield from helps("crossing", before.is_crossing, after.is_crossing)

    def _decisions(self) -> Iterator[Change]:
        earlier = {new: old for old, new in self.whole.decisions.items()}
        for id, decision in self.new.decisions_by_id.items():
            path = f"decisions.{id}"
            if id not in earlier:
                yield self._change(PartKind.DECISION, What.ADDED, None, path, decision.title)
                continue
            before = self.old.decisions_by_id[earlier[id]]
            found = list(self._decision_differences(before, decision, path))
            what = What.CHANGED if earlier[id] == id else What.MOVED
            if found or what is What.MOVED:
                yield self._change(PartKind.DECISION, what, f"decisions.{earlier[id]}", path, decision.title, found)
        for id, decision in self.old.decisions_by_id.items():
            if id not in self.whole.decisions:
                yield self._change(PartKind.DECISION, What.REMOVED, f"decisions.{id}", None, decision.title)

    def _decision_differences(self, before: Decision, after: Decision, path: str) -> Iterator[Difference]:
        cosmetic = self._cosmetic(path)
        for each in wording("title", before.title, after.title, is_cosmetic=cosmetic):
            yield decide_again(each)
        yield from helps("explanation", before.explanation, after.explanation)
        yield from helps("requires", before.requires, after.requires)
        for each in meant("taken_by", before.taken_by, after.taken_by):
            yield decide_again(each)

    # --- a stage

    def _stage(self, stage: Stage) -> Iterator[Change]:
        before_id = self.whole.earlier_stages.get(stage.id)
        if before_id is None:
            weight = ChangeClass.SAFE if stage.is_optional else ChangeClass.ANSWER_AGAIN
            yield self._change(PartKind.STAGE, What.ADDED, None, stage.id, stage.title, change_class=weight)
        else:
            before = self.old.stage(before_id)
            found = list(self._stage_differences(before, stage))
            what = What.CHANGED if before_id == stage.id else What.MOVED
            if found or what is What.MOVED:
                yield self._change(PartKind.STAGE, what, before_id, stage.id, stage.title, found)
            cosmetic = self._cosmetic(stage.id)
            if gate := list(gate_differences(before.gate, stage.gate, is_cosmetic=cosmetic)):
                title = stage.gate.question.text
                yield self._change(PartKind.GATE, What.CHANGED, before_id, stage.id, title, gate)
        for step in stage.all_steps():
            yield from self._step(stage, step, is_in_new_stage=before_id is None)
        if before_id is not None:
            for step in self.old.stage(before_id).all_steps():
                yield from self._gone(before_id, step)

    def _stage_differences(self, before: Stage, after: Stage) -> Iterator[Difference]:
        cosmetic = self._cosmetic(after.id)
        for name in ("title", "goal"):
            a, b = getattr(before, name), getattr(after, name)
            a, b = (a.text, b.text) if isinstance(a, Item) else (a, b)
            for each in wording(name, a, b, is_cosmetic=cosmetic):
                yield decide_again(each)
        for name in ("why", "gives", "grounds", "guiding_questions", "activities", "pitfalls", "tips", "roles"):
            yield from helps(name, getattr(before, name), getattr(after, name))
        for name in ("requires", "advised_after", "is_repeatable", "is_continuous"):
            yield from helps(name, getattr(before, name), getattr(after, name))
        # A stage that was skipped must be done after all.
        yield from meant("optional", before.is_optional, after.is_optional, is_looser=after.is_optional)

    def _gone_stage(self, stage: Stage) -> Iterator[Change]:
        """All that stands in it is gone with it; what went elsewhere is told there."""
        yield self._change(PartKind.STAGE, What.REMOVED, stage.id, None, stage.title)

    def _gone(self, stage: str, step: Step) -> Iterator[Change]:
        """A step that has no place any more, or questions of it that have none."""
        path = f"{stage}/{step.id}"
        if (stage, step.id) not in self.whole.steps:
            yield self._change(PartKind.STEP, What.REMOVED, path, None, step.title)
            return
        for question in step.questions:
            if (stage, step.id, question.id) not in self.whole.questions:
                kind = _kind(step)
                yield self._change(kind, What.REMOVED, f"{path}/{question.id}", None, question.text)
        kept = {
            demand.kind
            for after in self.whole.steps.get((stage, step.id), ())
            for demand in self.new.stage(after[0]).step(after[1]).evidence
        }
        for demand in step.evidence:
            if demand.kind not in kept:
                title = self.old.evidence_kinds_by_id[demand.kind].title
                yield self._change(PartKind.EVIDENCE, What.REMOVED, path, None, title)

    # --- a step

    def _step(self, stage: Stage, step: Step, *, is_in_new_stage: bool) -> Iterator[Change]:
        path = f"{stage.id}/{step.id}"
        sources = self.sources.get((stage.id, step.id), [])
        befores = [self.old.stage(s).step(id) for s, id in sources]
        if befores:
            yield from self._same_step(sources, befores, path, step)
        elif not is_in_new_stage:
            weight = ChangeClass.ANSWER_AGAIN if step.is_required else ChangeClass.SAFE
            yield self._change(PartKind.STEP, What.ADDED, None, path, step.title, change_class=weight)
        for question in step.questions:
            # What is new in a new step is told with the step.
            if befores or (stage.id, step.id, question.id) in self.question_sources:
                yield from self._question(stage.id, step, question)
        if befores:
            yield from self._evidence(befores, sources, path, step)

    def _same_step(
        self, sources: Sequence[StepPath], befores: Sequence[Step], path: str, step: Step
    ) -> Iterator[Change]:
        source = "/".join(sources[0])
        if len(sources) > 1:
            what = What.MERGED
            source = ", ".join("/".join(each) for each in sources)
        elif len(self.whole.steps[sources[0]]) > 1:
            what = What.SPLIT
        else:
            went_along = path == f"{self.whole.stages.get(sources[0][0])}/{sources[0][1]}"
            what = What.CHANGED if went_along else What.MOVED
        # Of merged steps the one that is closest: it asks something else only if it is like none of them.
        before = next((b for b in befores if _words(b) == _words(step)), befores[0])
        cosmetic = self._cosmetic(path)
        found = [*wording("title", before.title, step.title, is_cosmetic=cosmetic)]
        found += wording("goal", before.goal.text, step.goal.text, is_cosmetic=cosmetic)
        found += meant(
            "required", all(b.is_required for b in befores), step.is_required, is_looser=not step.is_required
        )
        for name in ("explanation", "examples", "pitfalls"):
            found += helps(name, tuple(i for b in befores for i in getattr(b, name)), getattr(step, name))
        if found or what is not What.CHANGED:
            yield self._change(PartKind.STEP, what, source, path, step.title, found)

    def _question(self, stage: str, step: Step, question: Question) -> Iterator[Change]:
        place = (stage, step.id, question.id)
        path, kind = "/".join(place), _kind(step)
        sources = self.question_sources.get(place, [])
        if not sources:
            weight = ChangeClass.ANSWER_AGAIN if question.is_required else ChangeClass.SAFE
            yield self._change(kind, What.ADDED, None, path, question.text, change_class=weight)
            return
        before = self._with_names_of_now(sources[0])
        found = list(question_differences(before, question, is_cosmetic=self._cosmetic(path)))
        if len(sources) > 1:
            # Several answers cannot be one without somebody looking at them.
            together = ", ".join("/".join(each) for each in sources)
            weight = max(ChangeClass.ANSWER_AGAIN, heaviest(found))
            yield self._change(kind, What.MERGED, together, path, question.text, found, change_class=weight)
            return
        what = What.CHANGED if self._moved_with_step(sources[0], place) else What.MOVED
        if found or what is What.MOVED:
            yield self._change(kind, what, "/".join(sources[0]), path, question.text, found)

    def _with_names_of_now(self, path: QuestionPath) -> Question:
        """An older question; what it looks at has its newer name, since another name alone is no other condition."""
        before = self.old.stage(path[0]).step(path[1]).question(path[2])
        if before.shown_when is None:
            return before
        target = self.whole.questions.get((path[0], path[1], before.shown_when.question))
        named = target[2] if target and target[:2] == self.whole.questions[path][:2] else before.shown_when.question
        return replace(before, shown_when=replace(before.shown_when, question=named))

    def _moved_with_step(self, before: QuestionPath, after: QuestionPath) -> bool:
        """Whether the question is where it was, or only has another path because its step has."""
        return before[2] == after[2] and self.whole.steps.get(before[:2]) == (after[:2],)

    def _evidence(
        self, befores: Sequence[Step], sources: Sequence[StepPath], path: str, step: Step
    ) -> Iterator[Change]:
        earlier: dict[str, EvidenceDemand] = {}
        for before in befores:
            for kind, demand in demands(before).items():
                if kind not in earlier or earlier[kind].minimum < demand.minimum:
                    earlier[kind] = demand
        for kind, demand in demands(step).items():
            title = self.new.evidence_kinds_by_id[kind].title
            source = "/".join(sources[0]) if sources else None
            if kind not in earlier:
                weight = ChangeClass.ANSWER_AGAIN
                yield self._change(PartKind.EVIDENCE, What.ADDED, None, path, title, change_class=weight)
                continue
            was = earlier[kind]
            found = list(meant("minimum", was.minimum, demand.minimum, is_looser=demand.minimum < was.minimum))
            found += meant("link", was.may_be_link, demand.may_be_link, is_looser=demand.may_be_link)
            found += helps("explanation", was.explanation, demand.explanation)
            if found:
                yield self._change(PartKind.EVIDENCE, What.CHANGED, source, path, title, found)

    # --- the rest

    def _guidance(self) -> Iterator[Change]:
        """Everything else that people read: title and purpose of the plan, words, roles, kinds, domains, sources."""
        found: list[Difference] = []
        for name in ("title", "purpose", "terms", "roles", "evidence_kinds", "domains", "sources"):
            before, after = getattr(self.old, name), getattr(self.new, name)
            if before != after:
                found.append(Difference(name, _named(before), _named(after), ChangeClass.SAFE))
        if found:
            yield self._change(PartKind.GUIDANCE, What.CHANGED, "", "", self.new.title, found)


def _named(value: object) -> str:
    if isinstance(value, tuple):
        return "\n".join(shown(getattr(each, "title", each)) for each in value)
    return shown(value)


def _words(step: Step) -> tuple[str, str]:
    return step.title.nl, step.goal.text.nl


def _kind(step: Step) -> PartKind:
    return PartKind.STATEMENT if step.id == CHECKLIST else PartKind.QUESTION


def _words_of(plan: StepPlan, path: str) -> object:
    """The words of a part that carry its meaning, to see whether a version changed them."""
    if path.startswith("grounds."):
        ground = plan.grounds_by_id.get(path.removeprefix("grounds."))
        return ground and ground.title.nl
    if path.startswith("decisions."):
        decision = plan.decisions_by_id.get(path.removeprefix("decisions."))
        return decision and decision.title.nl
    pieces = path.split("/")
    stage = plan.stage(pieces[0])
    if len(pieces) == 1:
        return stage.title.nl, stage.goal.text.nl, stage.gate.question.text.nl
    step = stage.step(pieces[1])
    if len(pieces) == 2:
        return _words(step)
    question = step.question(pieces[2])
    options = [o.title.nl for o in question.options]
    columns = [(c.title.nl, [o.title.nl for o in c.options]) for c in question.columns]
    return question.text.nl, options, columns
