"""A sentence for every reason why something cannot be done: codes of the engine to what the visitor reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from app.engine.definition import StepPlan, Text
from app.engine.errors import Reason
from app.engine.run import StageRef
from app.web.i18n import N_, Language, gettext_for

# %(stage)s, %(step)s, %(question)s, %(domain)s and %(kind)s are titles from the plan; %(needed)s is the list of
# stages and decisions that the reason names; the rest are its own params.
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # the graph
        "needs_stage_approved": N_("First %(needed)s must be approved."),
        "needs_stage_started": N_("First %(needed)s must be started."),
        "needs_decision": N_("First this decision must be taken: %(needed)s."),
        "needs_one_of": N_("First one of these must be done: %(needed)s."),
        "already_started": N_("%(stage)s has been started already. Open it in the list of stages."),
        "not_repeatable": N_("%(stage)s has one round only."),
        "previous_round_open": N_("The earlier round of %(stage)s is not finished yet. Finish that one first."),
        "early_start_needs_reason": N_("It is wise to finish %(needed)s first. Write why you start earlier."),
        "round_needs_reason": N_("Write why there is a new round."),
        "not_optional": N_("%(stage)s cannot be skipped."),
        "cannot_skip_now": N_("%(stage)s can only be skipped while it is open and not approved."),
        "not_skipped": N_("%(stage)s was not skipped, so there is nothing to undo."),
        "later_round_exists": N_("There is a later round of %(stage)s. Work in that one."),
        # the run
        "run_name_missing": N_("Give the policy a name."),
        "run_purpose_missing": N_("Write what the policy is for."),
        "domain_not_chosen": N_("The domain %(domain)s does not belong to this trajectory. Add it first."),
        "domain_unknown": N_("The step plan does not know the domain %(domain)s. Choose one from the list."),
        "domain_needed": N_("Choose at least one domain."),
        "domain_in_use": N_("The domain %(domain)s stays: work was done or a decision was taken in it."),
        "team_empty": N_("Choose at least one team member."),
        # people
        "not_in_team": N_("You are not in the team of this trajectory. Ask the team to add you."),
        "approver_did_the_work": N_("You worked on %(stage)s yourself. Somebody else must decide."),
        "approver_lacks_role": N_("Your role may not decide about %(stage)s. Ask a manager."),
        "already_approved_by_you": N_("You agreed already. Somebody else must decide too."),
        "already_approved_for_you": N_("Your deputy agreed in your name already. Somebody else must decide too."),
        "already_approved_in_that_name": N_(
            "There is an approval of this manager already. Somebody else must decide too."
        ),
        "approver_recused": N_("You said that you take no part in the decision about %(stage)s."),
        "mandate_not_for_this": N_("Your mandate is not for this trajectory: somebody else is its manager."),
        "mandate_not_in_force": N_("Your mandate is not in force now."),
        "deputy_chose_mandator": N_(
            "You made the absent manager the manager of this trajectory when you were recorded as deputy already. "
            "Somebody else must decide."
        ),
        "mandator_lacks_role": N_("The manager in whose name you act may not decide about %(stage)s either."),
        "mandator_did_the_work": N_(
            "The manager in whose name you act worked on %(stage)s. A mandate gives no more than that manager could do."
        ),
        "mandator_recused": N_(
            "The manager in whose name you act takes no part in the decision about %(stage)s. A mandate gives no more "
            "than that manager could do."
        ),
        "already_recused": N_("You said already that you take no part in this."),
        "nothing_to_recuse_from": N_("There is nothing to decide about %(stage)s now."),
        "not_recused": N_("You did not say that you take no part in this, or you took it back already."),
        "decided_since_recusal": N_("A decision has been taken since. You cannot take this back any more."),
        "decider_lacks_role": N_("Your role may not take this decision. Ask a manager."),
        "not_shared": N_("This trajectory is not shared with you (any more)."),
        "adviser_in_team": N_("Who works on this trajectory does not advise on it. Choose somebody else."),
        "advice_missing": N_("Write your advice."),
        # a step
        "not_started": N_("%(stage)s has not been started yet. Start it first."),
        "stage_skipped": N_("%(stage)s was skipped. Undo that first."),
        "stage_approved": N_("%(stage)s is approved and closed. Start a new round or have the approval withdrawn."),
        "reopen_first": N_("%(stage)s is approved. Say on its page why you go on, then you can change it."),
        "answer_missing": N_("Still to answer: %(question)s"),
        "answer_incomplete": N_("This answer lacks something, such as the explanation: %(question)s"),
        "answer_unconfirmed": N_("This answer is from before. Confirm it or change it: %(question)s"),
        "evidence_missing": N_("Evidence is missing: %(kind)s (%(present)s of %(required)s)."),
        "already_withdrawn": N_("This evidence was withdrawn already."),
        # the gate
        "step_open": N_("Step not done yet: %(step)s"),
        "checklist_open": N_("Statements of the checklist without an answer: %(n)s."),
        "already_requested": N_("Approval of %(stage)s has been asked already."),
        "nothing_to_request": N_("%(stage)s is not open, so approval cannot be asked."),
        "nothing_requested": N_("Nobody asked for approval of %(stage)s, or the request was withdrawn."),
        "not_approved": N_("%(stage)s is not approved, so there is no approval to withdraw."),
        "finding_missing": N_("Write at least one reason: which step must be looked at again, and why?"),
        "reason_missing": N_("Write the reason. Others must be able to understand this later."),
        # open points
        "owner_not_in_team": N_("Choose somebody of the team who sees to the condition."),
        "due_in_the_past": N_("Choose a date that is not over yet."),
        "point_not_open": N_("This point is not open, so this cannot be done now."),
        "point_not_reported": N_("The owner did not report this point as done, so there is nothing to accept."),
        "not_owner_of_point": N_("Only the owner of a point reports it as done."),
        "remark_missing": N_("Write what was done. Who decides must be able to see it."),
        "nothing_changed": N_("Choose another owner or another date."),
        # another version of the step plan
        "move_to_same_version": N_("There is no newer version that this trajectory can go on with."),
        "move_while_requested": N_(
            "Approval of %(stage)s has been asked. Wait for the decision, or withdraw the request."
        ),
        "move_needs_manager": N_("An approval is touched, so a manager must confirm this."),
        "move_not_proposed": N_("There is no proposal of the team for this version. The team makes one first."),
        "move_proposed_by_you": N_("You made this proposal yourself. A manager other than you must confirm it."),
        "move_proposal_outdated": N_("Work went on after the proposal. The team must look at it and ask again."),
        "move_version_gone": N_("The version of the proposal can no longer be used. The team makes a new proposal."),
        "move_choice_not_allowed": N_("This choice is not possible here: %(question)s"),
        "move_reason_missing": N_("Write why you choose this: %(question)s"),
        "no_move_to_undo": N_("There is no move to another version that can be undone."),
        "undo_needs_manager": N_("An approval comes back, so a manager must do this."),
        "later_work": N_(
            "Since then %(n)s pieces of work were done that have no place in the earlier version. Set them aside first."
        ),
        # decisions
        "decision_taken_before": N_("This decision was taken already: %(needed)s."),
        "decision_not_taken": N_("This decision was not taken or is withdrawn already."),
    }
)


def reason_text(reason: Reason, language: Language, plan: StepPlan | None = None) -> str:
    """The sentence of a reason. Without a plan its ids stand in for titles ("beleid-ontwikkelen" is readable)."""
    return gettext_for(language).gettext(SENTENCES[reason.code]) % _words(reason, language, plan)


def _words(reason: Reason, language: Language, plan: StepPlan | None) -> dict[str, str | int]:
    words: dict[str, str | int] = dict(reason.params)
    stage = None
    if reason.stage is not None:
        ref = StageRef.parse(reason.stage)
        stage = plan.stages_by_id.get(ref.stage) if plan else None
        words["stage"] = _title(stage.title if stage else None, ref.stage, language)
    step = stage.steps_by_id.get(reason.step) if stage and reason.step else None
    if reason.step is not None:
        words["step"] = _title(step.title if step else None, reason.step, language)
    if reason.question is not None:
        known = {question.id: question.text for question in step.questions} if step else {}
        words["question"] = _title(known.get(reason.question), reason.question, language)
    if (domain := reason.params.get("domain")) is not None:
        found = plan.domains_by_id.get(str(domain)) if plan else None
        words["domain"] = _title(found.title if found else None, str(domain), language)
    if (kind := reason.params.get("kind")) is not None:
        evidence = plan.evidence_kinds_by_id.get(str(kind)) if plan else None
        words["kind"] = _title(evidence.title if evidence else None, str(kind), language)
    link = N_("and") if reason.code == "early_start_needs_reason" else N_("or")
    words["needed"] = _joined(_needed(reason, language, plan), gettext_for(language).gettext(link))
    return words


def _needed(reason: Reason, language: Language, plan: StepPlan | None) -> Iterable[str]:
    for key, id in reason.params.items():
        if key.startswith("stage_"):
            stage = plan.stages_by_id.get(str(id)) if plan else None
            yield _title(stage.title if stage else None, str(id), language)
        elif key.startswith("decision_"):
            decision = plan.decisions_by_id.get(str(id)) if plan else None
            yield _title(decision.title if decision else None, str(id), language)


def _title(text: Text | None, id: str, language: Language) -> str:
    return text.in_language(language) if text else id.replace("-", " ").capitalize()


def _joined(names: Iterable[str], link: str) -> str:
    *first, last = [*names] or [""]
    return f"{', '.join(first)} {link} {last}" if first else last
