"""Moving a run, and back, is no way around four eyes."""

from functools import partial

from app.engine.people import ONE_ACCOUNT_EACH, People
from app.engine.run_migration.moves import move_run, mover_reasons, propose_move, undoer_reasons
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    MANAGER,
    MARIAM,
    MAX,
    PLAN,
    THURSDAY,
    RunBuilder,
    a_question,
    a_run,
    text,
)
from tests.engine.refusals import why_not
from tests.engine.run_migration.moving import (
    adding,
    changed,
    moved,
    outcome_of,
    planned,
    undo_of,
    undone,
    version,
    with_part,
)

HERE, OVERVIEW = "verkennen.1", "verkennen/overzicht"
ANOTHER_NAME = changed(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het voortaan?"))
AS_ONE = People({ANNA: "anna", MAX: "anna"})
MORE = version(
    adding(
        with_part(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het?")),
        OVERVIEW,
        a_question("extra", is_required=False),
    )
)


def proposed(built: RunBuilder, by: str) -> RunBuilder:
    result = outcome_of(built, ANOTHER_NAME)
    return built.then(
        propose_move(
            planned(built, ANOTHER_NAME), result, proposal="p", shown=result.digest, reasons={}, by=by, at=THURSDAY
        )
    )


def why_not_confirm(built: RunBuilder, by: str, people: People | None = None) -> list[str]:
    result = outcome_of(built, ANOTHER_NAME)
    return [r.code for r in mover_reasons(built.run, result, by=by, roles=MANAGER, people=people or People())]


def test_a_second_account_does_not_confirm_the_proposal_of_the_first():
    waiting = proposed(a_run().with_stage_approved(HERE, by=BRAM), by=ANNA)

    assert why_not_confirm(waiting, MAX) == []
    assert why_not_confirm(waiting, MAX, AS_ONE) == ["move_proposed_by_you"]


def test_who_made_what_was_approved_does_not_let_go_of_the_approval():
    waiting = proposed(a_run().with_stage_approved(HERE, by=BRAM), by=ANNA)

    assert why_not_confirm(waiting, BRAM) == ["approver_did_the_work"]
    assert why_not_confirm(waiting, MAX, People({BRAM: "bram", MAX: "bram"})) == ["approver_did_the_work"]
    assert why_not_confirm(waiting, MARIAM) == []


def test_who_made_what_was_approved_does_not_bring_the_approval_back():
    after = moved(a_run(team=(ANNA, BRAM, MAX)).with_stage_approved(HERE, by=BRAM), ANOTHER_NAME)
    refused = partial(undoer_reasons, after.run, undo_of(after, PLAN), roles=MANAGER)

    assert [r.code for r in refused(by=BRAM, people=ONE_ACCOUNT_EACH)] == ["approver_did_the_work"]
    assert [r.code for r in refused(by=MAX, people=People({BRAM: "b", MAX: "b"}))] == ["approver_did_the_work"]
    assert refused(by=MARIAM, people=ONE_ACCOUNT_EACH) == []


def test_who_chose_otherwise_than_proposed_had_a_hand_in_what_stands_there():
    built = a_run(team=(ANNA, BRAM, MAX)).with_stage(HERE).with_step_filled(HERE, "overzicht")
    (item,) = planned(built, ANOTHER_NAME).items
    other = next(choice for choice in item.allowed if choice is not item.proposed)

    def carried_out(by: str, choices: dict[str, str]) -> RunBuilder:
        result = outcome_of(built, ANOTHER_NAME, choices=choices)
        migration = planned(built, ANOTHER_NAME)
        event = move_run(
            migration,
            result,
            move="m",
            shown=result.digest,
            reasons={},
            by=by,
            roles=MANAGER,
            at=THURSDAY,
            people=ONE_ACCOUNT_EACH,
        )
        return RunBuilder(ANOTHER_NAME, built.events, built.run).then(event)

    assert carried_out(MAX, {}).instance(HERE).contributors == (ANNA,)
    asked = carried_out(MAX, {item.id: other.value}).with_work_done(HERE).with_request(HERE)
    assert why_not(lambda: asked.with_approval(HERE, by=MAX)) == ["approver_did_the_work"]


def test_an_answer_that_was_set_aside_returns_with_who_gave_it():
    """Max answers after the move, the move is undone, and the run moves once more: his answer is there again."""
    built = a_run(team=(ANNA, MAX)).with_stage(HERE, by=ANNA).with_step_filled(HERE, "overzicht")
    later = moved(built, MORE).with_answers(HERE, "overzicht", {"extra": "van Max"}, by=MAX)
    back = undone(later, PLAN, park_later=True)

    again = moved(back, MORE)

    assert MAX not in back.instance(HERE).contributors
    assert again.state(HERE, "overzicht").is_filled("extra")
    asked = again.with_work_done(HERE).with_request(HERE)
    assert why_not(lambda: asked.with_approval(HERE, by=MAX)) == ["approver_did_the_work"]
    assert why_not(lambda: asked.with_approval(HERE, by=CHRIS, people=People({CHRIS: "m", MAX: "m"}))) == [
        "approver_did_the_work"
    ]


def test_evidence_that_was_set_aside_returns_with_who_added_it():
    stage_more = version(adding(PLAN, "verkennen", PLAN.stage("draagvlak").steps[0]))
    built = a_run(team=(ANNA, MAX)).with_stage(HERE, by=ANNA).with_step_filled(HERE, "overzicht")
    later = moved(built, stage_more).with_evidence(HERE, "agenderen", by=MAX)
    again = moved(undone(later, PLAN, park_later=True), stage_more)

    assert [item.added_by for item in again.state(HERE, "agenderen").evidence] == [MAX]
    assert MAX in again.instance(HERE).contributors


def test_who_takes_no_part_takes_none_after_a_move_and_back():
    built = a_run().with_stage(HERE).with_step_filled(HERE, "overzicht").with_recusal(HERE, by=MAX)
    renamed = changed(PLAN, "verkennen", id="kijken")

    after = moved(built, renamed)
    later = after.with_recusal("kijken.1", by=MARIAM, at=THURSDAY)

    assert after.instance("kijken.1").recused == (MAX,)
    assert undone(later, PLAN).instance(HERE).recused == (MAX, MARIAM)
    taken_back = after.with_recusal_taken_back("kijken.1", by=MAX)
    assert undone(taken_back, PLAN).instance(HERE).recused == ()
