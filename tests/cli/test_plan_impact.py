"""`stappenplan impact`: which runs a newer version would hit, per municipality, on both databases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.root import app
from app.engine.run import StageRef
from app.engine.run_migration.compare import compare
from app.storage import run_impact
from app.storage.database import Database
from app.storage.plans import pin
from app.storage.run_impact import run_impacts
from tests.databases import urls_of
from tests.features.accounts.building import MONDAY
from tests.features.steps.room import Room, a_room
from tests.plan_versions import small_versions, write_versions

FIRST, SECOND, THIRD = (small_versions()[version].plan for version in ("1.0.0", "1.1.0", "2.0.0"))


@dataclass
class Installation:
    """In Zonnedijk a run with an approved stage, and one of which approval has been asked; in Veldermeer one that was
    only started. Version 2.0.0 is a draft in the folder."""

    room: Room
    submitted: str
    fresh: str
    folder: Path
    env: dict[str, str]

    def __call__(self, *words: str) -> Any:
        return CliRunner().invoke(app, ["impact", *words, "--folder", str(self.folder)], env=self.env)

    def refused(self, *words: str) -> str:
        result = self(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        lines: list[str] = result.stderr.strip().splitlines()
        assert len(lines) == 1, result.stderr
        return lines[0]


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Installation:
    room = a_room(database)
    world = room.world
    room.complete_everything()
    room.ask_approval()
    room.approve()
    with world.database.write() as session:
        pin(session, [small_versions()["1.1.0"]], at=MONDAY)
    other = Room(world, world.a_run(world.browser("anna"), name="Werk voor iedereen"))
    world.browser("anna").post(f"{other.stage}/starten", {})
    other.complete_everything()
    other.ask_approval()
    fresh = world.a_run(world.browser("gwen"), name="Jong in Veldermeer", team=["gwen"], manager="hugo")
    url, owner = ("", "") if database.is_sqlite else urls_of(database)
    env = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url,
        "DATABASE_OWNER_URL": owner,
        "STAPPENPLAN_ENV": "demo",
    }
    return Installation(room, other.run, fresh, write_versions(tmp_path / "stepplans"), env)


def test_each_municipality_has_its_own_runs_with_what_they_would_have_to_do(installation: Installation):
    result = installation("klein-plan@1.0.0", "klein-plan@2.0.0", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["plan"] == "klein-plan"
    assert found["newer"] == {"version": "2.0.0", "digest": THIRD.digest, "status": "draft"}
    assert found["older"] == [
        {"version": "1.0.0", "digest": FIRST.digest},
        {"version": "1.1.0", "digest": SECOND.digest},
    ]
    ours, theirs = sorted(found["municipalities"], key=lambda each: each["municipality"], reverse=True)
    assert (ours["municipality"], theirs["municipality"]) == ("Zonnedijk", "Veldermeer")
    approved = next(each for each in ours["runs"] if each["run"] == installation.room.run)
    assert approved["name"] == "Wonen voor iedereen"
    assert approved["stages"] == approved["approvals"] == ["verkennen.1"]
    assert approved["answers_again"] == 1  # the question with other choices
    assert approved["steps_again"] >= 1
    assert approved["blocked"] == []
    assert theirs["runs"] == []
    assert theirs["totals"]["runs"] == 1
    assert theirs["totals"]["hit"] == 0
    for name, total in found["totals"].items():
        assert total == ours["totals"][name] + theirs["totals"][name]


def test_run_that_cannot_move_now_says_why(installation: Installation):
    result = installation("klein-plan@1.0.0", "klein-plan@2.0.0", "--json")
    runs = [each for place in json.loads(result.stdout)["municipalities"] for each in place["runs"]]
    submitted = next(each for each in runs if each["run"] == installation.submitted)
    assert [each["code"] for each in submitted["blocked"]] == ["move_while_requested"]
    text = installation("klein-plan@1.0.0", "klein-plan@2.0.0").stdout
    assert "cannot move now: Approval of Verkennen has been asked." in text


def test_text_says_it_in_words_with_totals(installation: Installation):
    text = installation("klein-plan@1.0.0", "klein-plan@2.0.0").stdout
    assert text.startswith(f"Klein plan: to klein-plan@2.0.0 (draft)  sha256:{THIRD.digest}\nfrom 1.0.0, 1.1.0\n")
    assert f"  Wonen voor iedereen  (1.0.0, {installation.room.run})\n      in Verkennen\n" in text
    assert "      1 approval that no longer covers its stage\n" in text
    assert "\nVeldermeer\n  0 of 1 run hit\n" in text
    assert "\nTotal of 2 municipalities: 2 of 3 runs hit, 1 cannot move now\n" in text


def test_one_municipality_shows_only_its_own(installation: Installation):
    text = installation("klein-plan@1.0.0", "klein-plan@2.0.0", "--municipality", "Veldermeer").stdout
    assert "Zonnedijk" not in text
    assert "Wonen voor iedereen" not in text
    assert "Total of 1 municipality: 0 of 1 run hit" in text


def test_version_that_asks_nothing_hits_nobody(installation: Installation):
    result = installation("klein-plan@1.0.0", "klein-plan@1.1.0", "--json")
    found = json.loads(result.stdout)
    assert found["totals"]["runs"] == 3
    assert found["totals"]["hit"] == 0


def test_newer_version_that_only_the_database_has_will_do(installation: Installation):
    with installation.room.world.database.write() as session:
        pin(session, [small_versions()["2.0.0"]], at=MONDAY)
    for version in ("1.1.0", "2.0.0"):
        (installation.folder / "klein-plan" / f"{version}.yaml").unlink()
    found = json.loads(installation("klein-plan@1.0.0", "klein-plan@2.0.0", "--json").stdout)
    assert found["newer"]["status"] == "released"
    assert found["totals"]["hit"] == 2


def test_runs_of_a_version_that_does_not_lead_there_do_not_count(installation: Installation):
    with installation.room.world.database.write() as session:
        pin(session, [small_versions()["2.0.0"]], at=MONDAY)
    path = installation.folder / "klein-plan" / "3.0.0.yaml"
    document = {key: value for key, value in small_versions()["2.0.0"].document.items() if key != "changes"}
    path.write_text(json.dumps({**document, "plan": {**document["plan"], "version": "3.0.0"}}))
    found = json.loads(installation("klein-plan@1.1.0", "klein-plan@3.0.0", "--json").stdout)
    assert [each["version"] for each in found["older"]] == ["1.1.0"]
    assert found["totals"]["runs"] == 0


def test_refusals_are_one_line_with_what_to_do(installation: Installation):
    assert installation.refused("klein-pan@1.0.0", "klein-plan@2.0.0") == (
        "No run follows klein-pan@1.0.0: the database does not know it, did you mean klein-plan@1.0.0?"
    )
    assert installation.refused("klein-plan@1.0.0", "klein-plan@2.0") == (
        "There is no step plan klein-plan@2.0, did you mean klein-plan@2.0.0?"
    )
    assert installation.refused("klein-plan@1.1.0", "klein-plan@1.0.0") == (
        "1.0.0 does not come after 1.1.0: name the older version first"
    )
    assert installation.refused("klein-plan@1.0.0", "klein-plan@2.0.0", "--municipality", "Nergens") == (
        "There is no municipality 'Nergens'. Known: Veldermeer, Zonnedijk"
    )


def test_runs_come_page_by_page_each_once(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_impact, "RUNS_PER_SESSION", 1)
    found = json.loads(installation("klein-plan@1.0.0", "klein-plan@2.0.0", "--json").stdout)
    assert found["totals"]["runs"] == 3
    assert len({each["run"] for place in found["municipalities"] for each in place["runs"]}) == 2


def test_loop_gives_the_runs_of_one_municipality_only(installation: Installation):
    world = installation.room.world
    comparisons = {FIRST.digest: compare([FIRST, SECOND, THIRD])}
    found = list(run_impacts(world.database, world.municipalities["Veldermeer"], comparisons))
    assert [each.run_id for each in found] == [installation.fresh]
    assert not found[0].is_hit
    found = list(run_impacts(world.database, world.municipalities["Zonnedijk"], comparisons))
    assert {each.run_id for each in found} == {installation.room.run, installation.submitted}
    assert {each.stages for each in found} == {(StageRef("verkennen"),)}
