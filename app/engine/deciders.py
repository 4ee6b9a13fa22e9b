"""Who may decide about a stage instance, or outside the stages: four eyes, recusal, and deciding for somebody absent.

Each rule yields the reasons why somebody cannot. `people` says which accounts are one person's. It has no
default anywhere in the engine: forgetting it would let through what forgetting a mandate refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from app.engine.definition import Decision, Stage, StageRequired, StepPlan
from app.engine.errors import Reason
from app.engine.people import Mandate, People
from app.engine.quorum import Missing, missing
from app.engine.run import Approval, Run, StageInstance, StageRef, StageStatus, UserId


def approver_did_the_work(instance: StageInstance, by: UserId, people: People) -> Iterator[Reason]:
    """Four eyes: nobody who answered, added or withdrew evidence, completed a step, asked for approval or took that
    back, or wrote what came along from elsewhere also decides, with whatever account."""
    if people.is_among(by, instance.contributors):
        yield Reason("approver_did_the_work", stage=str(instance.ref))


def approver_lacks_role(stage: Stage, ref: StageRef, roles: frozenset[str]) -> Iterator[Reason]:
    if not roles & set(stage.gate.approvers):
        yield Reason("approver_lacks_role", stage=str(ref))


def approver_recused(instance: StageInstance, by: UserId, people: People) -> Iterator[Reason]:
    if people.is_among(by, instance.recused):
        yield Reason("approver_recused", stage=str(instance.ref))


def mandate_falls_short(
    stage: Stage,
    manager: UserId | None,
    instance: StageInstance,
    mandate: Mandate,
    *,
    by: UserId,
    people: People,
    at: datetime,
) -> Iterator[Reason]:
    """A mandate is for the runs of one manager, for a time, and gives no more than that manager could do. The deputy
    does not say which runs those are, also not between the recording of the mandate and its first day."""
    ref = str(instance.ref)
    if by != mandate.deputy or manager != mandate.mandator:
        yield Reason("mandate_not_for_this", stage=ref)
    if not mandate.is_in_force(at):
        yield Reason("mandate_not_in_force", stage=ref)
    if people.is_same(by, mandate.chosen_by):
        yield Reason("deputy_chose_mandator", stage=ref)
    if not mandate.roles & set(stage.gate.approvers):
        yield Reason("mandator_lacks_role", stage=ref)
    if people.is_among(mandate.mandator, instance.contributors):
        yield Reason("mandator_did_the_work", stage=ref)
    if people.is_among(mandate.mandator, instance.recused):
        yield Reason("mandator_recused", stage=ref)


def cannot_decide_on(
    stage: Stage,
    manager: UserId | None,
    instance: StageInstance,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime | None = None,
) -> Iterator[Reason]:
    """Why this person cannot decide here: in the own name, or with `mandate` in the name of somebody else at `at`.
    `manager`: of the run. A list that shows what waits for somebody asks this too, with as much as it read."""
    if mandate is None:
        yield from approver_lacks_role(stage, instance.ref, roles)
    else:
        assert at is not None, "a mandate is for a time"
        yield from mandate_falls_short(stage, manager, instance, mandate, by=by, people=people, at=at)
    yield from approver_did_the_work(instance, by, people)
    yield from approver_recused(instance, by, people)


def ways_to_decide(
    stage: Stage,
    manager: UserId | None,
    instance: StageInstance,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandates: Iterable[Mandate],
    at: datetime,
) -> list[Mandate | None]:
    """In whose name this person can decide here: with these of the mandates, and None for the own name."""
    return [
        mandate
        for mandate in (*mandates, None)
        if not [*cannot_decide_on(stage, manager, instance, by=by, roles=roles, people=people, mandate=mandate, at=at)]
    ]


# --- a quorum --------------------------------------------------------------------------------------------------


def approvals_of_request(instance: StageInstance) -> Iterator[Approval]:
    """Those given to the present request."""
    request = instance.request
    return (each for each in instance.approvals if request and each.request == request.id)


def missing_approvals(stage: Stage, instance: StageInstance, seal: str, people: People) -> Missing:
    """Whose approval the present request still waits for."""
    standing = standing_approvals(instance, seal, people)
    return missing(stage.gate, {each.by: frozenset(each.roles) for each in standing})


def standing_approvals(instance: StageInstance, seal: str, people: People) -> list[Approval]:
    """The approvals of the present request with the present content (`seal`), each of another person: whoever worked on
    it since, or takes no part any more, does not count, nor does somebody twice."""
    found: list[Approval] = []
    out = (*instance.contributors, *instance.recused)
    for approval in approvals_of_request(instance):
        if (approval.seal, approval.withdrawn_by) != (seal, None):
            continue
        counted = [voice for other in found for voice in other.voices]
        if not any(people.is_among(voice, (*out, *counted)) for voice in approval.voices):
            found.append(approval)
    return found


def standing_approvers(instance: StageInstance, seal: str, people: People) -> set[UserId]:
    return {approval.by for approval in standing_approvals(instance, seal, people)}


def already_approved_by(
    instance: StageInstance,
    by: UserId,
    seal: str,
    people: People,
    mandate: Mandate | None = None,
) -> Iterator[Reason]:
    """One person counts once towards the number of approvals that a gate takes, also when a deputy decided in that
    person's name; changed content asks again."""
    standing = standing_approvals(instance, seal, people)
    if people.is_among(by, [approval.by for approval in standing]):
        yield Reason("already_approved_by_you", stage=str(instance.ref))
    elif people.is_among(by, [approval.on_behalf_of for approval in standing]):
        yield Reason("already_approved_for_you", stage=str(instance.ref))
    elif mandate and people.is_among(mandate.mandator, [voice for each in standing for voice in each.voices]):
        yield Reason("already_approved_in_that_name", stage=str(instance.ref))


