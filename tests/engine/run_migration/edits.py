"""Newer versions of a plan as authors could make them: a row of edits, and what the author declares about them.

Beside the plan comes the truth about it: which part came from which, kept while editing. What the engine makes of the
declarations is compared with that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from app.engine.definition import (
    CHECKLIST,
    Column,
    Condition,
    Decision,
    DecisionRequired,
    Domain,
    EvidenceDemand,
    Ground,
    Item,
    Option,
    Question,
    QuestionType,
    Requirement,
    Stage,
    StageRequired,
    Statement,
    Step,
    StepPlan,
    Text,
)
from tests.builders import a_gate, a_question, a_stage, a_statement, a_step, an_item, text
from tests.engine.run_migration.moving import version

Path = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Edited:
    """A newer version and its truth: `origins` gives, for a stage, step or question of it, the older ones that it comes
    from; `decisions` goes from old to new. What has no origin is new, whatever its name."""

    old: StepPlan
    new: StepPlan
    origins: Mapping[Path, tuple[Path, ...]]
    decisions: Mapping[str, str]

    def __repr__(self) -> str:
        """Short: what the author said, in a report about what went wrong."""
        return f"{self.new.version}: {self.new.changes}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The same for Hypothesis, which would tell every field."""
        printer.text(repr(self))

    def heirs(self, path: Path) -> list[Path]:
        return [new for new, olds in self.origins.items() if path in olds]

    def is_cosmetic(self, path: str) -> bool:
        assert self.new.changes is not None
        return path in self.new.changes.cosmetic


