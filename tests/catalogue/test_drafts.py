"""New drafts: valid from the first moment, and copies that change nothing but their head."""

from __future__ import annotations

import difflib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue.drafts import FIRST_VERSION, NotCopied, copied_draft, small_draft
from app.catalogue.loader import PlanInvalid, load_bytes
from app.catalogue.yaml_tree import read
from app.resources import stepplans_dir
from tests.catalogue.files import SMALL, TINY


def changed_lines(before: str, after: str) -> list[str]:
    return [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if line[:3] not in ("---", "+++", "@@ ")
    ]


def test_small_draft_has_no_errors_and_no_warnings():
    loaded = load_bytes(small_draft("mijn-plan", FIRST_VERSION, "Mijn plan").encode(), "x")
    assert loaded.warnings == ()
    assert (loaded.plan.id, loaded.plan.version, loaded.plan.title.nl) == ("mijn-plan", "0.1.0", "Mijn plan")


def test_what_the_comments_of_a_small_draft_suggest_works():
    """An author takes away a # and goes on; that must not be where the trouble begins."""
    lines = small_draft("mijn-plan", FIRST_VERSION, "Mijn plan").splitlines()
    keys = ("sources:", "  S1:", "    title:", "    publisher:", "    url:", "grounds:", "  - id:", "evidence_kinds:")
    deeper = ("evidence:", "  - {kind", "statements:", "  - {id: jong", "advised_after:", "  - {stage")
    kept = []
    for line in lines:
        rest = line.lstrip()
        is_key = rest.startswith("# ") and rest[2:].startswith((*keys, *deeper, "  - {id: verslag", "    title: Leef"))
        kept.append(line.replace("# ", "", 1) if is_key else line)
    text = "\n".join(kept).replace("addition: true}}}", "sources: [S1]}}}") + "\n"
    text = text.replace("requires:\n      - {stage: verkennen}\n", "").replace(
        "Beschrijf hier in een of twee zinnen waar dit stappenplan voor is.\n    addition: true",
        "Waarvoor dit is.\n    sources: [S1]",
    )
    plan = load_bytes(text.encode(), "x").plan
    assert plan.sources
    assert plan.grounds
    assert plan.stages[0].statements
    assert plan.stages[0].steps[0].evidence
    assert plan.stages[1].advised_after


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=["Cc"]), min_size=1, max_size=80)
)
def test_any_title_on_one_line_will_do(title: str):
    if title.strip():
        assert load_bytes(small_draft("x", "0.1.0", title).encode(), "x").plan.title.nl == title.strip()


def test_copy_changes_the_version_line_and_keeps_every_comment():
    before = (stepplans_dir() / "inclusief-beleid" / "1.0.0.yaml").read_text()
    after = copied_draft(before.encode(), plan_id="inclusief-beleid", version="1.1.0")
    assert changed_lines(before, after) == ["-  version: 1.0.0", "+  version: 1.1.0"]


def test_copy_as_another_plan_changes_its_id_too():
    after = copied_draft(SMALL.read_bytes(), plan_id="ander", version="0.1.0")
    assert changed_lines(SMALL.read_text(), after) == [
        "-  id: klein-plan", "-  version: 1.0.0", "+  id: ander", "+  version: 0.1.0",
    ]  # fmt: skip


def test_next_version_shows_how_to_say_what_changes():
    after = copied_draft(SMALL.read_bytes(), plan_id="klein-plan", version="1.1.0", since="1.0.0")
    added = [line for line in changed_lines(SMALL.read_text(), after) if line.startswith("+") and "#" in line]
    assert "+#   since: 1.0.0" in added
    uncommented = after
    for line in added:
        if line[1:].startswith(("# changes", "#   since", "#   summary")):
            uncommented = uncommented.replace(line[1:], line[3:])
    changes = load_bytes(uncommented.encode(), "x").plan.changes
    assert changes is not None
    assert changes.since == "1.0.0"


CHANGES = "changes:  # van toen\n  # en hoe\n  since: 0.9.0\n  summary: {text: Beter., addition: true}\n\n"


@pytest.mark.parametrize("place", ["# Over de bronnen\nsources:\n", "stages:\n"])
def test_copy_leaves_out_what_the_old_version_said_about_its_changes(place: str):
    text = SMALL.read_text().replace("sources:\n", "# Over de bronnen\nsources:\n", 1)
    with_changes = text.replace(f"\n{place}", f"\n{CHANGES}{place}", 1)
    assert with_changes != text
    after = copied_draft(with_changes.encode(), plan_id="klein-plan", version="2.0.0")
    assert changed_lines(text, after) == ["-  version: 1.0.0", "+  version: 2.0.0"]
    at_the_end = f"{text}\n{CHANGES}"
    after = copied_draft(at_the_end.encode(), plan_id="klein-plan", version="2.0.0")
    assert "0.9.0" not in after
    assert load_bytes(after.encode(), "x").plan.changes is None


@pytest.mark.parametrize(
    "head",
    [
        'plan: {id: "klein", version: "1.0.0", ',
        "plan: {id: 'klein', version: '1.0.0', ",
        "plan: {version: 1.0.0, id: klein, ",
        "plan: {id: klein,\r\n  version: 1.0.0, ",
    ],
)
def test_head_can_be_written_in_many_ways(head: str):
    text = TINY.replace("plan: {id: klein, version: 1.0.0, ", head)
    plan = load_bytes(copied_draft(text.encode(), plan_id="groot", version="2.0.0-rc.1").encode(), "x").plan
    assert (plan.id, plan.version, plan.title.nl) == ("groot", "2.0.0-rc.1", "Klein plan")


def test_file_with_a_byte_order_mark_is_copied_without_it():
    after = copied_draft(b"\xef\xbb\xbf" + TINY.lstrip().encode(), plan_id="groot", version="2.0.0")
    assert after.startswith("format: 1")


def test_other_layout_of_the_whole_is_copied_too():
    text = json.dumps(read(TINY.encode()).root)
    plan = load_bytes(copied_draft(text.encode(), plan_id="groot", version="2.0.0").encode(), "x").plan
    assert (plan.id, plan.version) == ("groot", "2.0.0")


@pytest.mark.parametrize(
    "head",
    [
        "plan: {id: klein, version: &v 1.0.0, ",
        'plan: {id: "kl\\x65in", version: 1.0.0, ',
    ],
)
def test_head_that_cannot_be_changed_alone_is_not_copied(head: str):
    text = TINY.replace("plan: {id: klein, version: 1.0.0, ", head)
    assert load_bytes(text.encode(), "x").plan.id == "klein"
    with pytest.raises(NotCopied):
        copied_draft(text.encode(), plan_id="groot", version="2.0.0")


def test_file_with_errors_is_not_copied():
    with pytest.raises(PlanInvalid):
        copied_draft(b"format: 1", plan_id="groot", version="2.0.0")
