"""What the pages about advice on a run show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from app.engine.definition import StepPlan
from app.engine.guards import NoSuchPart, not_in_team
from app.engine.run import Advice, Run, Shared, StageRef, UserId
from app.policy import Action, Role
from app.storage.marks import shared_mark
from app.storage.people import Person, members_with_role
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_stages
from app.storage.texts import read_texts_and_names
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class AdvicePage:
    """`asked`: how the run is shared with the caller, who is an adviser of it. Newest advice comes first."""

    header: RunHeader
    plan: StepPlan
    run: Run
    advice: tuple[Advice, ...]
    asked: Shared | None
    names: Mapping[UserId, str]
    texts: Mapping[str, str]
    may_share: bool
    may_answer: bool
    may_advise: bool

    @property
    def sharing_basis(self) -> str:
        """With whom it is shared and how, for the form that shares it: a mark per adviser."""
        return " ".join(self.sharing_marks.values())

    @property
    def sharing_marks(self) -> dict[UserId, str]:
        return {shared.adviser: shared_mark(self.run, shared.adviser) for shared in self.run.shared}

    @property
    def stages(self) -> list[StageRef]:
        """Of which somebody can advise: those that began, in the order of the plan."""
        order = {stage.id: number for number, stage in enumerate(self.plan.stages)}
        return sorted(self.run.stages, key=lambda ref: (order[ref.stage], ref.domain or "", ref.round))


def advice_page(session: Session, caller: Caller, run_id: str) -> AdvicePage:
    """Three queries.  Raises RunNotFound."""
    plan, run = load_stages(session, run_id)
    answers = [each.answer for each in run.advice if each.answer]
    texts, names = read_texts_and_names(
        session,
        [*(each.text for each in run.advice), *(a.reason for a in answers), *(s.question for s in run.shared)],
        [*(each.by for each in run.advice), *(a.by for a in answers), *run.advisers, *(s.by for s in run.shared)],
    )
    works = not any(not_in_team(run, caller.user_id))
    asked = next((shared for shared in run.shared if shared.adviser == caller.user_id), None)
    return AdvicePage(
        header=run_header(session, run_id),
        plan=plan,
        run=run,
        advice=tuple(reversed(run.advice)),
        asked=asked,
        names=names,
        texts=texts,
        may_share=caller.may(Action.SHARE_RUN) and works,
        may_answer=caller.may(Action.ANSWER_ADVICE) and works,
        may_advise=caller.may(Action.GIVE_ADVICE) and asked is not None,
    )


def advice_on(page: AdvicePage, advice: str) -> Advice:
    """Raises NoSuchPart."""
    for each in page.run.advice:
        if each.id == advice:
            return each
    raise NoSuchPart(advice)


def advisers(session: Session, run: Run) -> list[Person]:
    """Those with whom it can be shared: who works on the run does not advise on it."""
    return [
        person
        for person in members_with_role(session, Role.ADVISER)
        if person.id not in run.team and person.id != run.manager
    ]