def approval_to_take_back(instance: StageInstance, by: UserId, mandate: Mandate | None) -> Approval | None:
    """Which of the approvals of the present request this person can take back: what somebody gave, and what was given
    in somebody's name. Who gave a mandate remains competent (Awb, article 10:7), and a deputy can do what the absent
    manager could."""
    standing = [each for each in approvals_of_request(instance) if not each.withdrawn_by]
    name = mandate.mandator if mandate else by
    own = [each for each in standing if each.by == by]
    in_that_name = [each for each in standing if each.in_name_of == name]
    found = [each for each in own if each in in_that_name] or in_that_name or (own if mandate is None else [])
    return found[-1] if found else None


# --- recusal ---------------------------------------------------------------------------------------------------


def cannot_recuse(
    stage: Stage,
    manager: UserId | None,
    instance: StageInstance,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandates: Iterable[Mandate] = (),
    at: datetime,
) -> Iterator[Reason]:
    """Only who may decide can say not to take part, with a mandate too, and only while there is something to decide."""
    if instance.status in (StageStatus.APPROVED, StageStatus.SKIPPED):
        yield Reason("nothing_to_recuse_from", stage=str(instance.ref))
    if people.is_among(by, instance.recused):
        yield Reason("already_recused", stage=str(instance.ref))
    elif not ways_to_decide(stage, manager, instance, by=by, roles=roles, people=people, mandates=mandates, at=at):
        yield from cannot_decide_on(stage, manager, instance, by=by, roles=roles, people=people)


def cannot_take_recusal_back(instance: StageInstance, by: UserId) -> Iterator[Reason]:
    """Only before a decision: afterwards it would look as if somebody stayed out of a decision that was taken."""
    recusal = next((each for each in instance.recusals if each.counts and each.by == by), None)
    if recusal is None:
        yield Reason("not_recused", stage=str(instance.ref))
        return
    decided = [approval.at for approval in instance.approvals]
    if instance.decided:
        decided.append(instance.decided.at)
    if any(moment >= recusal.at for moment in decided):
        yield Reason("decided_since_recusal", stage=str(instance.ref))


# --- decisions outside the stages ------------------------------------------------------------------------------


def rests_on(plan: StepPlan, run: Run, decision: Decision, domain: str | None) -> list[StageInstance]:
    """The stage instances on which a decision outside the stages rests: those of the stages that it requires, or all
    of the run when it names none; in its domain, where both have one."""
    needed = {
        alternative.stage
        for requirement in decision.requires
        for alternative in requirement.alternatives
        if isinstance(alternative, StageRequired)
    }
    return [
        instance
        for ref, instance in sorted(run.stages.items(), key=lambda each: str(each[0]))
        if (not needed or ref.stage in needed) and (domain is None or ref.domain in (None, domain))
    ]


def decider_is_involved(
    plan: StepPlan, run: Run, decision: Decision, domain: str | None, by: UserId, people: People
) -> Iterator[Reason]:
    """Four eyes outside the stages too: who made what a decision rests on does not take it, nor does who takes no part
    in deciding about that."""
    for instance in rests_on(plan, run, decision, domain):
        yield from approver_did_the_work(instance, by, people)
        yield from approver_recused(instance, by, people)
