"""What somebody sees who saved a step after somebody else changed the same answers: both texts, and a choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.answers import LONG_TEXT_MAX, SHORT_TEXT_MAX
from app.engine.definition import Question, QuestionType, StepPlan
from app.features.steps.content import StepContent
from app.features.steps.forms import (
    CONFIRM_ALL,
    Keep,
    StepForm,
    basis_name,
    choice_name,
    confirm_name,
    fields_of,
    together_name,
)
from app.features.steps.merging import Conflict
from app.features.steps.step_page import step_address
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.web.forms import SENTENCES, FormState
from app.web.i18n import N_, Language, gettext_for
from app.web.shown import Shown, shown

TEXT_MAX = {QuestionType.LONG_TEXT: LONG_TEXT_MAX, QuestionType.SHORT_TEXT: SHORT_TEXT_MAX}
CHOOSE = N_("Choose which text stays: “%(label)s”.")


@dataclass(frozen=True, slots=True)
class ConflictView:
    """`name` is the field of the choice; its values carry the commitment of the text that is shown here, so that a
    third person who saves meanwhile is noticed too. `together`: name and text of the field in which the two can be
    written together."""

    question: Question
    name: str
    mine: Shown | None
    theirs: Shown | None
    by: str
    at: datetime
    options: tuple[tuple[Keep, str], ...]
    together: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """`hidden` is everything that was typed, to be sent again with the choices."""

    header: RunHeader
    content: StepContent
    address: str
    stage_address: str
    act: str
    conflicts: tuple[ConflictView, ...]
    hidden: tuple[tuple[str, str], ...]
    is_again: bool

    @property
    def plan(self) -> StepPlan:
        return self.content.plan

    def form_state(self, language: Language) -> FormState:
        """At first nothing is wrong; who sends it without a choice is told where one is missing."""
        if not self.is_again:
            return FormState()
        texts = gettext_for(language)
        errors = {}
        for view in self.conflicts:
            name, sentence, room = view.name, CHOOSE, TEXT_MAX.get(view.question.type, 0)
            if view.together and len(view.together[1]) > room:
                name, sentence = view.together[0], SENTENCES["string_too_long"]
            label = view.question.text.in_language(language)
            errors[name] = texts.gettext(sentence) % {"label": label, "max_length": room}
        return FormState(errors=errors)


def conflict_page(
    session: Session, content: StepContent, form: StepForm, conflicts: tuple[Conflict, ...]
) -> ConflictPage:
    names = names_of(session, (conflict.theirs.saved_by for conflict in conflicts))
    return ConflictPage(
        header=run_header(session, content.run.id),
        content=content,
        address=step_address(content.run.id, content.ref, content.step.id),
        stage_address=f"/trajecten/{content.run.id}/fasen/{content.ref}",
        act=form.act,
        conflicts=tuple(_view(conflict, names[conflict.theirs.saved_by]) for conflict in conflicts),
        hidden=tuple(_hidden(content, form, {conflict.question.id for conflict in conflicts})),
        is_again=form.is_comparison,
    )


def _view(conflict: Conflict, by: str) -> ConflictView:
    question, theirs = conflict.question, conflict.theirs
    has_both = conflict.is_text or conflict.both is not None
    keeps = [Keep.MINE, Keep.THEIRS, *([Keep.BOTH] if has_both else [])]
    return ConflictView(
        question=question,
        name=choice_name(question.id),
        mine=shown(question, conflict.mine),
        theirs=shown(question, theirs.value),
        by=by,
        at=theirs.saved_at,
        options=tuple((keep, f"{keep}.{theirs.commitment}") for keep in keeps),
        together=(together_name(question.id), _together(conflict)) if conflict.is_text else None,
    )


def _together(conflict: Conflict) -> str:
    """To begin with: first what a colleague wrote, then one's own text."""
    if conflict.together is not None:
        return conflict.together
    between = "\n\n" if conflict.question.type is QuestionType.LONG_TEXT else " "
    return f"{conflict.theirs.value}{between}{conflict.mine}"


def _hidden(content: StepContent, form: StepForm, in_conflict: set[str]) -> Iterator[tuple[str, str]]:
    yield "based_on", str(form.based_on)
    yield "stappenplan", form.plan
    yield "vergelijken", "ja"
    if form.confirms_all:
        yield CONFIRM_ALL, "ja"
    for id in sorted(form.confirmed):
        yield confirm_name(id), "ja"
    for id, commitment in form.basis.items():
        yield basis_name(id), commitment
    for id, raw in form.raw.items():
        for name, values in fields_of(content.step.question(id), raw).items():
            yield from ((name, value) for value in values)
    for id, (keep, seen) in form.chosen.items():
        if id not in in_conflict:  # decided before; still holds as long as nobody saves again
            yield choice_name(id), f"{keep}.{seen}"
            if id in form.together:
                yield together_name(id), form.together[id]
