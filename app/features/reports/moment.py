"""Of which moment a report is: how the run stands now, or stood at the end of a day that the reader chooses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import Field
from starlette.datastructures import FormData

from app.storage.run_at import NotBegunYet
from app.web.formats import Formats, day_of
from app.web.forms import DutchDate, Form, FormInvalid, parse, refuse
from app.web.i18n import N_, Language

FIELD: Final = "stand"
LABEL: Final = N_("As it stood on")


class MomentForm(Form):
    on: Annotated[DutchDate | None, Field(alias=FIELD, title=LABEL)] = None


def moment_of(typed: str, *, at: datetime) -> date | None:
    """None for now.  Raises FormInvalid for what is no date, and for a day that is still to come."""
    form = _form(typed)
    on = parse(MomentForm, form).on
    if on is not None and on > day_of(at):
        raise refuse(form, FIELD, N_("That day is still to come. Choose today or an earlier day."), label=LABEL)
    return on


def not_begun(typed: str, early: NotBegunYet, language: Language) -> FormInvalid:
    sentence = N_("The trajectory had not begun then. Choose %(day)s or a later day.")
    return refuse(_form(typed), FIELD, sentence, label=LABEL, day=Formats(language).date_text(day_of(early.began_at)))


def _form(typed: str) -> FormData:
    return FormData([(FIELD, typed)])
