"""The page of a stage: where it stands, what is wise now, and for whom."""

from __future__ import annotations

from functools import partial

from tests.features.steps.pages import filled, form_data, text_of
from tests.features.steps.room import Room


def stage(room: Room, login: str = "anna", ref: str = "verkennen.1") -> str:
    page = room.browser(login).get(f"/trajecten/{room.run}/fasen/{ref}")
    assert page.status_code == 200, page.text
    html: str = page.text
    return html


def test_stage_tells_what_it_is_for_and_where_to_go_on(room: Room):
    html = stage(room)
    read = text_of(html)
    for text in ("Vaststellen waar we staan.", "Dan weet u waar u begint.", "Een overzicht en een eerste stap."):
        assert text in read
    assert "Ga verder met: Overzicht maken" in read
    assert f'href="{room.step}">Ga verder' in html
    for title in ("Richtvragen", "Activiteiten", "Valkuilen", "Tips", "Rollen"):
        assert title in read
    assert "Bron: Movisie, Voorbeeldbron" in read
    assert "aanvulling" in read


def test_steps_and_checklist_are_listed_with_their_state_and_what_is_missing(room: Room):
    room.browser("anna").post(room.step, filled(room.form(), naam="Begonnen"))
    html = stage(room)
    read = text_of(html)
    assert "Bezig" in read
    assert "Nog nodig: Is er al een visie? Is er genoeg steun? Er ontbreekt een bewijsstuk: Verslag (0 van 1)." in read
    assert "Opgeslagen door Anna de Wit" in read
    assert "0 van 2 beantwoord" in read
    assert f'href="{room.checklist}"' in html
    assert "Conclusie Kiezen wat eerst komt. Niet verplicht Nog niet begonnen" in read


def test_open_points_of_the_gate_link_to_where_they_can_be_done(room: Room):
    html = stage(room)
    assert "Voordat u akkoord kunt vragen, moet dit klaar zijn:" in text_of(html)
    assert f'href="{room.step}">Stap nog niet klaar: Overzicht maken' in html
    assert f'href="{room.checklist}">Stellingen van de checklist zonder antwoord: 2.' in html
    assert "akkoord-vragen" not in html


def test_complete_stage_leads_to_asking_for_approval(room: Room):
    room.complete_everything()
    html = stage(room)
    assert "2 van 2 onderdelen klaar" in text_of(html)
    assert f'href="{room.stage}/akkoord-vragen">Akkoord vragen' in html


def test_after_asking_the_manager_can_decide_and_others_wait(room: Room):
    room.complete_everything()
    room.ask_approval()
    assert f'href="{room.stage}/beoordelen">Beoordelen' in stage(room, "carla")
    assert "Graag uw oordeel." in text_of(stage(room, "carla"))
    waiting = stage(room)
    assert "/beoordelen" not in waiting
    assert "Carla Smit is gevraagd om te beoordelen." in text_of(waiting)
    assert "Akkoord gevraagd door Anna de Wit" in text_of(waiting)


def test_manager_who_did_the_work_is_told_not_to_decide(room: Room):
    """Carla is the manager of the run and may also work on it."""
    room.add_evidence()
    carla = room.browser("carla")
    carla.post(room.step, filled(room.form("carla"), naam="Door Carla"))
    room.complete_everything()
    room.ask_approval()
    html = stage(room, "carla")
    assert "/beoordelen" not in html
    assert "U werkte zelf aan Verkennen." in text_of(html)


