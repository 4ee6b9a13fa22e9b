"""What a property of a part of a plan says, in words: never a code such as `short_text` or `true`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from app.engine.definition import (
    Across,
    Column,
    Condition,
    Decision,
    DecisionRequired,
    Gate,
    Grade,
    Ground,
    Question,
    QuestionType,
    Reached,
    Round,
    Source,
    Stage,
    StageRequired,
    Step,
    StepPlan,
    Text,
)
from app.engine.run_migration.compare import PartKind
from app.policy import Role
from app.web.formats import Formats
from app.web.i18n import N_, Language, gettext_for
from app.web.render import ROLE_NAMES

TYPES: Final[Mapping[QuestionType, str]] = MappingProxyType(
    {
        QuestionType.SHORT_TEXT: N_("short text"),
        QuestionType.LONG_TEXT: N_("long text"),
        QuestionType.SINGLE_CHOICE: N_("one choice"),
        QuestionType.MULTIPLE_CHOICE: N_("one or more choices"),
        QuestionType.ASSESSMENT: N_("yes, partly or no, with explanation"),
        QuestionType.NUMBER: N_("a number"),
        QuestionType.DATE: N_("a date"),
        QuestionType.TABLE: N_("a table"),
    }
)
GRADES: Final[Mapping[Grade, str]] = MappingProxyType(
    {
        Grade.YES: N_("Yes, shown"),
        Grade.PARTLY: N_("Partly"),
        Grade.NO: N_("No, action planned"),
        Grade.NOT_APPLICABLE: N_("Not applicable"),
        Grade.UNKNOWN: N_("Unknown"),
    }
)
COMPLETE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "required_steps_completed": N_("the required steps are done"),
        "all_steps_completed": N_("all steps are done"),
        "checklist_answered": N_("the checklist is answered"),
    }
)
# (no, yes)
YES_OR_NO: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "required": (N_("not required"), N_("required")),
        "optional": (N_("cannot be skipped"), N_("may be skipped, with a reason")),
        "is_repeatable": (N_("one round"), N_("comes back in rounds")),
        "is_continuous": (N_("closed"), N_("stays open")),
        "link": (N_("no, a file only"), N_("counts too")),
        "crossing": (N_("about one ground"), N_("about several grounds at once")),
    }
)
_NUMBERS: Final = frozenset({"minimum", "maximum", "rows_min", "approvals"})

Part = Stage | Step | Question | Ground | Decision | StepPlan


class PlanValues:
    """Properties of the parts of one version, for people. `titles`: the language of titles within our own words, where
    the plan has it."""

    def __init__(self, plan: StepPlan, language: Language, *, titles: Language) -> None:
        self.plan, self.titles = plan, titles
        self._gettext = gettext_for(language).gettext
        self._number = Formats(language).number
        self._lists: Mapping[str, Callable[[Any], Iterable[str]]] = MappingProxyType(
            {
                "grounds": self._grounds,
                "roles": self._roles,
                "requires": self._requires,
                "advised_after": self._advised,
                "approvers": self._people,
                "of_which": self._of_which,
                "taken_by": self._people,
                "complete": self._complete,
            }
        )

    def value(self, kind: PartKind, path: str | None, name: str, given: str) -> tuple[str, bool]:
        """`given` in words, one line for each item of a list, and whether they are words of the plan (in Dutch)."""
        if name in YES_OR_NO:
            return self._gettext(YES_OR_NO[name][given == "true"]), False
        if name == "type":
            return self._gettext(TYPES[QuestionType(given)]), False
        part = self._part(kind, path)
        if kind is PartKind.GUIDANCE and isinstance(part, StepPlan):
            return "\n".join(self._of_plan(part, name, given)), True
        if name in _NUMBERS:
            return self._limit(part, name, given), False
        if isinstance(part, Question) and (words := self._of_question(part, path or "", name)) is not None:
            return words
        if name in self._lists:
            of = part.gate if isinstance(part, Stage) and kind is PartKind.GATE else part
            return "\n".join(self._lists[name](of)), name in ("grounds", "roles")
        return given, True

    def described(self, kind: PartKind, path: str | None) -> Iterator[tuple[str, str, bool]]:
        """Properties of a part that is shown for the first time, each as its name and what `value` gives."""
        match self._part(kind, path):
            case Question() as question if kind is PartKind.STATEMENT:
                yield "ground", *self.value(kind, path, "ground", question.ground or "")
            case Question() as question:
                yield "type", *self.value(kind, path, "type", question.type)
                yield "required", *self.value(kind, path, "required", _code(question.is_required))
                for name in ("options", "columns", "shown_when"):
                    if getattr(question, name):
                        yield name, *self.value(kind, path, name, "")
                if question.help:
                    yield "help", question.help.nl, True
            case Step() as step if kind is PartKind.STEP:
                yield "goal", step.goal.text.nl, True
                yield "required", *self.value(kind, path, "required", _code(step.is_required))
            case Stage() as stage:
                yield "goal", stage.goal.text.nl, True
                yield "optional", *self.value(kind, path, "optional", _code(stage.is_optional))
            case Decision() as decision:
                yield "explanation", decision.explanation.text.nl, True

    def title(self, path: str) -> Text:
        """What people know a stage, a step or a question by."""
        stage, *inner = path.split("/")
        if not inner:
            return self.plan.stage(stage).title
        step = self.plan.stage(stage).step(inner[0])
        return step.question(inner[1]).text if inner[1:] else step.title

    # --- parts

    def _part(self, kind: PartKind, path: str | None) -> Part | None:
        if path is None:
            return None
        match kind:
            case PartKind.GUIDANCE:
                return self.plan
            case PartKind.GROUND:
                return self.plan.grounds_by_id[path.partition(".")[2]]
            case PartKind.DECISION:
                return self.plan.decisions_by_id[path.partition(".")[2]]
            case PartKind.STAGE | PartKind.GATE:
                return self.plan.stage(path)
            case PartKind.STEP | PartKind.EVIDENCE:
                return self._step(path)
            case PartKind.QUESTION | PartKind.STATEMENT:
                step, _, question = path.rpartition("/")
                return self._step(step).question(question)

    def _step(self, path: str) -> Step:
        stage, _, step = path.partition("/")
        return self.plan.stage(stage).step(step)

    # --- questions

    def _of_question(self, question: Question, path: str, name: str) -> tuple[str, bool] | None:
        match name:
            case "options":
                return "\n".join(option.title.nl for option in question.options), True
            case "columns":
                return "\n".join(self._column(column) for column in question.columns), False
            case "shown_when":
                return self._condition(question.shown_when, self._step(path.rpartition("/")[0])), False
            case "ground":
                ground = self.plan.grounds_by_id.get(question.ground or "")
                return (ground.title.nl if ground else ""), True
            case "sources":
                return "\n".join(self._origin(question.sources, is_addition=question.is_addition)), False
            case _:
                return None

    def _column(self, column: Column) -> str:
        words = [self._gettext(TYPES[column.type])]
        if column.options:
            words[0] += f": {', '.join(option.title.in_language(self.titles) for option in column.options)}"
        if column.is_required:
            words.append(self._gettext(YES_OR_NO["required"][True]))
        return f"{column.title.in_language(self.titles)} ({', '.join(words)})"

    def _condition(self, condition: Condition | None, step: Step) -> str:
        if condition is None:
            return self._gettext(N_("always"))
        question = step.question(condition.question)
        words = {"question": question.text.in_language(self.titles)}
        if not condition.any_of:
            return self._gettext(N_("after an answer to “%(question)s”")) % words
        titles = {option.id: option.title.in_language(self.titles) for option in question.options}
        titles |= {grade.value: self._gettext(GRADES[grade]) for grade in Grade if not question.options}
        words["answers"] = self._or(f"“{titles.get(each, each)}”" for each in condition.any_of)
        return self._gettext(N_("after the answer %(answers)s to “%(question)s”")) % words

    def _limit(self, part: Part | None, name: str, given: str) -> str:
        """The number itself: what the comparison gives is shortened."""
        if not given:
            return self._gettext(N_("no limit"))
        number = getattr(part, name) if isinstance(part, Question) else int(given)
        return self._number(number)

    def _origin(self, sources: Iterable[str], *, is_addition: bool) -> Iterator[str]:
        yield from (_source(self.plan.sources_by_id[id]) for id in sources)
        if is_addition:
            yield self._gettext(N_("addition"))

    # --- lists

    def _grounds(self, stage: Stage) -> Iterator[str]:
        return (self.plan.grounds_by_id[id].title.nl for id in stage.grounds)

    def _roles(self, stage: Stage) -> Iterator[str]:
        titles = {role.id: role.title.nl for role in self.plan.roles}
        return (titles[id] for id in stage.roles)

    def _requires(self, part: Stage | Decision) -> Iterator[str]:
        return (self._or(map(self._needed, requirement.alternatives)) for requirement in part.requires)

    def _needed(self, needed: StageRequired | DecisionRequired) -> str:
        if isinstance(needed, DecisionRequired):
            title = self.plan.decisions_by_id[needed.decision].title.in_language(self.titles)
            return f"{self._gettext(N_('the decision'))} “{title}”"
        title = self.plan.stage(needed.stage).title.in_language(self.titles)
        words = [title, self._gettext(N_("(started)") if needed.reached is Reached.STARTED else N_("(approved)"))]
        if needed.round is Round.LATEST:
            words.append(self._gettext(N_("in the latest round")))
        if needed.across is Across.ALL:
            words.append(self._gettext(N_("in all domains")))
        return " ".join(words)

    def _advised(self, stage: Stage) -> Iterator[str]:
        for advice in stage.advised_after:
            title = self.plan.stage(advice.stage).title.in_language(self.titles)
            yield f"{title}: {advice.why.text.in_language(self.titles)}"

    def _people(self, part: Gate | Decision) -> Iterator[str]:
        roles = part.approvers if isinstance(part, Gate) else part.taken_by
        return (self._gettext(ROLE_NAMES[Role(role)]) for role in roles)

    def _of_which(self, gate: Gate) -> Iterator[str]:
        return (f"{self._gettext(ROLE_NAMES[Role(each.role)])}: {each.approvals}" for each in gate.of_which)

    def _complete(self, gate: Gate) -> Iterator[str]:
        return (self._gettext(COMPLETE[name]) for name in gate.complete)

    def _or(self, words: Iterable[str]) -> str:
        return f" {self._gettext(N_('or'))} ".join(words)

    # --- the plan as a whole

    def _of_plan(self, plan: StepPlan, name: str, given: str) -> Iterator[str]:
        match name:
            case "terms":
                return (f"{term.title.nl}: {term.meaning.text.nl}" for term in plan.terms)
            case "roles":
                return (f"{role.title.nl}: {role.task.text.nl}" for role in plan.roles)
            case "evidence_kinds":
                return (_explained(kind.title, kind.explanation) for kind in plan.evidence_kinds)
            case "domains":
                return (_explained(domain.title, domain.explanation) for domain in plan.domains)
            case "sources":
                return map(_source, plan.sources)
            case _:
                return iter((given,))


def _code(holds: bool) -> str:
    """As the comparison writes it."""
    return "true" if holds else "false"


def _explained(title: Text, explanation: Text | None) -> str:
    return f"{title.nl}: {explanation.nl}" if explanation else title.nl


def _source(source: Source) -> str:
    return f"{source.publisher}, {source.title}"
