"""Released versions cannot change unnoticed: what the lock keeps, and what is said when a file is no longer that."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue.catalogue import Catalogue, lint
from app.catalogue.loader import PlanInvalid, canonical, load_bytes
from app.catalogue.lock import LOCK_NAME, Lock, Release, Status, lock_text, parts_of
from app.catalogue.problems import Problem
from app.resources import stepplans_dir
from tests.catalogue.files import SMALL, TINY

NAME = ("klein-plan", "1.0.0")
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
SMALL_PLAN = load_bytes(SMALL.read_bytes(), "small.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the small plan in it, released."""
    return released_folder(tmp_path)


def released_folder(folder: Path) -> Path:
    (folder / NAME[0]).mkdir()
    file_in(folder).write_text(SMALL.read_text())
    release(folder, *NAME)
    return folder


def file_in(folder: Path) -> Path:
    return folder / NAME[0] / f"{NAME[1]}.yaml"


def release(folder: Path, plan_id: str, version: str, *, on: date = MONDAY, retired: date | None = None) -> None:
    path = folder / plan_id / f"{version}.yaml"
    loaded = load_bytes(path.read_bytes(), str(path))
    lock = Lock.read(folder).with_release((plan_id, version), Release.of(loaded.document, loaded.plan.digest, on=on))
    (lock.with_retirement((plan_id, version), retired) if retired else lock).write()


def put(folder: Path, version: str, plan_id: str = "klein") -> None:
    (folder / plan_id).mkdir(exist_ok=True)
    text = TINY.replace("id: klein,", f"id: {plan_id},").replace("1.0.0", version)
    (folder / plan_id / f"{version}.yaml").write_text(text)


def edit(folder: Path, old: str, new: str) -> int:
    """Changes the released file; gives the line where."""
    text = file_in(folder).read_text()
    assert old in text
    file_in(folder).write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def problems(folder: Path) -> list[Problem]:
    """What start-up and lint say, which is the same."""
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(folder, with_drafts=False)
    with pytest.raises(PlanInvalid) as with_drafts:
        Catalogue.load(folder)
    assert with_drafts.value.problems == refused.value.problems
    assert lint([file_in(folder)]) == list(refused.value.problems)
    return list(refused.value.problems)


# --- what is shipped -------------------------------------------------------------------------------------------------


def test_every_released_plan_still_has_the_digest_of_its_release():
    lock = Lock.read(stepplans_dir())
    assert ("inclusief-beleid", "1.0.0") in lock.releases
    for (plan_id, version), released in lock.releases.items():
        path = stepplans_dir() / plan_id / f"{version}.yaml"
        loaded = load_bytes(path.read_bytes(), str(path))
        assert loaded.plan.digest == released.digest, path
        assert hashes(loaded.document) == released.parts, path


def test_shipped_lock_is_written_as_the_software_writes_it():
    lock = Lock.read(stepplans_dir())
    assert lock.text == lock_text(lock.releases)


