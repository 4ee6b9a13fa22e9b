"""What somebody sees who saved a step after somebody else changed the same answers: both texts, and a choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.definition import Question, StepPlan
from app.features.steps.content import StepContent
from app.features.steps.forms import CONFIRM_ALL, Keep, StepForm, basis_name, choice_name, confirm_name, fields_of
from app.features.steps.merging import Conflict
from app.features.steps.step_page import step_address
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.web.forms import FormState
from app.web.i18n import N_, Language, gettext_for
from app.web.shown import Shown, shown

CHOOSE = N_("Choose which text stays: “%(label)s”.")


@dataclass(frozen=True, slots=True)
class ConflictView:
    """`name` is the field of the choice; its values carry the commitment of the text that is shown here, so that a
    third person who saves meanwhile is noticed too."""

    question: Question
    name: str
    mine: Shown | None
    theirs: Shown | None
    by: str
    at: datetime
    options: tuple[tuple[Keep, str], ...]


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
        sentence = gettext_for(language).gettext(CHOOSE)
        labels = {view.name: view.question.text.in_language(language) for view in self.conflicts}
        return FormState(errors={name: sentence % {"label": label} for name, label in labels.items()})


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
    keeps = [Keep.MINE, Keep.THEIRS, *([Keep.BOTH] if conflict.both is not None else [])]
    return ConflictView(
        question=question,
        name=choice_name(question.id),
        mine=shown(question, conflict.mine),
        theirs=shown(question, theirs.value),
        by=by,
        at=theirs.saved_at,
        options=tuple((keep, f"{keep}.{theirs.commitment}") for keep in keeps),
    )


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
