"""Where somebody stands who opens the page of a decision: whether to decide, in whose name, and who else can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.engine import deciders
from app.engine.errors import Reason
from app.engine.run import Recusal, StageStatus, UserId
from app.engine.stage_decisions import approver_reasons, decider_reasons, withdrawer_reasons
from app.features.approvals.content import StageContent
from app.features.approvals.decider import stands_in_by
from app.policy import Action
from app.storage.deciding import StandIn
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class DeciderStanding:
    """`mandates`: with which this person can decide in the name of the manager; `in_own_name`: whether without one too.
    `withdraw_…`: the same for taking an approval back; `given_by`: whose approval that is, if it is of another hand.
    `others`: names of who else can decide, with a mandate where that is how."""

    cannot_decide: tuple[Reason, ...]
    cannot_approve: tuple[Reason, ...]
    mandates: tuple[StandIn, ...]
    in_own_name: bool
    withdraw_with: tuple[StandIn, ...]
    withdraw_in_own_name: bool
    given_by: UserId | None
    may_recuse: bool
    own_recusal: Recusal | None
    may_take_recusal_back: bool
    others: tuple[tuple[str, StandIn | None], ...]

    @property
    def may_withdraw(self) -> bool:
        return self.withdraw_in_own_name or bool(self.withdraw_with)


def standing_of(content: StageContent, caller: Caller, at: datetime) -> DeciderStanding:
    plan, run, ref, me = content.plan, content.run, content.ref, caller.user_id
    stage, instance, people = content.stage, content.instance, content.people
    roles = caller.roles_on(run)
    mine = stands_in_by(content.stand_ins, caller)
    ways = deciders.ways_to_decide(
        stage, run.manager, instance, by=me, roles=roles, people=people, mandates=[each.mandate for each in mine], at=at
    )
    # Whoever can decide in no way reads why not: with the mandate, if that is all that this person has.
    can_as_oneself = caller.may(Action.APPROVE_STAGE) or not mine
    tried = ways or [None if can_as_oneself else mine[0].mandate]
    cannot_decide = decider_reasons(plan, run, ref, by=me, roles=roles, people=people, mandate=tried[0], at=at)
    refusals = [
        approver_reasons(plan, run, ref, by=me, roles=roles, people=people, mandate=way, at=at) for way in tried
    ]
    is_decided = instance.status is StageStatus.APPROVED
    withdrawing = [
        way
        for way in ways
        if not withdrawer_reasons(plan, run, ref, by=me, roles=roles, people=people, mandate=way, at=at)
    ]
    gone = [deciders.approval_to_take_back(instance, me, way) for way in withdrawing]
    own = next((each for each in instance.recusals if each.counts and each.by == me), None)
    may_recuse = not is_decided and bool(ways)
    return DeciderStanding(
        cannot_decide=tuple(cannot_decide),
        cannot_approve=tuple(next((reasons for reasons in refusals if not reasons), refusals[0])),
        mandates=tuple(each for each in mine if each.mandate in ways),
        in_own_name=None in ways,
        withdraw_with=tuple(each for each in mine if each.mandate in withdrawing),
        withdraw_in_own_name=None in withdrawing,
        given_by=next((each.by for each in gone if each and each.by != me), None),
        may_recuse=may_recuse,
        own_recusal=own,
        may_take_recusal_back=own is not None and not [*deciders.cannot_take_recusal_back(instance, me)],
        others=tuple(_others(content, me, at)),
    )


def _others(content: StageContent, me: str, at: datetime) -> list[tuple[str, StandIn | None]]:
    """Who else can decide: in the own name first, then in the name of the manager."""
    found: list[tuple[str, StandIn | None]] = []
    approvers = frozenset(content.stage.gate.approvers)
    for user in content.approvers:
        if user != me and not [
            *deciders.cannot_decide_on(
                content.stage, content.run.manager, content.instance, by=user, roles=approvers, people=content.people
            )
        ]:
            found.append((content.names[user], None))
    for each in content.stand_ins:
        user = each.mandate.deputy
        ways = deciders.ways_to_decide(
            content.stage,
            content.run.manager,
            content.instance,
            by=user,
            roles=frozenset(),
            people=content.people,
            mandates=[each.mandate],
            at=at,
        )
        if user != me and ways:
            found.append((content.names[user], each))
    return found
