"""The lock files satisfy what pyproject.toml and package.json ask for, and name no registry."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = [ROOT / "requirements" / name for name in ("run.lock", "dev.lock", "node.lock")]
LOCKED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
WHAT_TO_DO = "run `make lock` and commit what it writes"


def locked(path: Path) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for name, version, marker in LOCKED.findall(path.read_text(encoding="utf-8")):
        requirement = Requirement(f"{name}=={version}" + (f" ; {marker}" if marker else ""))
        if requirement.marker is None or requirement.marker.evaluate():
            found.setdefault(canonicalize_name(name), []).append(requirement)
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("run.lock", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["build"]),
        ("dev.lock", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_lock_satisfies_the_project(lock: str, wanted: list[str]):
    versions = locked(ROOT / "requirements" / lock)
    for text in wanted:
        requirement = Requirement(text)
        found = versions.get(canonicalize_name(requirement.name))
        assert found, f"{requirement.name} is not in requirements/{lock}; {WHAT_TO_DO}"
        [pin] = found
        [version] = [specifier.version for specifier in pin.specifier]
        assert version in requirement.specifier, f"{pin} does not satisfy {text}; {WHAT_TO_DO}"


def test_tests_run_with_the_versions_that_users_get():
    run, dev = locked(LOCKS[0]), locked(LOCKS[1])
    assert {name: dev.get(name) for name in run} == run, WHAT_TO_DO


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_each_locked_package_has_a_hash_and_no_address(lock: Path):
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)
    assert [entry.split()[0] for entry in entries if entry and "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text


def test_front_end_lock_has_hashes_and_no_addresses():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_front_end_lock_is_of_this_package_json():
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""][kind] == wanted[kind], WHAT_TO_DO
        for name, version in wanted[kind].items():
            assert lock["packages"][f"node_modules/{name}"]["version"] == version, WHAT_TO_DO
