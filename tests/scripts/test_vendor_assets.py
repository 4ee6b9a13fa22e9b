"""Front-end files are copied whole or not at all, each with a licence that we know."""

import json
from pathlib import Path

import pytest

from scripts.vendor_assets import PACKAGES, copy_assets


@pytest.fixture
def node_modules(tmp_path: Path) -> Path:
    folder = tmp_path / "node_modules"
    for package in PACKAGES:
        about = {"license": package.licence, "version": "1.0.0"}
        for name in [*package.files, *package.licence_files, "package.json"]:
            path = folder / package.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(about) if name == "package.json" else name)
    return folder


def test_each_file_and_licence_is_copied_and_listed(node_modules: Path, tmp_path: Path):
    target = tmp_path / "vendor"
    copy_assets(node_modules, target)

    listed = json.loads((target / "packages.json").read_text())
    assert [package["name"] for package in listed] == [package.name for package in PACKAGES]
    for package in listed:
        assert package["licenceFiles"]
        for name in package["files"] + package["licenceFiles"]:
            assert (target / name).is_file()


def test_old_files_do_not_stay(node_modules: Path, tmp_path: Path):
    target = tmp_path / "vendor"
    copy_assets(node_modules, target)
    (target / "old.js").write_text("")
    copy_assets(node_modules, target)
    assert not (target / "old.js").exists()


def test_missing_file_is_named_and_nothing_is_replaced(node_modules: Path, tmp_path: Path):
    target = tmp_path / "vendor"
    copy_assets(node_modules, target)
    (node_modules / "htmx.org/dist/htmx.min.js").unlink()

    with pytest.raises(SystemExit, match=r"htmx\.org 1\.0\.0 has no file dist/htmx\.min\.js"):
        copy_assets(node_modules, target)
    assert (target / "htmx/htmx.min.js").exists()


def test_changed_licence_is_refused(node_modules: Path, tmp_path: Path):
    (node_modules / "htmx.org/package.json").write_text('{"license": "GPL-3.0", "version": "3.0.0"}')
    with pytest.raises(SystemExit, match=r"htmx\.org: licence is now GPL-3\.0"):
        copy_assets(node_modules, tmp_path / "vendor")
