"""What is filled in about a deputy."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field

from app.storage.mandates import GROUND_LENGTH_MAX
from app.web.forms import DutchDate, Form
from app.web.i18n import N_


class MandateForm(Form):
    mandator: Annotated[uuid.UUID, Field(alias="afwezig", title=N_("Who is absent?"))]
    deputy: Annotated[uuid.UUID, Field(alias="vervanger", title=N_("Who decides instead?"))]
    first_day: Annotated[DutchDate, Field(alias="van", title=N_("First day"))]
    last_day: Annotated[DutchDate, Field(alias="tot", title=N_("Last day"))]
    ground: Annotated[
        str, Field(alias="grondslag", title=N_("Legal ground"), min_length=3, max_length=GROUND_LENGTH_MAX)
    ]
