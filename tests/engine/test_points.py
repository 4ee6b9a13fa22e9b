"""Approval on conditions: each is an open point until its owner reported it and somebody else accepted that."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from app.engine import events as e
from app.engine.apply import replay
from app.engine.errors import SealBroken
from app.engine.guards import NoSuchPart
from app.engine.people import Mandate, People
from app.engine.points import PointState
from app.engine.run import StageStatus
from app.engine.seal import manifest, point_differences
from app.storage import codec
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    FRIDAY,
    MANAGER,
    MARIAM,
    MAX,
    MONDAY,
    NORA,
    OFFICER,
    THURSDAY,
    RunBuilder,
    a_condition,
    a_run,
    ref,
)
from tests.engine.refusals import why_not

HERE = "verkennen.1"
CHRISTMAS = date(2026, 12, 25)


@pytest.fixture
def asked() -> RunBuilder:
    return a_run().with_work_done(HERE, by=BRAM).with_request(HERE, by=BRAM)


@pytest.fixture
def approved(asked: RunBuilder) -> RunBuilder:
    return asked.with_approval(HERE, conditions=[a_condition("punt", owner=ANNA)])


def state(built: RunBuilder, at_ref: str = HERE) -> list[PointState]:
    return [point.state for point in built.instance(at_ref).points]


def test_stage_is_approved_with_its_conditions_as_open_points(approved: RunBuilder):
    instance = approved.instance(HERE)

    assert (instance.status, instance.passed) == (StageStatus.APPROVED, True)
    (point,) = instance.points
    assert (point.text, point.owner, point.due) == ("cijfers aanvullen", ANNA, date(2026, 12, 18))
    assert (point.by, point.state, point.is_waiting) == (MARIAM, PointState.OPEN, True)
    assert replay(approved.events) == approved.run


def test_condition_has_an_owner_of_the_team_and_a_date_to_come(asked: RunBuilder):
    assert why_not(lambda: asked.with_approval(HERE, conditions=[a_condition(owner=CHRIS)])) == ["owner_not_in_team"]
    gone = a_condition(due=date(2026, 11, 24))
    assert why_not(lambda: asked.with_approval(HERE, conditions=[gone])) == ["due_in_the_past"]
    today = a_condition(due=date(2026, 11, 25))
    assert asked.with_approval(HERE, conditions=[today]).instance(HERE).passed


def test_point_is_late_after_its_date_until_it_is_reported(approved: RunBuilder):
    (point,) = approved.instance(HERE).points
    assert not point.is_late(date(2026, 12, 18))
    assert point.is_late(date(2026, 12, 19))
    (reported,) = approved.with_point_reported(HERE, "punt").instance(HERE).points
    assert not reported.is_late(date(2026, 12, 19))


def test_owner_reports_and_manager_accepts(approved: RunBuilder):
    reported = approved.with_point_reported(HERE, "punt", remark="bijlage 3", by=ANNA, at=THURSDAY)
    (point,) = reported.instance(HERE).points
    assert (point.state, point.report, point.reported_by) == (PointState.REPORTED, "bijlage 3", ANNA)

    (closed,) = reported.with_point_closed(HERE, "punt", by=MAX, at=FRIDAY).instance(HERE).points
    assert (closed.state, closed.judged_by, closed.judged_at) == (PointState.CLOSED, MAX, FRIDAY)
    assert not closed.is_waiting


def test_point_that_is_given_back_is_reported_anew(approved: RunBuilder):
    back = approved.with_point_reported(HERE, "punt").with_point_returned(HERE, "punt", reason="graag per wijk")

    (point,) = back.instance(HERE).points
    assert (point.state, point.returned) == (PointState.OPEN, "graag per wijk")
    assert state(back.with_point_reported(HERE, "punt").with_point_closed(HERE, "punt")) == [PointState.CLOSED]


def test_only_the_owner_reports_with_a_remark_and_once(approved: RunBuilder):
    assert why_not(lambda: approved.with_point_reported(HERE, "punt", by=BRAM)) == ["not_owner_of_point"]
    assert why_not(lambda: approved.with_point_reported(HERE, "punt", remark=None)) == ["remark_missing"]
    reported = approved.with_point_reported(HERE, "punt")
    assert why_not(lambda: reported.with_point_reported(HERE, "punt")) == ["point_not_open"]


def test_who_reported_or_worked_does_not_accept(approved: RunBuilder):
    moved = approved.with_team(ANNA, BRAM, MAX).with_point_changed(HERE, "punt", owner=MAX, due=CHRISTMAS)
    reported = moved.with_point_reported(HERE, "punt", by=MAX)

    assert why_not(lambda: reported.with_point_closed(HERE, "punt", by=MAX)) == ["approver_did_the_work"]
    assert why_not(lambda: reported.with_point_returned(HERE, "punt", by=BRAM)) == ["approver_did_the_work"]
    assert why_not(lambda: reported.with_point_closed(HERE, "punt", by=CHRIS, roles=OFFICER)) == ["approver_lacks_role"]
    assert why_not(lambda: reported.with_point_returned(HERE, "punt", reason=None)) == ["reason_missing"]
    assert state(reported.with_point_closed(HERE, "punt", by=MARIAM)) == [PointState.CLOSED]


def test_what_was_not_reported_is_not_accepted(approved: RunBuilder):
    closed = approved.with_point_reported(HERE, "punt").with_point_closed(HERE, "punt")
    for built in (approved, closed):
        assert why_not(partial(built.with_point_closed, HERE, "punt")) == ["point_not_reported"]
        assert why_not(partial(built.with_point_returned, HERE, "punt")) == ["point_not_reported"]


def test_manager_gives_another_owner_or_date_with_a_reason(approved: RunBuilder):
    changed = approved.with_point_changed(HERE, "punt", owner=BRAM, due=CHRISTMAS, reason="Anna is weg")

    (point,) = changed.instance(HERE).points
    assert (point.owner, point.due, point.changed) == (BRAM, CHRISTMAS, "Anna is weg")
    assert why_not(lambda: changed.with_point_changed(HERE, "punt", owner=BRAM, due=CHRISTMAS)) == ["nothing_changed"]
    assert why_not(
        lambda: approved.with_point_changed(HERE, "punt", owner=CHRIS, due=date(2026, 1, 1), reason=None)
    ) == [
        "owner_not_in_team",
        "due_in_the_past",
        "reason_missing",
    ]
    reported = approved.with_point_reported(HERE, "punt")
    assert why_not(lambda: reported.with_point_changed(HERE, "punt", owner=BRAM, due=CHRISTMAS)) == ["point_not_open"]


def test_a_point_that_does_not_exist_is_not_found(approved: RunBuilder):
    for act in (approved.with_point_reported, approved.with_point_closed, approved.with_point_returned):
        with pytest.raises(NoSuchPart):
            act(HERE, "onzin")
        with pytest.raises(NoSuchPart):
            act("werkgroep.1", "punt")


def test_conditions_lapse_with_the_approval_and_stay_readable(approved: RunBuilder):
    withdrawn = approved.with_approval_withdrawn(HERE)
    assert state(withdrawn) == [PointState.LAPSED]
    assert why_not(lambda: withdrawn.with_point_reported(HERE, "punt")) == ["point_not_open"]
    closed = approved.with_point_reported(HERE, "punt").with_point_closed(HERE, "punt")
    assert state(closed.with_approval_withdrawn(HERE)) == [PointState.CLOSED]


def test_conditions_wait_until_everybody_agreed_and_lapse_when_that_does_not_happen():
    here = "visie.1"
    asked = a_run().with_stage_approved("verkennen.1").with_work_done(here).with_request(here)
    one = asked.with_approval(here, by=MARIAM, conditions=[a_condition()])

    assert state(one, here) == [PointState.PROPOSED]
    assert why_not(lambda: one.with_point_reported(here, "punt")) == ["point_not_open"]
    assert state(one.with_approval(here, by=MAX), here) == [PointState.OPEN]
    for undone in (
        one.with_request_withdrawn(here),
        one.with_sent_back(here, {"toetsen": "?"}, by=MAX),
        one.with_approval_withdrawn(here, by=MARIAM),
    ):
        assert state(undone, here) == [PointState.LAPSED]


def test_points_of_an_earlier_round_are_still_seen_to(approved: RunBuilder):
    later = approved.with_stage("verkennen.2", by=BRAM)
    assert state(later.with_point_reported(HERE, "punt").with_point_closed(HERE, "punt")) == [PointState.CLOSED]


def test_points_of_a_continuous_stage_stay_open_when_it_is_approved_again():
    here = "draagvlak.1"
    asked = a_run().with_stage_approved("verkennen.1").with_work_done(here, by=BRAM).with_request(here, by=BRAM)
    approved = asked.with_approval(here, conditions=[a_condition()])
    again = approved.with_stage_reopened(here, by=BRAM).with_request(here, by=BRAM)

    assert state(again.with_approval(here), here) == [PointState.OPEN]
    reported = again.with_point_reported(here, "punt")
    with pytest.raises(SealBroken):
        reported.with_approval(here, shown=again.seal(here))


# --- the seal ----------------------------------------------------------------------------------------------------


def test_approval_seals_what_was_shown_and_the_conditions(asked: RunBuilder, approved: RunBuilder):
    event = approved.events[-1]
    assert isinstance(event, e.StageApproved)
    assert event.seal == approved.seal(HERE) != asked.seal(HERE)


def test_manifest_without_open_points_is_of_the_first_format(asked: RunBuilder, approved: RunBuilder):
    before, after = manifest(asked.run, ref(HERE)), manifest(approved.run, ref(HERE))

    assert (before["format"], "points" in before) == (1, False)
    assert after["format"] == 2
    assert {**after, "format": 1, "points": 0} == {**before, "points": 0}
    assert manifest(approved.with_approval_withdrawn(HERE).run, ref(HERE)) == before


def test_whatever_happens_to_an_open_point_changes_the_seal(approved: RunBuilder):
    reported = approved.with_point_reported(HERE, "punt")
    happened = [
        approved,
        reported,
        reported.with_point_closed(HERE, "punt"),
        reported.with_point_returned(HERE, "punt"),
        approved.with_point_changed(HERE, "punt", owner=ANNA, due=CHRISTMAS),
        approved.with_point_changed(HERE, "punt", owner=BRAM, due=date(2026, 12, 18)),
    ]
    assert len({built.seal(HERE) for built in happened}) == len(happened)
    manifests = [manifest(built.run, ref(HERE)) for built in happened]
    for other in manifests[1:]:
        (found,) = point_differences(manifests[0], other)
        assert found.id == "punt"
    assert point_differences(manifests[0], manifests[0]) == []


# --- a deputy ----------------------------------------------------------------------------------------------------

AWAY = Mandate("m", MARIAM, NORA, MONDAY, FRIDAY + timedelta(days=1), MANAGER)
AS_DEPUTY: Any = {"by": NORA, "roles": OFFICER, "mandate": AWAY}


def test_deputy_closes_and_gives_back_and_changes_in_the_name_of_who_is_absent(approved: RunBuilder):
    reported = approved.with_point_reported(HERE, "punt")
    for built in (
        reported.with_point_closed(HERE, "punt", **AS_DEPUTY),
        reported.with_point_returned(HERE, "punt", **AS_DEPUTY),
    ):
        (point,) = built.instance(HERE).points
        assert (point.judged_by, point.on_behalf_of, point.mandate) == (NORA, MARIAM, "m")
        assert replay(built.events) == built.run
    again = reported.with_point_returned(HERE, "punt", **AS_DEPUTY).with_point_reported(HERE, "punt")
    (point,) = again.with_point_closed(HERE, "punt", by=MAX).instance(HERE).points
    assert (point.judged_by, point.on_behalf_of, point.mandate) == (MAX, None, None)
    changed = approved.with_point_changed(HERE, "punt", owner=BRAM, due=CHRISTMAS, **AS_DEPUTY).events[-1]
    assert isinstance(changed, e.PointChanged)
    assert (changed.by, changed.on_behalf_of, changed.mandate) == (NORA, MARIAM, "m")


@pytest.mark.parametrize(
    ("mandate", "owner", "reasons"),
    [
        (None, ANNA, ["approver_lacks_role"]),
        (replace(AWAY, ends_at=FRIDAY), ANNA, ["mandate_not_in_force"]),
        (replace(AWAY, mandator=MAX), ANNA, ["mandate_not_for_this"]),
        (AWAY, NORA, ["approver_did_the_work"]),
        (AWAY, MARIAM, ["mandator_did_the_work"]),
    ],
    ids=["no mandate", "over", "of another manager", "deputy reported it", "absent manager reported it"],
)
def test_deputy_judges_nothing_that_either_had_a_hand_in(
    approved: RunBuilder, mandate: Mandate | None, owner: str, reasons: list[str]
):
    moved = approved.with_team(ANNA, NORA, MARIAM)
    if owner != ANNA:
        moved = moved.with_point_changed(HERE, "punt", owner=owner, due=CHRISTMAS, by=MAX)
    reported = moved.with_point_reported(HERE, "punt", by=owner)
    for act in (reported.with_point_closed, reported.with_point_returned):
        assert why_not(partial(act, HERE, "punt", by=NORA, roles=OFFICER, mandate=mandate)) == reasons


def test_second_account_of_the_deputy_counts_as_the_deputy(approved: RunBuilder):
    reported = approved.with_point_reported(HERE, "punt", by=ANNA)
    as_one = People({ANNA: "anna", NORA: "anna"})
    assert why_not(lambda: reported.with_point_closed(HERE, "punt", people=as_one, **AS_DEPUTY)) == [
        "approver_did_the_work"
    ]


def test_what_is_judged_without_mandate_is_written_as_it_always_was(approved: RunBuilder):
    reported = approved.with_point_reported(HERE, "punt")
    closed = reported.with_point_closed(HERE, "punt")
    assert codec.encode_event(closed.events[-1])[1].keys() == {"ref", "point"}
    returned = reported.with_point_returned(HERE, "punt")
    assert codec.encode_event(returned.events[-1])[1].keys() == {"ref", "point", "reason"}
    (point,) = codec.encode_stage(closed.instance(HERE))["points"]
    assert not point.keys() & {"mandate", "on_behalf_of"}
    by_deputy = reported.with_point_closed(HERE, "punt", **AS_DEPUTY)
    kind, data = codec.encode_event(by_deputy.events[-1])
    assert codec.decode_event(kind, data, by=NORA, at=FRIDAY) == by_deputy.events[-1]
