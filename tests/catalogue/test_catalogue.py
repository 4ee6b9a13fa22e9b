"""The folder of step plans and its versions."""

from datetime import date
from pathlib import Path

import pytest

from app.catalogue.catalogue import Catalogue
from app.catalogue.loader import PlanInvalid, load_bytes
from app.catalogue.lock import Lock, Release
from app.catalogue.versions import precedence
from app.resources import stepplans_dir
from tests.catalogue.files import TINY

MONDAY = date(2026, 11, 23)


def put(folder: Path, name: str, plan_id: str = "klein", version: str = "1.0.0") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(TINY.replace("id: klein", f"id: {plan_id}").replace("1.0.0", version))
    return path


def release(folder: Path, *versions: str, plan_id: str = "klein", retired: bool = False) -> None:
    lock = Lock.read(folder)
    for version in versions:
        loaded = load_bytes((folder / plan_id / f"{version}.yaml").read_bytes(), version)
        lock = lock.with_release((plan_id, version), Release.of(loaded.document, loaded.plan.digest, on=MONDAY))
        lock = lock.with_retirement((plan_id, version), MONDAY if retired else None)
    lock.write()


def told(folder: Path) -> list[str]:
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(folder)
    return [problem.sentence() for problem in refused.value.problems]


def test_shipped_plans_load_drafts_too():
    catalogue = Catalogue.load(stepplans_dir())
    assert catalogue.newest("inclusief-beleid").plan.id == "inclusief-beleid"


def test_versions_are_kept_from_old_to_new(tmp_path: Path):
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.1"):
        put(tmp_path, f"klein/{version}.yaml", version=version)
    put(tmp_path, "ander/1.0.0.yaml", plan_id="ander")
    release(tmp_path, "1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.1")
    catalogue = Catalogue.load(tmp_path)
    assert [(each.plan.id, each.plan.version) for each in catalogue] == [
        ("ander", "1.0.0"), ("klein", "1.9.0"), ("klein", "1.9.1"), ("klein", "1.10.0"), ("klein", "2.0.0-rc.1"),
    ]  # fmt: skip
    assert len(catalogue) == 5
    assert catalogue.newest("klein").plan.version == "1.10.0"
    assert catalogue.get("klein", "2.0.0-rc.1").plan.version == "2.0.0-rc.1"


def test_pre_release_is_the_newest_while_there_is_no_release(tmp_path: Path):
    for version in ("1.0.0-alpha", "1.0.0-rc.2", "1.0.0-rc.10"):
        put(tmp_path, f"klein/{version}.yaml", version=version)
    release(tmp_path, "1.0.0-alpha", "1.0.0-rc.2", "1.0.0-rc.10")
    assert Catalogue.load(tmp_path).newest("klein").plan.version == "1.0.0-rc.10"


def test_drafts_and_retired_versions_are_never_the_newest(tmp_path: Path):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        put(tmp_path, f"klein/{version}.yaml", version=version)
    release(tmp_path, "1.0.0")
    release(tmp_path, "1.1.0", retired=True)
    assert Catalogue.load(tmp_path).newest("klein").plan.version == "1.0.0"
    release(tmp_path, "1.0.0", retired=True)
    with pytest.raises(KeyError):
        Catalogue.load(tmp_path).newest("klein")


def test_unknown_plan_and_version_are_key_errors(tmp_path: Path):
    put(tmp_path, "klein/1.0.0.yaml")
    catalogue = Catalogue.load(tmp_path)
    with pytest.raises(KeyError):
        catalogue.get("klein", "1.0.1")
    with pytest.raises(KeyError):
        catalogue.newest("groot")


def test_file_in_the_wrong_place_is_refused(tmp_path: Path):
    first, second = put(tmp_path, "groot/1.0.0.yaml"), put(tmp_path, "klein/1.0.yaml")
    what = "this plan belongs in klein/1.0.0.yaml; move the file, or change plan.id or plan.version"
    assert told(tmp_path) == [f"{first}:1:1  {what}", f"{second}:1:1  {what}"]


def test_problems_of_all_files_are_told_together(tmp_path: Path):
    for version in ("1.0.0", "1.1.0"):
        path = put(tmp_path, f"klein/{version}.yaml", version=version)
        path.write_text(path.read_text().replace("title: Klein plan", "titel: Klein plan"))
    other = put(tmp_path, "klein/1.2.0.yml", version="1.2.0")
    sentences = told(tmp_path)
    assert len(sentences) == 3
    assert sentences[2] == f"{other}:1:1  is not loaded; give the file a name that ends in .yaml"


def test_what_is_no_plan_is_left_alone(tmp_path: Path):
    put(tmp_path, "klein/1.0.0.yaml")
    for name in ("schema.json", "klein/LEESMIJ.md", "klein/.1.0.1.yaml.swp", "klein/.1.0.1.yaml"):
        (tmp_path / name).write_text("geen plan")
    assert len(Catalogue.load(tmp_path)) == 1


def test_folder_without_plans_is_refused(tmp_path: Path):
    assert told(tmp_path) == [f"{tmp_path}:1:1  holds no step plan; put one in <plan id>/<version>.yaml"]
    assert told(tmp_path / "weg")


def test_precedence_is_that_of_semantic_versioning():
    """The order in section 11 of the specification."""
    ordered = [
        "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0",
    ]  # fmt: skip
    shuffled = [*ordered[1::2], *ordered[::2]]
    assert sorted(shuffled, key=precedence) == ordered
