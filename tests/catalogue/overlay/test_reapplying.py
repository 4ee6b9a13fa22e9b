"""Additions on a newer version of the plan: what was renamed is followed, conflicts are listed, nothing half."""

import pytest

from app.catalogue.loader import Document, load_bytes
from app.catalogue.overlay.reapplying import Reapplied, next_version, reapply
from tests.catalogue.files import SMALL
from tests.catalogue.overlay.additions import ADDITIONS, HEAD, loaded, national

OLD = national().document
CHANGES = """
changes:
  since: 1.0.0
  summary: {text: Andere namen., addition: true}
  renamed:
"""


def newer(*edits: tuple[str, str], renamed: str = "", version: str = "2.0.0", since: str = "1.0.0") -> Document:
    text = SMALL.read_text().replace("version: 1.0.0", f"version: {version}")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    if renamed:
        text = text.replace("\nsources:", f"{CHANGES.replace('1.0.0', since)}{renamed}\nsources:", 1)
    return load_bytes(text.encode(), "plan.yaml").document


def again(new: Document, *between: Document, text: str | None = None) -> Reapplied:
    data = (text or ADDITIONS.read_text()).encode()
    loaded(data)
    return reapply(data, [OLD, *between, new], version="2.0.0", name="overlay.yaml")


def test_additions_that_still_fit_come_out_on_the_newer_version():
    found = again(newer())
    assert found.problems == ()
    assert found.loaded is not None
    assert found.loaded.plan.base == ("klein-plan", "2.0.0")
    assert found.loaded.plan.version == "2.0.0"
    before = ADDITIONS.read_text().replace("klein-plan@1.0.0", "klein-plan@2.0.0")
    assert found.text == before.replace("version: 1.0.0", "version: 2.0.0")


RENAMED = newer(
    ("- id: verkennen\n", "- id: rondkijken\n"),
    ("{stage: verkennen", "{stage: rondkijken"),
    ("- id: overzicht\n", "- id: beeld\n"),
    ("{id: naam,", "{id: titel,"),
    ("- id: bestaand-volstaat\n", "- id: het-is-er-al\n"),
    ("decision: bestaand-volstaat", "decision: het-is-er-al"),
    renamed="""    - {before: verkennen, after: rondkijken}
    - {before: verkennen/overzicht, after: rondkijken/beeld}
    - {before: verkennen/overzicht/naam, after: rondkijken/beeld/titel}
    - {before: decisions.bestaand-volstaat, after: decisions.het-is-er-al}
""",
)


def test_parts_that_were_renamed_are_followed_in_the_text_and_told():
    found = again(RENAMED)
    assert found.loaded is not None
    assert {problem.code for problem in found.problems} == {"overlay_followed"}
    for written in (
        "step: rondkijken/beeld, after: titel",
        "{step: rondkijken/conclusie, required: true}",
        "question: rondkijken/beeld/beschrijving",
        "{decision: het-is-er-al,",
        "after: rondkijken\n",
        "- {stage: rondkijken}",
        "question: rondkijken/checklist/stapeling",
    ):
        assert written in found.text
    assert "verkennen" not in found.text
    first = found.problems[0]
    assert found.text.splitlines()[first.line - 1][first.column - 1 :].startswith(str(first.params["after"]))
    assert "# Additions to small.yaml" in found.text


def test_parts_that_were_renamed_twice_are_followed_over_the_version_between():
    between = newer(
        ("- id: conclusie\n", "- id: slot\n"),
        renamed="    - {before: verkennen/conclusie, after: verkennen/slot}\n",
        version="1.1.0",
    )
    last = newer(
        ("- id: conclusie\n", "- id: einde\n"),
        renamed="    - {before: verkennen/slot, after: verkennen/einde}\n",
        since="1.1.0",
    )
    found = again(last, between)
    assert found.loaded is not None
    assert "{step: verkennen/einde, required: true}" in found.text


def test_part_that_is_gone_is_a_conflict_with_its_place_and_nothing_is_applied():
    found = again(newer(("- id: conclusie\n", "- id: iets-anders\n")))
    assert found.loaded is None
    conflicts = [problem for problem in found.problems if problem.code == "overlay_part_gone"]
    assert [problem.path for problem in conflicts] == ["add.evidence.0.step", "tighten.0.step"]
    assert found.text.splitlines()[conflicts[1].line - 1] == "  - {step: verkennen/conclusie, required: true}"
    assert conflicts[0].sentence() == (
        'overlay.yaml:71:14  add.evidence.0.step: "verkennen/conclusie" was in klein-plan@1.0.0 and is not in '
        "klein-plan@2.0.0; name another part, or remove this"
    )


