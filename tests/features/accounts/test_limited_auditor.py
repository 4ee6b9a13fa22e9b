"""An auditor from outside: chosen runs, a period, and what is read is recorded."""

import re
import uuid

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.storage.database import Database
from app.storage.tables import AccountEvent
from tests.features.client import World, a_world

ELSEWHERE = ("/beheer/logboek", "/beheer/overzetten", "/geschiedenis", "/geschiedenis/export")


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def limit(world: World, *runs: str, van: str = "", tot: str = "", login: str = "emma") -> int:
    fields = {"welke": "gekozen" if runs else "alle", "trajecten": runs, "van": van, "tot": tot}
    address = f"/beheer/gebruikers/{world.users[login]}/auditor"
    status: int = world.browser("ferry").post(address, fields, follow_redirects=False).status_code
    return status


def told(world: World, kind: str) -> str:
    return str(world.browser("ferry").get(f"/beheer/logboek?wat={kind}").text)


def test_auditor_with_chosen_runs_sees_nothing_else(world: World):
    anna, emma = world.browser("anna"), world.browser("emma")
    chosen, other = world.a_run(anna), world.a_run(anna, name="Niet gekozen")
    assert all(emma.get(address).status_code == 200 for address in ELSEWHERE[:3])
    assert limit(world, chosen, tot="2026-12-31") == 303
    overview = emma.get("/").text
    assert "U hebt toegang tot en met 31 december 2026." in overview
    assert "Niet gekozen" not in overview
    assert "1 traject</p>" in overview
    assert "Niet gekozen" not in emma.get("/?zoek=gekozen", htmx=True).text
    for part in ("", "/rapport", "/rapport/csv", "/geschiedenis", "/bewijsstukken", "/advies", "/checklist"):
        assert emma.get(f"/trajecten/{chosen}{part}").status_code == 200, part
        assert emma.get(f"/trajecten/{other}{part}").status_code == 404, part
    assert [emma.get(address).status_code for address in ELSEWHERE] == [403] * 4
    assert (
        "1 gekozen traject, tot en met 31 december 2026."
        in world.browser("ferry").get(f"/beheer/gebruikers/{world.users['emma']}").text
    )
    assert "Toegang van de auditor gewijzigd" in told(world, "beheer")
    assert limit(world) == 303
    assert emma.get(f"/trajecten/{other}").status_code == 200


def test_period_begins_and_ends_by_itself_at_dutch_midnight(world: World):
    run, emma = world.a_run(world.browser("anna")), world.browser("emma")
    today = world.clock.at.date().isoformat()
    assert limit(world, van=today, tot=today) == 303
    assert emma.get(f"/trajecten/{run}").status_code == 200
    world.clock.at = world.clock.at.replace(hour=22, minute=50)  # 23:50 in the Netherlands
    tonight = World.browser(world, "emma")
    with world.database.write() as session:
        session.execute(sa.text("UPDATE login_session SET seen_at = :at"), {"at": world.clock.at.replace(tzinfo=None)})
        session.execute(sa.text("UPDATE login_session SET expires_at = '2099-01-01 00:00:00'"))
    assert tonight.get(f"/trajecten/{run}").status_code == 200
    world.clock.advance(minutes=11)
    ended = tonight.get(f"/trajecten/{run}")
    assert ended.status_code == 200
    assert "Uw toegang tot Zonnedijk als auditor is na" in ended.text
    assert tonight.post(f"/trajecten/{run}/advies/geven", {}).status_code == 403


def test_limit_that_cannot_be_is_refused_with_what_was_typed(world: World):
    world.a_run(world.browser("anna"))
    assert limit(world, van="2027-02-01", tot="2027-01-01") == 422
    empty = {"welke": "gekozen", "tot": "2027-01-01"}
    page = world.browser("ferry").post(f"/beheer/gebruikers/{world.users['emma']}/auditor", empty)
    assert page.status_code == 422
    assert "Kies minstens één traject." in page.text
    assert "2027-01-01" in page.text
    assert world.browser("ferry").get(f"/beheer/gebruikers/{world.users['anna']}/auditor").status_code == 404
    assert world.browser("ferry").get(f"/beheer/gebruikers/{world.users['gwen']}/auditor").status_code == 404
    assert limit(world, str(uuid.uuid4())) == 303  # a run that is not there opens nothing
    assert "Wonen voor iedereen" not in world.browser("emma").get("/").text


def test_limit_that_somebody_else_set_meanwhile_is_not_overwritten_unseen(world: World):
    run = world.a_run(world.browser("anna"))
    ferry, address = world.browser("ferry"), f"/beheer/gebruikers/{world.users['emma']}/auditor"
    shown = ferry.basis(address, {})
    assert f'value="{shown["based_on"]}"' in ferry.get(address).text
    assert limit(world, run, tot="2026-12-31") == 303

    typed = {"welke": "alle", "van": "2026-11-30", "tot": "", **shown}
    refused = ferry.post(address, typed)

    assert refused.status_code == 409
    for words in ("1 gekozen traject", "31 december 2026", "Wonen voor iedereen", 'value="2026-11-30"'):
        assert words in refused.text
    assert limit(world, run, tot="2026-12-31") == 303, "the same once more"


def test_what_an_auditor_reads_is_recorded_and_what_a_worker_reads_is_not(world: World):
    anna, emma = world.browser("anna"), world.browser("emma")
    run = world.a_run(anna)
    for reader in (anna, emma):
        for part in ("", "/rapport", "/rapport/csv", "/geschiedenis", "/advies"):
            assert reader.get(f"/trajecten/{run}{part}").status_code == 200
    with world.reading() as session:
        rows = session.exec(select(AccountEvent).where(AccountEvent.act != "signed_in")).all()
    read = {(row.act, row.detail["run"]) for row in rows if row.act.startswith(("read_", "took_"))}
    assert read == {(act, run) for act in ("read_report", "took_report", "read_history", "read_advice")}
    assert {str(row.by) for row in rows if row.act.startswith("read_")} == {world.users["emma"]}
    page = told(world, "lezen")
    assert "Haalde een rapport op" in page
    assert f"/trajecten/{run}" in page
    assert len(re.findall("Emma Kok", page)) >= 4


def test_page_is_shown_when_reading_cannot_be_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The whole record is then in the log of the application, as an error."""
    run = world.a_run(world.browser("anna"))

    def refuse(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("database is locked"))

    emma = world.browser("emma")
    emma.get("/")
    monkeypatch.setattr("app.web.read_log.account_log.note", refuse)
    assert emma.get(f"/trajecten/{run}/rapport").status_code == 200
    said = capsys.readouterr()
    assert "reading_not_recorded" in said.out + said.err
    assert run in said.out + said.err
