"""What people fill in to start and steer a run. Field names are those on the page, in Dutch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.datastructures import FormData

from app.features.runs.settings import FIELDS
from app.web.forms import Form, FormInvalid, parse, typed_text
from app.web.i18n import N_

NAME_MAX = 120  # characters; one line in lists and in the report's title
PURPOSE_MAX = 2_000  # characters; a paragraph
REASON_MAX = 2_000

Name = Annotated[str, Field(alias="naam", title=N_("Name of the policy"), min_length=3, max_length=NAME_MAX)]
Purpose = Annotated[str, Field(alias="doel", title=N_("Purpose"), min_length=3, max_length=PURPOSE_MAX)]
Domains = Annotated[list[str], Field(alias="domeinen", title=N_("Domains"), max_length=50)]
Team = Annotated[list[str], Field(alias="team", title=N_("Team"), min_length=1, max_length=100)]
Manager = Annotated[str, Field(alias="leidinggevende", title=N_("Manager"))]


class StartForm(Form):
    plan: Annotated[str, Field(alias="stappenplan", title=N_("Step plan"))]
    name: Name
    purpose: Purpose
    domains: Domains = []
    team: Team
    manager: Manager
    earlier: Annotated[str, Field(alias="eerder", title=N_("Earlier trajectory"))] = ""


class EditForm(Form):
    name: Name
    purpose: Purpose
    domains: Domains = []
    team: Team
    manager: Manager


CHOICE = "keuze."
ASKED = "gevraagd"
"""After a conflict: the fields about which the page asks what stays, and the choices."""


def parse_edit(posted: FormData) -> tuple[EditForm, tuple[str, ...], dict[str, str]]:
    """What was filled in, the fields that were asked about, and what was chosen there.  Raises FormInvalid."""
    fixed = [(name, value) for name, value in posted.multi_items() if name != ASKED and not name.startswith(CHOICE)]
    asked = tuple(field for field in FIELDS if field in posted.getlist(ASKED))
    chosen = {field: str(posted[CHOICE + field]) for field in asked if CHOICE + field in posted}
    try:
        return parse(EditForm, FormData(fixed)), asked, chosen
    except FormInvalid as invalid:
        raise FormInvalid(typed_text(posted), invalid.problems) from None


class ReasonForm(Form):
    """A reason that the engine asks for in its own words when it is missing."""

    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=REASON_MAX)] = ""


class DecisionForm(Form):
    domain: Annotated[str | None, Field(alias="domein", title=N_("Domain"))] = None
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=REASON_MAX)] = ""