# --- what was changed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format: 1", "# Een opmerking\nformat: 1"),
        ("approvals: 1\n", "approvals: 1  # een is genoeg\n"),
        ("{nl: Klein plan, en: Small plan}", "{en: Small plan, nl: Klein plan}"),
        ("optional: true\n", "optional: true\n    repeatable: false\n"),
    ],
)
def test_layout_comments_order_of_keys_and_defaults_do_not_count(folder: Path, old: str, new: str):
    edit(folder, old, new)
    assert Catalogue.load(folder).get(*NAME).status is Status.RELEASED
    assert lint([file_in(folder)]) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "part", "path"),
    [
        ("Laat elk onderdeel", "Toon elk onderdeel", "released_changed", "plan", "plan"),
        ("publisher: Movisie", "publisher: Expoo", "released_changed", "sources/S1", "sources.S1"),
        ("Huisvesting en", "Wonen en", "released_changed", "domains/wonen", "domains.0"),
        ("per_domain: true", "per_domain: false", "released_changed", "decisions/bestaand-volstaat", "decisions.0"),
        ("Eerst alles willen", "Alles willen", "released_changed", "stages/verkennen", "stages.0"),
        ("Weten wat er al is.", "Weten.", "released_changed", "stages/verkennen/steps/overzicht", "stages.0.steps.0"),
        ("Wat komt eerst?", "Wat kan?", "released_changed", "stages/verkennen/steps/conclusie", "stages.0.steps.1"),
        ("Denk aan school", "Let op school", "released_changed", "stages/verkennen/statements", "stages.0.statements"),
        ("approvals: 1", "approvals: 2", "released_changed", "stages/verkennen/gate", "stages.0.gate"),
        (
            "\nevidence_kinds:",
            "  - {id: zorg, title: Zorg}\n\nevidence_kinds:",
            "released_added",
            "domains/zorg",
            "domains.2",
        ),
        ("  - {id: werk, title: Werk}\n", "", "released_missing", "domains/werk", "domains"),
        (
            "- {id: wonen, title: Wonen, explanation: Huisvesting en leefomgeving.}\n  - {id: werk, title: Werk}",
            "- {id: werk, title: Werk}\n  - {id: wonen, title: Wonen, explanation: Huisvesting en leefomgeving.}",
            "released_order",
            "domains",
            "domains",
        ),
    ],
)  # fmt: skip
def test_changed_part_is_named_with_its_place(folder: Path, old: str, new: str, code: str, part: str, path: str):
    edit(folder, old, new)
    [problem] = problems(folder)
    assert (problem.code, problem.params["part"], problem.path) == (code, part, path)
    lines = file_in(folder).read_text().splitlines()
    key, value = lines[problem.line - 2 : problem.line]
    name = "domains" if code == "released_missing" else part.rpartition("/")[2]
    assert name in key + value
    assert not problem.is_warning


def test_change_is_told_with_file_line_column_and_remedy_in_two_languages(folder: Path):
    edit(folder, "Wat komt eerst?", "Wat kan?")
    line = file_in(folder).read_text().splitlines().index("      - id: conclusie") + 1
    [problem] = problems(folder)
    place = f"{file_in(folder)}:{line}:9  stages.0.steps.1: "
    assert problem.sentence() == (
        f"{place}stages/verkennen/steps/conclusie was changed after klein-plan@1.0.0 was released; put it back as it "
        "was, and make the change in a new version: stappenplan plan new klein-plan --version <higher version>"
    )
    assert problem.sentence_nl() == (
        f"{place}stages/verkennen/steps/conclusie is veranderd nadat klein-plan@1.0.0 is vastgesteld; zet het terug "
        "zoals het was, en maak de wijziging in een nieuwe versie: stappenplan plan new klein-plan --version "
        "<hogere versie>"
    )


def test_every_changed_part_is_told_in_one_go(folder: Path):
    edit(folder, "Laat elk onderdeel", "Toon elk onderdeel")
    edit(folder, "Wat komt eerst?", "Wat kan?")
    edit(folder, "  - {id: werk, title: Werk}\n", "")
    assert [problem.params["part"] for problem in problems(folder)] == [
        "plan",
        "domains/werk",
        "stages/verkennen/steps/conclusie",
    ]


