"""Whether a decision that comes in was recorded already: the same form once more, from a page that was open twice.

Then telling that nothing was recorded would be untrue. With anything else in it, it is another decision, which is
refused as it would be from anybody.
"""

from __future__ import annotations

from dataclasses import replace

from app.engine.run import Approval
from app.engine.seal import seal
from app.features.approvals.content import StageContent
from app.features.approvals.forms import DecisionTyped
from app.web.identity import Caller


def is_decided(content: StageContent, caller: Caller, decided: DecisionTyped) -> bool:
    if decided.form.decision == "terugsturen":
        return _is_sent_back(content, caller, decided)
    return _is_approved(content, caller, decided)


def _is_sent_back(content: StageContent, caller: Caller, decided: DecisionTyped) -> bool:
    last, form = content.instance.decided, decided.form
    if last is None or last.is_approval or content.instance.request is not None:
        return False
    recorded = (last.by, last.mandate or "", content.seal, content.findings)
    return recorded == (caller.user_id, form.mandate, form.shown, decided.findings)


def _is_approved(content: StageContent, caller: Caller, decided: DecisionTyped) -> bool:
    own = [each for each in content.instance.approvals if each.by == caller.user_id]
    if not own or own[-1].withdrawn_by:
        return False
    last, form = own[-1], decided.form
    points = [point for point in content.instance.points if (point.by, point.at) == (last.by, last.at)]
    conditions = [(content.said(point.text), point.owner, point.due) for point in points]
    recorded = (last.mandate or "", content.said(last.remark), conditions, _shown_before(content, last))
    return recorded == (
        form.mandate,
        form.remark,
        [(each.text, each.owner, each.due) for each in decided.conditions],
        form.shown,
    )


def _shown_before(content: StageContent, approval: Approval) -> str:
    """The seal of what was approved: the conditions that came with the approval were not there yet."""
    points = content.instance.points
    others = tuple(point for point in points if (point.by, point.at) != (approval.by, approval.at))
    if len(others) == len(points):
        return approval.seal
    return seal(content.run.with_instance(replace(content.instance, points=others)), content.ref)