def test_approved_stage_shows_who_decided_when_and_what_was_sealed(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.world.clock.advance(minutes=20)
    room.approve()
    html = stage(room)
    read = text_of(html)
    seal = room.loaded().stages[next(iter(room.loaded().stages))].approvals[0].seal
    assert "Vastgesteld door Carla Smit, 23 november 2026 om 10:20" in read
    assert seal[:12] in read
    assert "Begin ronde 2" in read
    assert "/beoordelen" not in html
    assert f'href="{room.stage}/beoordelen"' in stage(room, "carla")


def test_new_round_is_started_from_the_stage_and_the_earlier_one_stays_readable(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.approve()
    address = f"/trajecten/{room.run}/fasen/verkennen.2"
    form_data(stage(room), f"{address}/starten")
    start = partial(room.browser("anna").post, f"{address}/starten", follow_redirects=False)
    assert start({"reden": " "}).status_code == 409, "a later round takes a reason"
    answer = start({"reden": "De raad vroeg om een <nieuwe> blik."})
    assert "De raad vroeg om een <nieuwe> blik." in text_of(stage(room, ref="verkennen.2"))
    assert answer.headers["location"] == address
    assert f'href="{room.stage}">ronde 1' in stage(room, ref="verkennen.2")
    assert f'href="{address}">ronde 2' in stage(room)
    assert "Overzicht 2026" in text_of(room.browser("anna").get(room.step).text)
    assert f'action="{room.step}"' not in room.browser("anna").get(room.step).text
    assert "Begin ronde 2" not in text_of(stage(room))


def test_stage_that_was_sent_back_leads_to_the_step_with_the_reason(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.send_back("overzicht", "Noem ook de moties.")
    html = stage(room)
    read = text_of(html)
    assert "Teruggestuurd: Noem ook de moties." in read
    assert "Opnieuw bekijken" in read
    assert f'href="{room.step}">Ga verder' in html


def test_stage_that_waits_says_for_what_and_links_to_it(room: Room):
    html = stage(room, ref="beleid.wonen.1")
    read = text_of(html)
    assert "Deze fase kan nog niet beginnen." in read
    assert "Eerst moet dit zijn vastgesteld: Verkennen." in read
    assert f'href="{room.stage}"' in html
    assert "/starten" not in html


def test_stage_against_the_advice_asks_for_a_reason(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.approve()
    html = stage(room, ref="beleid.wonen.1")
    assert "het is wijzer om eerst" in text_of(html)
    assert "Werkgroep . Samen lukt het beter." in text_of(html).replace("Werkgroep.", "Werkgroep .")
    assert 'name="reden"' in html
    address = f"/trajecten/{room.run}/fasen/beleid.wonen.1"
    answer = room.browser("anna").post(f"{address}/starten", {"reden": "De raad vraagt erom."}, follow_redirects=False)
    assert answer.status_code == 303
    assert "De raad vraagt erom." in text_of(stage(room, ref="beleid.wonen.1"))


def test_optional_stage_can_be_started_or_skipped_and_the_skip_undone(room: Room):
    address = f"/trajecten/{room.run}/fasen/werkgroep.1"
    html = stage(room, ref="werkgroep.1")
    form_data(html, f"{address}/starten")
    assert "reden" in form_data(html, f"{address}/overslaan")
    room.browser("anna").post(f"{address}/overslaan", {"reden": "Iedereen is <b>verantwoordelijk</b>."})
    html = stage(room, ref="werkgroep.1")
    assert "Iedereen is <b>verantwoordelijk</b>." in text_of(html)
    assert "<b>verantwoordelijk" not in html
    room.browser("anna").post(f"{address}/overslaan-ongedaan", form_data(html, f"{address}/overslaan-ongedaan"))
    assert "Deze fase kan nu beginnen." in text_of(stage(room, ref="werkgroep.1"))


def test_auditor_and_colleague_outside_the_team_can_read_and_find_no_forms(room: Room):
    room.browser("anna").post(room.step, filled(room.form(), naam="Ons overzicht", visie="ja", visie_bekend=["team"]))
    for login in ("emma", "dirk"):
        for address in (room.stage, room.step, room.checklist):
            html = room.browser(login).get(address).text
            assert f'action="{address}' not in html
            assert "/bewijs" not in html.replace("/bewijsstukken", "")
        read = text_of(room.browser(login).get(room.step).text)
        assert "Hoe heet het overzicht? Ons overzicht Beantwoord door Anna de Wit" in read
        assert "Wie kennen die visie? Het team" in read
    assert "U zit niet in het team" in text_of(room.browser("dirk").get(room.step).text)


def test_stage_page_marks_dutch_texts_in_english(room: Room):
    anna = room.browser("anna")
    anna.client.cookies.set("taal", "en")
    assert '<span lang="nl">Vaststellen waar we staan.</span>' in stage(room)


def test_step_shows_evidence_with_what_is_asked_and_where_to_add_it(room: Room):
    html = room.browser("anna").get(room.step).text
    assert "0 van 1 aanwezig" in text_of(html)
    assert "Van minstens één gesprek." in text_of(html)
    assert f'href="{room.step}/bewijs">Bewijsstuk toevoegen' in html
    id = room.add_evidence("Verslag <3 maart>")
    html = room.browser("anna").get(room.step).text
    assert "1 van 1 aanwezig" in text_of(html)
    assert f'href="/trajecten/{room.run}/bewijsstukken/{id}">Verslag &lt;3 maart&gt;</a>' in html
