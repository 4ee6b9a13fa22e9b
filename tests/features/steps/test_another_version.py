"""A form that was opened before the run went on with another version of its plan."""

from __future__ import annotations

from app.storage.verify import verify_run
from tests.features.moving import moved, release
from tests.features.steps.pages import filled, form_data, text_of
from tests.features.steps.room import Room

TYPED = "Wat ik typte vóór de nieuwe versie"


def test_nothing_is_saved_under_questions_that_were_not_on_the_form_and_the_text_stays(room: Room):
    anna = room.browser("anna")
    form = filled(room.form(), beschrijving=TYPED)
    release(room.world, "1.1.0")
    moved(room.world, room.run, "1.1.0")
    before = room.loaded()
    answer = anna.post(room.step, form)
    assert answer.status_code == 409
    assert "Het stappenplan is gewijzigd sinds u deze pagina opende" in text_of(answer.text)
    assert room.loaded() == before
    again = form_data(answer.text, room.step)
    assert again["antwoord.beschrijving"] == [TYPED]
    assert anna.post(room.step, again, follow_redirects=False).status_code == 303
    assert room.answers()["beschrijving"] == TYPED
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_a_form_of_the_present_version_is_saved_as_always(room: Room):
    release(room.world, "1.1.0")
    moved(room.world, room.run, "1.1.0")
    answer = room.browser("anna").post(room.step, filled(room.form(), beschrijving=TYPED), follow_redirects=False)
    assert answer.status_code == 303