def test_stage_that_is_gone_is_told_once_and_not_part_by_part(folder: Path):
    text = file_in(folder).read_text()
    begin, end = text.index("  - id: monitoren"), len(text)
    file_in(folder).write_text(text[:begin] + text[end:])
    [problem] = problems(folder)
    assert (problem.code, problem.params["part"], problem.path) == ("released_missing", "stages/monitoren", "stages")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every value, and of every list that has an order."""
    yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(each, (*path, key))


@given(st.sampled_from([path for path in places(json.loads(canonical(SMALL_PLAN.document))) if path]))
def test_no_value_and_no_order_is_outside_the_parts(path: tuple[Any, ...]):
    """Otherwise a change could not be told with its place."""
    changed: Any = json.loads(canonical(SMALL_PLAN.document))
    around = changed
    for key in path[:-1]:
        around = around[key]
    match around[path[-1]]:
        case list() as items if len(items) > 1:
            items.reverse()
        case list() as items:
            items.append(items[0])
        case dict() as inner:
            inner["anders"] = "anders"
        case value:
            around[path[-1]] = f"{value}-anders"
    assert hashes(changed) != hashes(SMALL_PLAN.document)


def hashes(document: Any) -> dict[str, str]:
    return {name: part.hash for name, part in parts_of(document).items()}


def test_file_of_a_released_version_must_stay(folder: Path):
    put(folder, "1.0.0")
    file_in(folder).unlink()
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(folder)
    [problem] = refused.value.problems
    assert problem.sentence() == (
        f"{folder / LOCK_NAME}:5:7  klein-plan@1.0.0: was released, and klein-plan/1.0.0.yaml is not there; "
        "put the file back"
    )
    assert lint([folder / "klein" / "1.0.0.yaml"]) == [problem]


def test_released_file_that_claims_another_version_is_refused(folder: Path):
    edit(folder, "version: 1.0.0", "version: 1.0.1")
    assert [problem.code for problem in lint([file_in(folder)])] == ["released_changed"]
    with pytest.raises(PlanInvalid):
        Catalogue.load(folder)


def test_another_digest_in_the_lock_is_told_even_when_no_part_changed(folder: Path):
    lock = folder / LOCK_NAME
    lock.write_text(lock.read_text().replace(SMALL_PLAN.plan.digest, "0" * 64))
    [problem] = problems(folder)
    assert problem.code == "released_other_digest"


# --- the lock itself -------------------------------------------------------------------------------------------------


def spoil(folder: Path, old: str, new: str) -> str:
    """What is said about a lock in which something was replaced."""
    lock = folder / LOCK_NAME
    text = lock.read_text()
    assert old in text
    lock.write_text(text.replace(old, new, 1))
    [problem] = problems(folder)
    assert problem.sentence_nl()
    return problem.sentence().removeprefix(f"{folder / LOCK_NAME}:")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"plans": {', '"plans": {,', "3:13  is no valid JSON here"),
        ('"format": 1', '"format": 2', "2:3  format: is not right in the list of released versions"),
        ('"digest": "', '"digest": "x', "6:9  plans/klein-plan/1.0.0/digest: is not right"),
        ('"released": "2026-11-23"', '"released": "maandag"', "7:9  plans/klein-plan/1.0.0/released: is not right"),
        (f'        "digest": "{SMALL_PLAN.plan.digest}",\n', "", "5:7  plans/klein-plan/1.0.0/digest: is not right"),
        ('"1.0.0"', '"1.0"', "5:7  plans/klein-plan/1.0: is not right"),
        ('  "format": 1,\n', '  "format": 1,\n  "format": 1,\n', '1:1  has the key "format" twice in one place'),
    ],
)
def test_lock_that_is_not_one_is_told_with_its_place(folder: Path, old: str, new: str, told: str):
    assert spoil(folder, old, new).startswith(told)


def test_lock_that_cannot_be_read_is_told(folder: Path):
    (folder / LOCK_NAME).unlink()
    (folder / LOCK_NAME).mkdir()
    [problem] = problems(folder)
    assert problem.code == "unreadable"
    (folder / LOCK_NAME).rmdir()
    (folder / LOCK_NAME).write_bytes(b"\xff\xfe")
    assert [problem.code for problem in problems(folder)] == ["unreadable"]
    (folder / LOCK_NAME).write_text("[" * 100_000)
    assert [problem.code for problem in problems(folder)] == ["lock_not_json"]


def test_lock_has_one_form_with_a_line_for_each_part(folder: Path):
    for version in ("1.10.0", "1.9.0"):
        put(folder, version)
        release(folder, "klein", version)
    lock = Lock.read(folder)
    assert lock.text == lock_text({name: lock.releases[name] for name in reversed(list(lock.releases))})
    assert lock.text.index('"1.9.0"') < lock.text.index('"1.10.0"')
    for released in lock.releases.values():
        for name, part in released.parts.items():
            assert f'          "{name}": "{part}"' in lock.text
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_writing_that_fails_leaves_the_lock_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = (folder / LOCK_NAME).read_text()

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("app.catalogue.lock.os.fsync", refuse)
    with pytest.raises(OSError, match="disk full"):
        Lock.read(folder).with_retirement(NAME, TUESDAY).write()
    assert (folder / LOCK_NAME).read_text() == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


# --- draft, released, retired ----------------------------------------------------------------------------------------


def test_plan_in_the_lock_is_released_or_retired_and_all_others_are_drafts(tmp_path: Path):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        put(tmp_path, version)
    release(tmp_path, "klein", "1.0.0", retired=TUESDAY)
    release(tmp_path, "klein", "1.1.0")
    assert [each.status for each in Catalogue.load(tmp_path)] == [Status.RETIRED, Status.RELEASED, Status.DRAFT]
    assert [each.plan.version for each in Catalogue.load(tmp_path, with_drafts=False)] == ["1.0.0", "1.1.0"]


def test_retirement_can_be_taken_back(folder: Path):
    Lock.read(folder).with_retirement(NAME, TUESDAY).write()
    assert Lock.read(folder).status(NAME) is Status.RETIRED
    Lock.read(folder).with_retirement(NAME, None).write()
    assert Lock.read(folder).status(NAME) is Status.RELEASED
    with pytest.raises(KeyError):
        Lock.read(folder).with_retirement(("klein-plan", "9.0.0"), TUESDAY)


def test_draft_that_is_not_finished_keeps_nobody_from_working(folder: Path):
    (folder / "klein-plan" / "2.0.0.yaml").write_text("format: 1\nplan: {")
    (folder / "klein-plan" / "2.1.0.yml").write_text("")
    assert len(Catalogue.load(folder, with_drafts=False)) == 1
    with pytest.raises(PlanInvalid):
        Catalogue.load(folder)


def test_folder_in_which_nothing_is_released_cannot_be_used(tmp_path: Path):
    put(tmp_path, "1.0.0")
    assert Catalogue.load(tmp_path).get("klein", "1.0.0").status is Status.DRAFT
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(tmp_path, with_drafts=False)
    assert [problem.code for problem in refused.value.problems] == ["nothing_released"]


def test_file_outside_a_folder_of_plans_has_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "plan.yaml").write_text(TINY)
    assert lint([tmp_path / "plan.yaml"]) == []
    monkeypatch.chdir(tmp_path)
    assert lint([Path("plan.yaml")]) == []


# --- files that are as they were released -------------------------------------------------------------------------


def released_with_file(folder: Path) -> tuple[Path, str]:
    path = folder / "klein" / "1.0.0.yaml"
    path.parent.mkdir()
    path.write_text(TINY)
    loaded = load_bytes(path.read_bytes(), path.name)
    made = Release.of(loaded.document, loaded.plan.digest, on=MONDAY, data=path.read_bytes())
    Lock.read(folder).with_release(("klein", "1.0.0"), made).write()
    return path, loaded.plan.digest


def test_version_that_is_known_is_not_read_while_its_file_is_untouched(tmp_path: Path):
    _, digest = released_with_file(tmp_path)
    assert len(Catalogue.load(tmp_path, known={digest})) == 0
    assert len(Catalogue.load(tmp_path)) == 1


def test_file_with_another_layout_is_read_again(tmp_path: Path):
    path, digest = released_with_file(tmp_path)
    path.write_text(f"# a comment\n{path.read_text()}")
    assert len(Catalogue.load(tmp_path, known={digest})) == 1


def test_known_version_whose_meaning_changed_is_refused(tmp_path: Path):
    path, digest = released_with_file(tmp_path)
    path.write_text(path.read_text().replace("Klein", "Groot"))
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(tmp_path, known={digest})
    assert {problem.code for problem in refused.value.problems} == {"released_changed"}


def test_known_version_whose_file_is_gone_is_refused(tmp_path: Path):
    path, digest = released_with_file(tmp_path)
    path.unlink()
    with pytest.raises(PlanInvalid):
        Catalogue.load(tmp_path, known={digest})


def test_every_released_file_is_as_it_was_released():
    """So that a start reads none of them twice. After a change of layout: write the lock anew."""
    lock = Lock.read(stepplans_dir())
    for (plan_id, version), release in lock.releases.items():
        assert release.is_same_file((stepplans_dir() / plan_id / f"{version}.yaml").read_bytes()), plan_id