def test_every_conflict_is_told_at_once():
    text = HEAD + (
        "add:\n  questions:\n"
        "    - {id: zd-a, step: uitvoeren/plan, text: A?, type: short_text, addition: true}\n"
        "    - {id: zd-b, step: verkennen/overzicht, after: datum, text: B?, type: short_text, addition: true}\n"
        "tighten:\n  - {evidence: verkennen/overzicht, kind: verslag, minimum: 2}\n"
    )
    new = newer(
        ("- id: plan\n", "- id: plannen\n"),
        ("{id: datum,", "{id: dag,"),
        ("- {kind: verslag, minimum: 1, link: true, explanation: Van minstens één gesprek.}", "- {kind: besluit}"),
    )
    found = again(new, text=text)
    assert [problem.path for problem in found.problems] == [
        "add.questions.0.step",
        "add.questions.1.after",
        "tighten.0.kind",
    ]


def test_id_of_the_plan_that_begins_with_the_prefix_is_a_conflict():
    found = again(newer(("{id: eerst,", "{id: zd-eerst,")))
    assert [problem.code for problem in found.problems] == ["overlay_prefix_taken"]


def test_what_the_plan_overtook_is_a_notice_and_the_plan_counts():
    text = HEAD + "tighten:\n  - {gate: beleid, approvals: 2}\n  - {step: verkennen/conclusie, required: true}\n"
    new = newer(
        (
            "gate: {question: {text: Is het af?, addition: true}}",
            "gate: {question: {text: Is het af?, addition: true}, approvals: 3}",
        ),
        ("        required: false\n", ""),
    )
    found = again(new, text=text)
    assert found.loaded is not None
    assert found.loaded.plan.stage("beleid").gate.approvals == 3
    assert [problem.code for problem in found.problems] == ["overlay_overtaken", "overlay_without_effect"]
    assert all(problem.is_warning for problem in found.problems)
    assert "{gate: beleid, approvals: 3}" in found.text


def test_step_that_was_split_is_left_to_people():
    step = "      - {id: opdracht-%s, title: Opdracht, goal: {text: Een opdracht., addition: true}}\n"
    begin = SMALL.read_text().index("      - id: opdracht\n")
    whole = SMALL.read_text()[begin : SMALL.read_text().index("    gate: {question: {text: Is het mandaat")]
    split = "  split:\n    - {before: werkgroep/opdracht, after: [werkgroep/opdracht-een, werkgroep/opdracht-twee]}\n"
    new = newer(
        (whole, step % "een" + step % "twee"), ("\nsources:", CHANGES.replace("  renamed:\n", split) + "\nsources:")
    )
    text = HEAD + "add:\n  evidence:\n    - {step: werkgroep/opdracht, kind: besluit}\n"
    found = again(new, text=text)
    [problem] = found.problems
    assert (problem.code, problem.params["pieces"]) == (
        "overlay_part_split",
        "werkgroep/opdracht-een, werkgroep/opdracht-twee",
    )
    assert problem.sentence_nl().endswith("noem een van deze")


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("extends: klein-plan@1.0.0", "extends: >-\n  klein-plan@1.0.0"),
        HEAD.replace("version: 1.0.0", "version: &v 1.0.0"),
        HEAD.replace("version: 1.0.0", 'version: "1.0\\x2e0"'),
    ],
)
def test_names_written_in_another_way_are_left_to_people(text: str):
    found = again(newer(), text=text)
    assert (found.text, found.loaded) == (text, None)
    assert [problem.code for problem in found.problems] == ["overlay_not_rewritten"]


def test_next_version_is_above_all_that_there_were():
    assert next_version("1.0.0", [], is_other_plan=False) == "1.1.0"
    assert next_version("1.0.0", ["1.4.0", "1.2.0"], is_other_plan=False) == "1.5.0"
    assert next_version("1.2.3", ["1.3.0-rc.1"], is_other_plan=True) == "2.0.0"
