"""What is filled in when asking for approval and when deciding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from starlette.datastructures import FormData

from app.web.forms import Form
from app.web.i18n import N_

MESSAGE_MAX = 2_000  # characters
FINDING = "reden."  # followed by the id of a step

Shown = Annotated[str, Field(alias="shown", title=N_("Seal"), pattern="^[0-9a-f]{64}$")]
Revision = Annotated[int, Field(alias="revision", title=N_("Version of the page"), ge=1, le=10**9)]


class RequestForm(Form):
    shown: Shown
    revision: Revision
    message: Annotated[str, Field(alias="bericht", title=N_("Message for the manager"), max_length=MESSAGE_MAX)] = ""


class DecisionForm(Form):
    shown: Shown
    revision: Revision
    decision: Annotated[Literal["akkoord", "terugsturen"], Field(alias="besluit", title=N_("Decision"))]
    remark: Annotated[str, Field(alias="opmerking", title=N_("Remark"), max_length=MESSAGE_MAX)] = ""


class WithdrawForm(Form):
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=MESSAGE_MAX)] = ""


def split_findings(posted: FormData) -> tuple[FormData, dict[str, str]]:
    """The fixed fields, and per step what should change there: those fields differ per plan."""
    fixed = FormData([(name, value) for name, value in posted.multi_items() if not name.startswith(FINDING)])
    findings = {
        name.removeprefix(FINDING): value[:MESSAGE_MAX]
        for name, value in posted.multi_items()
        if name.startswith(FINDING) and isinstance(value, str) and value.strip()
    }
    return fixed, findings
