"""The text form of a stage reference, and small questions to the values of a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.run import EvidenceForm, EvidenceMark, Run, StageRef, StepState
from tests.builders import a_run, ref

SLUGS = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)
REFS = st.builds(StageRef, SLUGS, st.none() | SLUGS, st.integers(1, 9999))


@given(REFS)
def test_reference_is_read_back_from_its_text(at: StageRef):
    assert StageRef.parse(str(at)) == at


@given(REFS, REFS)
def test_different_references_have_different_texts(one: StageRef, other: StageRef):
    assert (str(one) == str(other)) == (one == other)


@given(st.text(max_size=30) | st.lists(st.sampled_from([".", "a", "1", "0", "-", " "])).map("".join))
def test_any_other_text_is_refused_or_means_itself(text: str):
    try:
        at = StageRef.parse(text)
    except ValueError:
        return
    assert str(at) == text


NO_REFS = (
    ".",
    "verkennen",
    "verkennen.",
    ".1",
    "verkennen.0",
    "verkennen.01",
    "verkennen.-1",
    "verkennen.+1",
    "verkennen.١",
    "verkennen.²",
    "verkennen.1.",
    "a..1",
    "a.b.c.1",
    "a.12345",
    "verkennen.1e3",
    "verkennen.1_0",
    "verkennen.x",
    "",
    "verkennen. 1",
    "verkennen.1 ",
    "verkennen.1\n",
)


@pytest.mark.parametrize("text", NO_REFS)
def test_text_that_is_no_reference_is_refused(text: str):
    with pytest.raises(ValueError, match=r".*"):
        StageRef.parse(text)


def test_next_round_is_of_the_same_stage_and_domain():
    assert ref("beleid.wonen.9").next_round() == ref("beleid.wonen.10")
    assert ref("verkennen.1").next_round() == ref("verkennen.2")


def test_rounds_are_in_order_even_after_the_ninth():
    built = a_run()
    for n in range(1, 12):
        built = built.with_stage_approved(f"verkennen.{n}")

    assert [instance.ref.round for instance in built.run.rounds("verkennen")] == [*range(1, 12)]
    assert built.run.latest("verkennen") == built.instance("verkennen.11")
    assert [instance.ref.round for instance in sorted(built.run.stages.values(), key=lambda i: i.ref)][-1] == 11


def test_run_without_stages_has_no_rounds():
    run = Run("r", "p", "1", "d")

    assert (run.rounds("verkennen"), run.latest("verkennen"), run.instance(ref("verkennen.1"))) == ([], None, None)


def test_evidence_is_counted_by_kind_and_form():
    def item(id: str, kind: str, form: EvidenceForm, withdrawn_by: str | None = None) -> EvidenceMark:
        return EvidenceMark(id, kind, form, "c", withdrawn_by=withdrawn_by)

    state = StepState(
        evidence=(
            item("a", "verslag", EvidenceForm.FILE),
            item("b", "verslag", EvidenceForm.LINK),
            item("c", "verslag", EvidenceForm.NOTE),
            item("d", "verslag", EvidenceForm.FILE, withdrawn_by="x"),
            item("e", "besluit", EvidenceForm.FILE),
        )
    )

    assert state.evidence_count("verslag", links_count=True) == 3
    assert state.evidence_count("verslag", links_count=False) == 1
    assert state.evidence_count("foto", links_count=True) == 0