@dataclass
class Editor:
    draw: st.DrawFn
    plan: StepPlan
    number: str
    fresh: int = 0
    origins: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    """From new to old."""
    reworded: set[str] = field(default_factory=set)
    meant: set[str] = field(default_factory=set)
    """Paths whose words were changed and got another meaning by that."""

    def __post_init__(self) -> None:
        self.old = self.plan
        self.origins = {path: (path,) for path in paths(self.plan)}
        self.decisions = {decision.id: decision.id for decision in self.plan.decisions}

    # --- help for the edits

    def new_id(self, kind: str) -> str:
        self.fresh += 1
        return f"{kind}-{self.number.replace('.', '')}-{self.fresh}"

    def one(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def coin(self) -> bool:
        return self.draw(st.booleans())

    def stage(self) -> Stage:
        return self.one(self.plan.stages)

    def step(self) -> tuple[Stage, Step] | None:
        found = [(stage, step) for stage in self.plan.stages for step in stage.steps]
        return self.one(found) if found else None

    def question(self) -> tuple[Stage, Step, Question] | None:
        found = [(a, b, question) for a in self.plan.stages for b in a.steps for question in b.questions]
        return self.one(found) if found else None

    def statement(self) -> tuple[Stage, Statement] | None:
        found = [(stage, statement) for stage in self.plan.stages for statement in stage.statements]
        return self.one(found) if found else None

    def set_stage(self, id: str, *stages: Stage) -> None:
        self.plan = replace(
            self.plan, stages=tuple(s for stage in self.plan.stages for s in (stages if stage.id == id else (stage,)))
        )

    def set_step(self, stage: str, id: str, *steps: Step) -> None:
        before = self.plan.stage(stage)
        after = tuple(s for step in before.steps for s in (steps if step.id == id else (step,)))
        self.set_stage(stage, replace(before, steps=after))

    def set_question(self, stage: str, step: str, id: str, *questions: Question) -> None:
        before = self.plan.stage(stage).step(step)
        after = tuple(q for question in before.questions for q in (questions if question.id == id else (question,)))
        self.set_step(stage, step, replace(before, questions=after))

    def set_statement(self, stage: str, id: str, *statements: Statement) -> None:
        before = self.plan.stage(stage)
        after = tuple(s for each in before.statements for s in (statements if each.id == id else (each,)))
        self.set_stage(stage, replace(before, statements=after))

    def below(self, path: Path) -> list[Path]:
        return [known for known in self.origins if known[: len(path)] == path]

    def forget(self, path: Path) -> None:
        for known in self.below(path):
            del self.origins[known]

    def removed_from(self, step: Path) -> set[str]:
        """Names of questions of the older version that were in this step, and of which nothing is left."""
        kept = {old for olds in self.origins.values() for old in olds}
        was_here = [path for path in paths(self.old) if path[:2] in self.origins.get(step, ()) and len(path) == 3]
        return {path[2] for path in was_here if path not in kept}

    def carry(self, path: Path, to: Path) -> None:
        """What came from somewhere still does, under another path; several may come together."""
        for known in self.below(path):
            target = to + known[len(path) :]
            self.origins[target] = tuple(dict.fromkeys((*self.origins.get(target, ()), *self.origins.pop(known))))

    def other_words(self, path: str, words: Text) -> Text:
        (self.reworded if self.coin() else self.meant).add(path)
        return replace(words, nl=f"{words.nl} ({self.new_id('anders')})")

    def other_item(self, path: str, item: Item) -> Item:
        return replace(item, text=self.other_words(path, item.text))

    # --- stages

    def add_stage(self) -> None:
        id = self.new_id("fase")
        earlier = self.stage().id
        stage = a_stage(
            id,
            a_step(self.new_id("stap"), a_question("q", is_required=self.coin())),
            requires=(Requirement((StageRequired(earlier),)),) if self.coin() else (),
            is_optional=self.coin(),
            is_per_domain=self.coin(),
        )
        self.plan = replace(self.plan, stages=(*self.plan.stages, stage))

    def remove_stage(self) -> None:
        if len(self.plan.stages) > 1:
            id = self.stage().id
            self.set_stage(id)
            self.forget((id,))

    def rename_stage(self) -> None:
        stage, id = self.stage(), self.new_id("fase")
        self.set_stage(stage.id, replace(stage, id=id))
        self.carry((stage.id,), (id,))
        self.rename_in_graph(
            lambda a: replace(a, stage=id) if isinstance(a, StageRequired) and a.stage == stage.id else a
        )
        self.plan = replace(
            self.plan,
            stages=tuple(
                replace(
                    s, advised_after=tuple(replace(a, stage=id) if a.stage == stage.id else a for a in s.advised_after)
                )
                for s in self.plan.stages
            ),
        )

    def rename_in_graph(self, named: Callable[[Any], Any]) -> None:
        def renamed(requires: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
            return tuple(Requirement(tuple(named(a) for a in requirement.alternatives)) for requirement in requires)

        self.plan = replace(
            self.plan,
            stages=tuple(replace(s, requires=renamed(s.requires)) for s in self.plan.stages),
            decisions=tuple(replace(d, requires=renamed(d.requires)) for d in self.plan.decisions),
        )

    def per_domain(self) -> None:
        """Work per domain is other work, and so is the other way round; back again would be no change."""
        stage = self.stage()
        if stage.id in self.old.stages_by_id and (stage.id,) not in self.origins:
            return
        self.set_stage(stage.id, replace(stage, is_per_domain=not stage.is_per_domain))
        self.forget((stage.id,))

    def reshape_stage(self) -> None:
        stage = self.stage()
        name = self.one(["is_optional", "is_repeatable", "is_continuous"])
        self.set_stage(stage.id, replace(stage, **{name: not getattr(stage, name)}))  # type: ignore[arg-type]

    def reword_stage(self) -> None:
        stage = self.stage()
        if self.coin():
            self.set_stage(stage.id, replace(stage, title=self.other_words(stage.id, stage.title)))
        else:
            self.set_stage(stage.id, replace(stage, goal=self.other_item(stage.id, stage.goal)))

    def regate(self) -> None:
        stage = self.stage()
        gate = stage.gate
        match self.one(["approvals", "complete", "approvers", "question", "explanation"]):
            case "approvals":
                gate = replace(gate, approvals=3 - gate.approvals)
            case "complete":
                gate = replace(gate, complete=("all_steps_completed",) if gate.complete else a_gate().complete)
            case "approvers":
                gate = replace(gate, approvers=("manager", "policy_officer")[: 1 + (len(gate.approvers) == 1)])
            case "question":
                gate = replace(gate, question=self.other_item(stage.id, gate.question))
            case _:
                gate = replace(gate, explanation=(an_item("Uitleg."),))
        self.set_stage(stage.id, replace(stage, gate=gate))

    # --- steps

    def add_step(self) -> None:
        stage, id = self.stage(), self.new_id("stap")
        questions = [a_question("q", is_required=self.coin())] if self.coin() else []
        demands = (EvidenceDemand("verslag"),) if self.coin() and self.has_kind("verslag") else ()
        step = a_step(id, *questions, is_required=self.coin(), evidence=demands)
        self.set_stage(stage.id, replace(stage, steps=(*stage.steps, step)))

    def has_kind(self, kind: str) -> bool:
        return kind in self.plan.evidence_kinds_by_id

    def remove_step(self) -> None:
        if (found := self.step()) and len(found[0].steps) > 1:
            stage, step = found
            self.set_step(stage.id, step.id)
            self.forget((stage.id, step.id))

    def rename_step(self) -> None:
        if found := self.step():
            (stage, step), id = found, self.new_id("stap")
            self.set_step(stage.id, step.id, replace(step, id=id))
            self.carry((stage.id, step.id), (stage.id, id))

    def move_step(self) -> None:
        """Only between stages that both work per domain, or both do not."""
        found, to = self.step(), self.stage()
        if found is None or to.id == found[0].id or to.is_per_domain != found[0].is_per_domain:
            return
        (stage, step), id = found, self.new_id("stap")
        if len(stage.steps) > 1:
            self.set_step(stage.id, step.id)
            to = self.plan.stage(to.id)
            self.set_stage(to.id, replace(to, steps=(*to.steps, replace(step, id=id))))
            self.carry((stage.id, step.id), (to.id, id))

    def split_step(self) -> None:
        """Its questions and demands over two steps; a condition on a question that is elsewhere is gone."""
        if not (found := self.step()):
            return
        (stage, step), id = found, self.new_id("deel")
        at, cut = self.draw(st.integers(0, len(step.questions))), self.draw(st.integers(0, len(step.evidence)))
        first = replace(step, questions=step.questions[:at], evidence=step.evidence[:cut])
        second = replace(step, id=id, questions=step.questions[at:], evidence=step.evidence[cut:])
        if self.coin():
            second = replace(second, title=self.other_words(f"{stage.id}/{id}", second.title))
        self.set_step(stage.id, step.id, first, second)
        self.origins[stage.id, id] = self.origins.get((stage.id, step.id), ())
        for question in second.questions:
            self.carry((stage.id, step.id, question.id), (stage.id, id, question.id))

    def merge_steps(self) -> None:
        """The second goes up in the first; questions of the same name become one, in the first one's words. That one of
        them was removed before could not be seen: it would have come back by its name."""
        one, two = self.step(), self.step()
        if one is None or two is None or one[0].is_per_domain != two[0].is_per_domain:
            return
        (stage, step), (from_stage, gone) = one, two
        if (stage.id, step.id) == (from_stage.id, gone.id) or len(from_stage.steps) == 1:
            return
        removed = self.removed_from((stage.id, step.id)) | self.removed_from((from_stage.id, gone.id))
        if removed & {question.id for question in (*step.questions, *gone.questions)}:
            return
        known = {question.id for question in step.questions}
        kinds = {demand.kind for demand in step.evidence}
        whole = replace(
            step,
            questions=(*step.questions, *(q for q in gone.questions if q.id not in known)),
            evidence=(*step.evidence, *(d for d in gone.evidence if d.kind not in kinds)),
            is_required=step.is_required or self.coin(),
        )
        self.set_step(stage.id, step.id, whole)
        self.set_step(from_stage.id, gone.id)
        self.carry((from_stage.id, gone.id), (stage.id, step.id))

    def reshape_step(self) -> None:
        if found := self.step():
            stage, step = found
            path = f"{stage.id}/{step.id}"
            match self.one(["required", "title", "goal", "help"]):
                case "required":
                    step = replace(step, is_required=not step.is_required)
                case "title":
                    step = replace(step, title=self.other_words(path, step.title))
                case "goal":
                    step = replace(step, goal=self.other_item(path, step.goal))
                case _:
                    step = replace(step, pitfalls=(an_item("Pas op."),))
            self.set_step(stage.id, step.id, step)

    def other_evidence(self) -> None:
        if not (found := self.step()):
            return
        stage, step = found
        kinds = [demand.kind for demand in step.evidence]
        unused = [kind.id for kind in self.plan.evidence_kinds if kind.id not in kinds]
        match self.one(["add", "remove", "minimum", "link"]):
            case "add" if unused:
                step = replace(step, evidence=(*step.evidence, EvidenceDemand(self.one(unused))))
            case "remove" if kinds:
                step = replace(step, evidence=step.evidence[1:])
            case "minimum" if kinds:
                changed = replace(step.evidence[0], minimum=self.draw(st.integers(1, 3)))
                step = replace(step, evidence=(changed, *step.evidence[1:]))
            case "link" if kinds:
                changed = replace(step.evidence[0], may_be_link=not step.evidence[0].may_be_link)
                step = replace(step, evidence=(changed, *step.evidence[1:]))
            case _:
                pass
        self.set_step(stage.id, step.id, step)

    # --- questions

    def add_question(self) -> None:
        if found := self.step():
            stage, step = found
            type = self.one([QuestionType.SHORT_TEXT, QuestionType.DATE, QuestionType.ASSESSMENT])
            added = a_question(self.new_id("q"), type, is_required=self.coin())
            self.set_step(stage.id, step.id, replace(step, questions=(*step.questions, added)))

    def remove_question(self) -> None:
        if found := self.question():
            stage, step, question = found
            self.set_question(stage.id, step.id, question.id)
            self.forget((stage.id, step.id, question.id))

    def rename_question(self) -> None:
        if found := self.question():
            (stage, step, question), id = found, self.new_id("q")
            self.set_question(stage.id, step.id, question.id, replace(question, id=id))
            self.carry((stage.id, step.id, question.id), (stage.id, step.id, id))
            for other in self.plan.stage(stage.id).step(step.id).questions:
                if other.shown_when and other.shown_when.question == question.id:
                    renamed = replace(other, shown_when=replace(other.shown_when, question=id))
                    self.set_question(stage.id, step.id, other.id, renamed)

    def move_question(self) -> None:
        found, to = self.question(), self.step()
        if found is None or to is None or to[0].is_per_domain != found[0].is_per_domain:
            return
        (stage, step, question), id = found, self.new_id("q")
        if (stage.id, step.id) == (to[0].id, to[1].id):
            return
        self.set_question(stage.id, step.id, question.id)
        target = self.plan.stage(to[0].id).step(to[1].id)
        arrived = replace(question, id=id, shown_when=None)
        self.set_step(to[0].id, target.id, replace(target, questions=(*target.questions, arrived)))
        self.carry((stage.id, step.id, question.id), (to[0].id, target.id, id))

    def merge_questions(self) -> None:
        found, into = self.question(), self.question()
        if found is None or into is None or found[0].is_per_domain != into[0].is_per_domain:
            return
        (stage, step, question), (to, at, kept) = found, into
        if (stage.id, step.id, question.id) != (to.id, at.id, kept.id):
            self.set_question(stage.id, step.id, question.id)
            self.carry((stage.id, step.id, question.id), (to.id, at.id, kept.id))

    def reshape_question(self) -> None:
        if found := self.question():
            stage, step, question = found
            path = f"{stage.id}/{step.id}/{question.id}"
            self.set_question(stage.id, step.id, question.id, self.reshaped(path, step, question))

    def reshaped(self, path: str, step: Step, question: Question) -> Question:
        match self.one(
            ["text", "type", "required", "options", "rows", "limits", "unit", "condition", "help", "ground"]
        ):
            case "text":
                return replace(question, text=self.other_words(path, question.text))
            case "type":
                type = self.one([QuestionType.SHORT_TEXT, QuestionType.LONG_TEXT, QuestionType.NUMBER])
                return replace(question, type=type, options=(), columns=(), rows_min=0)
            case "required":
                return replace(question, is_required=not question.is_required)
            case "options" if question.options:
                return self.other_options(path, question)
            case "options" if question.columns:
                return self.other_columns(path, question)
            case "rows" if question.type is QuestionType.TABLE:
                return replace(question, rows_min=self.draw(st.integers(0, 3)))
            case "limits" if question.type is QuestionType.NUMBER:
                return replace(question, minimum=self.one([None, 0, 1]), maximum=self.one([None, 10, 20]))
            case "unit" if question.type is QuestionType.NUMBER:
                return replace(question, unit=text(self.new_id("eenheid")))
            case "condition":
                earlier = step.questions[: step.questions.index(question)]
                return replace(
                    question, shown_when=Condition(self.one(earlier).id) if earlier and self.coin() else None
                )
            case "ground":
                return replace(question, ground=self.one([None, *(ground.id for ground in self.plan.grounds)]))
            case _:
                return replace(question, help=text(self.new_id("hulp")))

    def other_options(self, path: str, question: Question) -> Question:
        match self.one(["add", "remove", "words"]):
            case "add":
                added = Option(self.new_id("optie"), text("Nieuw"))
                return replace(question, options=(*question.options, added))
            case "remove" if len(question.options) > 2:
                return replace(question, options=question.options[1:])
            case _:
                first = question.options[0]
                first = replace(first, title=self.other_words(path, first.title))
                return replace(question, options=(first, *question.options[1:]))

    def other_columns(self, path: str, question: Question) -> Question:
        first, *others = question.columns
        match self.one(["add", "remove", "words", "required"]):
            case "add":
                others.append(Column(self.new_id("kolom"), text("Nieuw"), QuestionType.SHORT_TEXT))
            case "remove":
                others = others[:-1]
            case "words":
                first = replace(first, title=self.other_words(path, first.title))
            case _:
                first = replace(first, is_required=not first.is_required)
        return replace(question, columns=(first, *others))

    # --- the checklist

    def add_statement(self) -> None:
        if self.plan.grounds:
            stage, ground = self.stage(), self.one(self.plan.grounds).id
            added = a_statement(self.new_id("st"), ground)
            self.set_stage(stage.id, replace(stage, statements=(*stage.statements, added)))

    def remove_statement(self) -> None:
        if found := self.statement():
            self.set_statement(found[0].id, found[1].id)
            self.forget((found[0].id, CHECKLIST, found[1].id))

    def rename_statement(self) -> None:
        if found := self.statement():
            (stage, statement), id = found, self.new_id("st")
            self.set_statement(stage.id, statement.id, replace(statement, id=id))
            self.carry((stage.id, CHECKLIST, statement.id), (stage.id, CHECKLIST, id))

    def reword_statement(self) -> None:
        if found := self.statement():
            stage, statement = found
            words = self.other_words(f"{stage.id}/{CHECKLIST}/{statement.id}", statement.text)
            self.set_statement(stage.id, statement.id, replace(statement, text=words))

    def move_statement(self) -> None:
        found, to = self.statement(), self.stage()
        if found is None or to.id == found[0].id or to.is_per_domain != found[0].is_per_domain:
            return
        (stage, statement), id = found, self.new_id("st")
        self.set_statement(stage.id, statement.id)
        to = self.plan.stage(to.id)
        self.set_stage(to.id, replace(to, statements=(*to.statements, replace(statement, id=id))))
        self.carry((stage.id, CHECKLIST, statement.id), (to.id, CHECKLIST, id))

    # --- the rest

    def other_ground(self) -> None:
        if self.plan.grounds and self.coin():
            ground = self.one(self.plan.grounds)
            after = replace(ground, title=self.other_words(f"grounds.{ground.id}", ground.title))
            self.plan = replace(self.plan, grounds=tuple(after if g is ground else g for g in self.plan.grounds))
        else:
            self.plan = replace(self.plan, grounds=(*self.plan.grounds, Ground(self.new_id("grond"), text("Nieuw"))))

    def other_domains(self) -> None:
        if len(self.plan.domains) > 1 and self.coin():
            self.plan = replace(self.plan, domains=self.plan.domains[1:])
        else:
            self.plan = replace(self.plan, domains=(*self.plan.domains, Domain(self.new_id("domein"), text("Nieuw"))))

    def remove_evidence_kind(self) -> None:
        if len(self.plan.evidence_kinds) > 1:
            self.plan = replace(self.plan, evidence_kinds=self.plan.evidence_kinds[1:])

    def other_decision(self) -> None:
        if not self.plan.decisions:
            return
        decision = self.one(self.plan.decisions)
        after: Decision | None = decision
        match self.one(["remove", "rename", "title", "domain", "roles"]):
            case "remove":
                after = None
                self.decisions.pop(decision.id, None)
            case "rename":
                after = replace(decision, id=self.new_id("besluit"))
                if decision.id in self.decisions:
                    self.decisions[after.id] = self.decisions.pop(decision.id)
                id = after.id

                def named(a: Any) -> Any:
                    return (
                        replace(a, decision=id) if isinstance(a, DecisionRequired) and a.decision == decision.id else a
                    )

                self.rename_in_graph(named)
                decision = self.plan.decisions_by_id[decision.id]
                after = replace(decision, id=id)
            case "title":
                after = replace(decision, title=self.other_words(f"decisions.{decision.id}", decision.title))
            case "domain" if decision.id in self.decisions:
                after = replace(decision, is_per_domain=not decision.is_per_domain)
                self.decisions.pop(decision.id, None)
            case _:
                after = replace(decision, taken_by=("manager", "policy_officer"))
        kept = tuple(after if d is decision else d for d in self.plan.decisions)
        self.plan = replace(self.plan, decisions=tuple(d for d in kept if d is not None))

    # --- the result

    def edited(self) -> Edited:
        self.plan = sound(self.plan)
        now = set(paths(self.plan))
        self.origins = {path: olds for path, olds in self.origins.items() if path in now and olds}
        plan = version(
            self.plan,
            self.number,
            since=self.old.version,
            moved=[*self._declared()],
            cosmetic=self.reworded - self.meant,
        )
        return Edited(self.old, plan, self.origins, {old: new for new, old in self.decisions.items()})

    def _declared(self) -> Iterator[tuple[str, str]]:
        """What a comparison by id cannot see."""
        stages = {olds[0][0]: new[0] for new, olds in self.origins.items() if len(new) == 1}
        steps: dict[Path, list[Path]] = {}
        for new, olds in self.origins.items():
            if len(new) == 2:
                for old in olds:
                    steps.setdefault(old, []).append(new)
        for new, olds in self.origins.items():
            for old in olds:
                if len(olds) > 1 or self._implied(old, stages, steps) != new:
                    yield "/".join(old), "/".join(new)
        for now, before in self.decisions.items():
            if now != before:
                yield f"decisions.{before}", f"decisions.{now}"

    def _implied(self, old: Path, stages: Mapping[str, str], steps: Mapping[Path, Sequence[Path]]) -> Path | None:
        """Where a part would be found without any word about itself."""
        match len(old):
            case 1:
                return old
            case 2:
                return (stages.get(old[0], ""), old[1]) if len(steps[old]) == 1 else None
            case _:
                found = ((*step, old[2]) for step in steps.get(old[:2], ()))
                return next((path for path in found if path in self.origins), None)


def paths(plan: StepPlan) -> Iterator[Path]:
    for stage in plan.stages:
        yield (stage.id,)
        for step in stage.all_steps():
            yield stage.id, step.id
            for question in step.questions:
                yield stage.id, step.id, question.id


def sound(plan: StepPlan) -> StepPlan:
    """Without what refers to something that is not there (any more)."""
    stages = {stage.id for stage in plan.stages}
    decisions = {decision.id for decision in plan.decisions}
    kinds, grounds = {kind.id for kind in plan.evidence_kinds}, {ground.id for ground in plan.grounds}

    def requires(all_of: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
        kept = (
            tuple(
                a
                for a in r.alternatives
                if (a.stage in stages if isinstance(a, StageRequired) else a.decision in decisions)
            )
            for r in all_of
        )
        return tuple(Requirement(alternatives) for alternatives in kept if alternatives)

    def question(step: Step, q: Question) -> Question:
        ground = q.ground if q.ground in grounds else None
        return replace(q, ground=ground, shown_when=q.shown_when if has_condition(step, q) else None)

    def has_condition(step: Step, q: Question) -> bool:
        earlier = {other.id: other for other in step.questions[: step.questions.index(q)]}
        if q.shown_when is None or q.shown_when.question not in earlier:
            return False
        asked = earlier[q.shown_when.question]
        if not q.shown_when.any_of or asked.type is QuestionType.ASSESSMENT:
            return True
        return set(q.shown_when.any_of) <= {option.id for option in asked.options}

    def step(s: Step) -> Step:
        evidence = tuple(demand for demand in s.evidence if demand.kind in kinds)
        return replace(s, evidence=evidence, questions=tuple(question(s, q) for q in s.questions))

    return replace(
        plan,
        decisions=tuple(replace(d, requires=requires(d.requires)) for d in plan.decisions),
        stages=tuple(
            replace(
                s,
                steps=tuple(map(step, s.steps)),
                statements=tuple(each for each in s.statements if each.ground in grounds),
                requires=requires(s.requires),
                advised_after=tuple(a for a in s.advised_after if a.stage in stages),
            )
            for s in plan.stages
        ),
    )


RESHAPING = (
    Editor.add_stage,
    Editor.remove_stage,
    Editor.per_domain,
    Editor.reshape_stage,
    Editor.reword_stage,
    Editor.regate,
    Editor.add_step,
    Editor.remove_step,
    Editor.reshape_step,
    Editor.other_evidence,
    Editor.add_question,
    Editor.remove_question,
    Editor.reshape_question,
    Editor.reshape_question,
    Editor.add_statement,
    Editor.remove_statement,
    Editor.reword_statement,
    Editor.merge_questions,
    Editor.other_ground,
    Editor.other_domains,
    Editor.remove_evidence_kind,
    Editor.other_decision,
)
REARRANGING = (
    Editor.rename_stage,
    Editor.rename_step,
    Editor.move_step,
    Editor.split_step,
    Editor.merge_steps,
    Editor.rename_question,
    Editor.move_question,
    Editor.rename_statement,
    Editor.move_statement,
)
"""Edits after which everything is still asked, somewhere."""


@st.composite
def edits(
    draw: st.DrawFn, plan: StepPlan, number: str, among: Sequence[Callable[[Editor], None]] = (*RESHAPING, *REARRANGING)
) -> Edited:
    editor = Editor(draw, plan, number)
    for edit in draw(st.lists(st.sampled_from(among), min_size=1, max_size=6)):
        edit(editor)
    return editor.edited()
