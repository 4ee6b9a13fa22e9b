"""What is filled in to share a run with an adviser, to give advice and to answer it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.engine.run import Followed
from app.storage.texts import TEXT_MAX
from app.web.forms import DutchDate, Form
from app.web.i18n import N_

QUESTION_MAX = 2_000  # characters
FOLLOWED = {Followed.WHOLLY: N_("Followed"), Followed.PARTLY: N_("Followed in part"), Followed.NOT: N_("Not followed")}


class ShareForm(Form):
    adviser: Annotated[str, Field(alias="adviseur", title=N_("Adviser"), min_length=1)]
    question: Annotated[str, Field(alias="vraag", title=N_("What do you ask?"), max_length=QUESTION_MAX)] = ""
    wanted_by: Annotated[DutchDate | None, Field(alias="voor", title=N_("Advice wanted by"))] = None


class AdviceForm(Form):
    ref: Annotated[str, Field(alias="fase", title=N_("What is your advice about?"))] = ""
    text: Annotated[str, Field(alias="advies", title=N_("Your advice"), min_length=1, max_length=TEXT_MAX)]
    grounds: Annotated[list[str], Field(alias="gronden", title=N_("For whom does this matter?"), max_length=50)] = []


class AnswerForm(Form):
    followed: Annotated[Followed, Field(alias="gevolg", title=N_("What did you do with it?"))]
    reason: Annotated[str, Field(alias="reden", title=N_("Because"), min_length=1, max_length=TEXT_MAX)]
