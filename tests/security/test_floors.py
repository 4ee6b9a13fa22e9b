"""What reads requests and files of strangers is never older than the version in which a known weakness was mended."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]

# Package → the first version without the weaknesses that were published (in brackets).
FLOORS = {
    "python-multipart": "0.0.22",  # CVE-2024-24762, CVE-2024-53981, CVE-2026-24486
    "starlette": "0.49.1",  # CVE-2024-47874, CVE-2025-54121, CVE-2025-62727 (Range)
    "jinja2": "3.1.6",  # CVE-2024-56201, CVE-2024-56326, CVE-2025-27516
    "pillow": "11.3.0",  # CVE-2025-48379
    "cryptography": "44.0.1",  # CVE-2024-12797
    "h11": "0.16.0",  # CVE-2025-43859
    "uvicorn": "0.11.7",  # CVE-2020-7694, CVE-2020-7695
    "pyyaml": "5.4",  # CVE-2020-14343
}


@pytest.mark.parametrize("package", FLOORS)
def test_no_component_is_below_its_safe_version(package: str):
    assert Version(version(package)) >= Version(FLOORS[package])


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements/*.lock"), key=str), ids=lambda path: path.name)
def test_no_lock_is_below_it_either(lock: Path):
    pinned = dict(line.split()[0].split("==") for line in lock.read_text().splitlines() if "==" in line)

    for package, floor in FLOORS.items():
        if package in pinned:
            assert Version(pinned[package]) >= Version(floor), package


def test_project_itself_asks_for_no_less():
    for requirement in map(Requirement, _dependencies()):
        if floor := FLOORS.get(requirement.name):
            lowest = [Version(bound.version) for bound in requirement.specifier if bound.operator == ">="]
            assert lowest, f"{requirement} has no lower bound"
            assert lowest[0] >= Version(floor), requirement


def _dependencies() -> list[str]:
    found: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return found
