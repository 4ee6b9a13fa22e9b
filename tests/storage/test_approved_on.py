"""Which version of its plan a run had when somebody decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.engine.run import Approval, Move, Run, StageInstance, StageRef
from app.storage.approved_on import ApprovedOn, EarlierVersion, approved_on, earlier_versions, version_at
from tests.builders import ANNA, FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY

HERE = StageRef("verkennen")
UNDONE = Move("m1", "1.0.0", "d1", "2.0.0", "d2", ANNA, TUESDAY, 5, ANNA, THURSDAY, 9)
RUN = Run("run", "plan", "1.0.0", "d1", moves=(UNDONE,))
LATER = EarlierVersion("plan", "2.0.0")
STAGE = StageInstance(HERE, passed=True, approvals=(Approval("r", ANNA, WEDNESDAY, "zegel"),))


@pytest.mark.parametrize(
    ("at", "version"), [(MONDAY, "1.0.0"), (TUESDAY, "1.0.0"), (WEDNESDAY, "2.0.0"), (FRIDAY, "1.0.0")]
)
def test_version_of_a_moment_follows_moves_and_their_undoing(at, version: str):
    assert version_at(RUN, at)[1] == version


def test_run_that_never_moved_had_one_version():
    assert version_at(replace(RUN, moves=()), WEDNESDAY) == ("d1", "1.0.0")


def test_manifest_says_on_which_version_was_decided():
    kept = {"zegel": {"plan": {"id": "plan", "version": "0.9.0", "digest": "d0"}}}
    assert earlier_versions(RUN, STAGE, kept) == {"zegel": EarlierVersion("plan", "0.9.0")}


def test_without_a_manifest_the_time_says_it():
    assert earlier_versions(RUN, STAGE, {}) == {"zegel": LATER}


def test_decision_on_the_present_version_is_not_an_earlier_one():
    kept = {"zegel": {"plan": {"id": "plan", "version": "1.0.0", "digest": "d1"}}}
    assert earlier_versions(RUN, STAGE, kept) == {}
    assert approved_on(STAGE, {}) is None


@pytest.mark.parametrize("is_outdated", [False, True])
def test_latest_approval_that_stands_is_told_of(is_outdated: bool):
    changed = replace(STAGE, changed_since_approval=is_outdated)
    assert approved_on(changed, {"zegel": LATER}) == ApprovedOn(LATER, is_outdated)


def test_withdrawn_approval_is_not_told_of():
    withdrawn = replace(STAGE, approvals=(replace(STAGE.approvals[0], withdrawn_by=ANNA),))
    assert approved_on(withdrawn, {"zegel": LATER}) is None
