"""A seal changes with any content of its stage, and with nothing else."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.engine.definition import CHECKLIST
from app.engine.run import EvidenceForm, StageRef
from app.engine.seal import Difference, PointDifference, differences, digest, manifest, point_differences, seal
from tests.builders import ANNA, BRAM, MARIAM, MAX, THURSDAY, TUESDAY, RunBuilder, a_condition, a_run, an_id, ref

HERE = "verkennen.1"
V1 = ref(HERE)

Act = Callable[[RunBuilder], RunBuilder]


@pytest.fixture
def done() -> RunBuilder:
    return a_run().with_work_done(HERE).with_evidence(HERE, "gesprekken", "foto", id="e")


CONTENT: dict[str, Act] = {
    "another answer": lambda b: b.with_answers(HERE, "overzicht", {"naam": "Anders"}),
    "one letter": lambda b: b.with_answers(HERE, "overzicht", {"naam": "kort antwoord"}),
    "an answer emptied": lambda b: b.with_answers(HERE, "overzicht", {"toelichting": ""}),
    "an answer that nobody had to give": lambda b: b.with_answers(HERE, "overzicht", {"waarom-zoveel": "x"}),
    "a reason with a grade": lambda b: b.with_answers(HERE, "overzicht", {"steun": {"grade": "yes", "reason": "r"}}),
    "an answer of the checklist": lambda b: b.with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "no"}}),
    "evidence added": lambda b: b.with_evidence(HERE, "gesprekken", "verslag"),
    "the same evidence elsewhere": lambda b: b.with_evidence(HERE, "overzicht", "foto", id="e"),
    "evidence with the checklist": lambda b: b.with_evidence(HERE, CHECKLIST, "verslag"),
    "evidence withdrawn": lambda b: b.with_evidence_withdrawn(HERE, "gesprekken", "e"),
}

NO_CONTENT: dict[str, Act] = {
    "another stage": lambda b: b.with_work_done("werkgroep.1"),
    "the team": lambda b: b.with_team(BRAM, MAX),
    "the domains": lambda b: b.with_domains("wonen", "werk", "jeugd"),
    "a decision": lambda b: b.with_decision("raad-akkoord"),
    "asking": lambda b: b.with_request(HERE),
    "asking and withdrawing": lambda b: b.with_request(HERE).with_request_withdrawn(HERE),
    "sending back": lambda b: b.with_request(HERE).with_sent_back(HERE, {"overzicht": "?"}),
    "approval": lambda b: b.with_request(HERE).with_approval(HERE),
    "approval withdrawn": lambda b: b.with_request(HERE).with_approval(HERE).with_approval_withdrawn(HERE),
    "a later round": lambda b: b.with_request(HERE).with_approval(HERE).with_work_done("verkennen.2"),
    "evidence added and withdrawn again": lambda b: b.with_evidence(
        HERE, "overzicht", "foto", id="tijdelijk"
    ).with_evidence_withdrawn(HERE, "overzicht", "tijdelijk"),
    "an answer given and emptied again": lambda b: b.with_answers(
        HERE, "overzicht", {"waarom-zoveel": "x"}
    ).with_answers(HERE, "overzicht", {"waarom-zoveel": ""}),
    "the same answer by somebody else later": lambda b: b.with_answers(
        HERE, "overzicht", {"naam": "Kort antwoord"}, by=BRAM, at=THURSDAY
    ),
}


@pytest.mark.parametrize("act", CONTENT.values(), ids=CONTENT)
def test_any_content_of_the_stage_changes_its_seal(done: RunBuilder, act: Act):
    assert act(done).seal(HERE) != done.seal(HERE)
    assert differences(manifest(done.run, V1), manifest(act(done).run, V1)) != []


@pytest.mark.parametrize("act", NO_CONTENT.values(), ids=NO_CONTENT)
def test_what_is_no_content_of_the_stage_leaves_its_seal(done: RunBuilder, act: Act):
    assert act(done).seal(HERE) == done.seal(HERE)


def test_step_that_was_touched_and_emptied_seals_like_one_that_was_never_touched():
    begun = a_run().with_stage(HERE)
    touched = (
        begun.with_answers(HERE, "gesprekken", {"verslag": "x"})
        .with_answers(HERE, "gesprekken", {"verslag": ""})
        .with_evidence(HERE, "overzicht", id="e")
        .with_evidence_withdrawn(HERE, "overzicht", "e")
    )

    assert touched.seal(HERE) == begun.seal(HERE)


def test_different_changes_give_different_seals(done: RunBuilder):
    seals = [act(done).seal(HERE) for act in CONTENT.values()]

    assert len(set(seals)) == len(seals)


def test_order_of_work_does_not_matter_to_the_seal():
    begun = a_run().with_stage(HERE)
    first = begun.with_answers(HERE, "overzicht", {"naam": "x"}).with_evidence(HERE, "gesprekken", id="e")
    other = begun.with_evidence(HERE, "gesprekken", id="e").with_answers(HERE, "overzicht", {"naam": "x"})

    assert first.seal(HERE) == other.seal(HERE)


def test_seal_is_tied_to_the_run_the_plan_the_round_and_the_early_start(done: RunBuilder):
    run = done.run
    instance = run.stages[V1]
    second = StageRef("verkennen", None, 2)
    others = [
        seal(replace(run, id="another"), V1),
        seal(replace(run, plan_version="1.0.1"), V1),
        seal(replace(run, plan_id="another"), V1),
        seal(replace(run, plan_digest="0" * 64), V1),
        seal(replace(run, stages={second: replace(instance, ref=second)}), second),
        seal(run.with_instance(replace(instance, early_reason="t")), V1),
    ]

    assert len({done.seal(HERE), *others}) == len(others) + 1


def test_seal_is_the_sha256_of_a_manifest_that_json_can_hold(done: RunBuilder):
    found = manifest(done.run, V1)

    assert json.loads(json.dumps(found)) == found
    assert digest(json.loads(json.dumps(found))) == done.seal(HERE)
    assert len(done.seal(HERE)) == 64


def test_manifest_holds_commitments_and_no_people_or_moments(done: RunBuilder):
    text = json.dumps(manifest(done.run, V1))

    state = done.state(HERE, "overzicht")
    assert state.answers["naam"].commitment in text
    assert state.evidence[0].commitment in text
    for private in (ANNA, BRAM, MARIAM, "Kort antwoord", str(TUESDAY.year)):
        assert private not in text


def test_seal_of_a_stage_needs_all_of_its_steps(done: RunBuilder):
    partial = done.run.with_instance(replace(done.run.stages[V1], loaded=frozenset({"overzicht"})))

    with pytest.raises(AssertionError):
        seal(partial, V1)


def test_differences_name_what_came_went_and_changed(done: RunBuilder):
    after = (
        done.with_answers(HERE, "overzicht", {"naam": "Anders", "toelichting": "", "waarom-zoveel": "x"})
        .with_evidence(HERE, CHECKLIST, "verslag", id="nieuw", form=EvidenceForm.LINK)
        .with_evidence_withdrawn(HERE, "gesprekken", "e")
    )
    was, now = done.state(HERE, "overzicht").answers, after.state(HERE, "overzicht").answers
    (gone,) = done.state(HERE, "gesprekken").evidence
    (new,) = after.state(HERE, CHECKLIST).evidence

    assert differences(manifest(done.run, V1), manifest(after.run, V1)) == [
        Difference(CHECKLIST, "evidence", "nieuw", None, new.commitment),
        Difference("gesprekken", "evidence", "e", gone.commitment, None),
        Difference("overzicht", "answers", "naam", was["naam"].commitment, now["naam"].commitment),
        Difference("overzicht", "answers", "toelichting", was["toelichting"].commitment, None),
        Difference("overzicht", "answers", "waarom-zoveel", None, now["waarom-zoveel"].commitment),
    ]


def test_equal_manifests_have_no_differences(done: RunBuilder):
    assert differences(manifest(done.run, V1), manifest(done.run, V1)) == []


def test_differences_with_a_step_that_was_not_there_before():
    begun = a_run().with_stage(HERE)
    saved = begun.with_answers(HERE, "gesprekken", {"verslag": "x"})
    commitment = saved.state(HERE, "gesprekken").answers["verslag"].commitment

    assert differences(manifest(begun.run, V1), manifest(saved.run, V1)) == [
        Difference("gesprekken", "answers", "verslag", None, commitment)
    ]
    assert differences(manifest(saved.run, V1), manifest(begun.run, V1)) == [
        Difference("gesprekken", "answers", "verslag", commitment, None)
    ]


def test_seals_of_two_runs_with_the_same_content_differ():
    assert a_run().with_stage(HERE).seal(HERE) != a_run(id=an_id("another")).with_stage(HERE).seal(HERE)


# --- What was sealed once must be rebuilt byte for byte, for as long as anybody wants to check it. --------------------


def test_manifest_is_exactly_this():
    built = (
        a_run()
        .with_stage(HERE)
        .with_answers(HERE, "overzicht", {"naam": "x"})
        .with_evidence(HERE, "gesprekken", id="e")
    )
    answer, item = built.state(HERE, "overzicht").answers["naam"], built.state(HERE, "gesprekken").evidence[0]

    assert manifest(built.run, V1) == {
        "format": 1,
        "run": built.run.id,
        "plan": {"id": "proefplan", "version": "1.0.0", "digest": built.run.plan_digest},
        "stage": "verkennen.1",
        "early_reason": None,
        "steps": {
            "gesprekken": {"answers": {}, "evidence": {"e": item.commitment}},
            "overzicht": {"answers": {"naam": answer.commitment}, "evidence": {}},
        },
    }


def test_manifest_with_open_points_is_exactly_this():
    asked = a_run().with_work_done(HERE, by=BRAM).with_request(HERE, by=BRAM)
    conditions = [a_condition("b", owner=ANNA), a_condition("a", owner=BRAM)]
    built = asked.with_approval(HERE, conditions=conditions)

    found = manifest(built.run, V1)

    assert found["format"] == 2
    assert list(found["points"].items()) == [
        ("a", {"text": "cijfers aanvullen", "owner": BRAM, "due": "2026-12-18", "state": "open", "report": None,
               "returned": None}),
        ("b", {"text": "cijfers aanvullen", "owner": ANNA, "due": "2026-12-18", "state": "open", "report": None,
               "returned": None}),
    ]  # fmt: skip
    assert {**found, "format": 1, "points": None} == {**manifest(asked.run, V1), "points": None}


def test_digest_is_of_the_canonical_form():
    """Made by hand: `printf '{"a":"é","b":[1]}' | sha256sum`."""
    assert digest({"b": [1], "a": "é"}) == hashlib.sha256('{"a":"é","b":[1]}'.encode()).hexdigest()


def test_differences_between_open_points_name_each_that_came_went_or_changed():
    old = {"points": {"a": {"state": "open"}, "b": {"state": "open"}, "c": {"state": "open"}}}
    new = {"points": {"b": {"state": "closed"}, "c": {"state": "open"}, "d": {"state": "open"}}}

    assert point_differences(old, new) == [
        PointDifference("a", {"state": "open"}, None),
        PointDifference("b", {"state": "open"}, {"state": "closed"}),
        PointDifference("d", None, {"state": "open"}),
    ]
    assert point_differences({}, {"points": {"a": {"state": "open"}}}) == [
        PointDifference("a", None, {"state": "open"})
    ]
    assert point_differences(new, {}) == [PointDifference(id, new["points"][id], None) for id in "bcd"]
