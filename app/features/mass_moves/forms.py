"""What an administrator sends: which runs go to which version, and why."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.web.forms import Form
from app.web.i18n import N_

REASON_MAX = 2_000  # characters
PART_MAX = 60  # characters of an id or a version in a step plan, as its format has it
TICKED, ALL = "aangevinkt", "alle"
RUNS_MAX = 100  # ticked at once; a page shows 25

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
Ticked = Annotated[str, StringConstraints(pattern=f"^{UUID}:[0-9a-f]{{64}}$")]
"""The id of a run, and the digest of the outcome that was shown."""
Part = Annotated[str, StringConstraints(max_length=PART_MAX)]


class StartForm(Form):
    id: Annotated[uuid.UUID, Field(alias="overzetting", title=N_("Version of the page"))]
    plan: Annotated[Part, Field(alias="stappenplan", title=N_("Step plan"))]
    to: Annotated[Part, Field(alias="naar", title=N_("New version"))]
    versions: Annotated[tuple[Part, ...], Field(alias="van", title=N_("Present version"), max_length=100)] = ()
    stage: Annotated[Part, Field(alias="fase", title=N_("Stage"))] = ""
    domain: Annotated[Part, Field(alias="domein", title=N_("Domain"))] = ""
    page: Annotated[int, Field(alias="pagina", title=N_("Version of the page"), ge=1, le=10**6)] = 1
    who: Annotated[Literal["aangevinkt", "alle"], Field(alias="wie", title=N_("Which trajectories"))] = "aangevinkt"
    shown: Annotated[int, Field(alias="aantal", title=N_("Which trajectories"), ge=0, le=10**9)]
    runs: Annotated[tuple[Ticked, ...], Field(alias="traject", title=N_("Trajectories"), max_length=RUNS_MAX)] = ()
    reason: Annotated[str, Field(alias="reden", title=N_("Why do they move?"), max_length=REASON_MAX)]

    def ticked(self) -> dict[str, str]:
        """The digest that was shown, by the id of the run."""
        return dict(each.split(":") for each in self.runs)
