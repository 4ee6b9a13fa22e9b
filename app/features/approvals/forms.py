"""What is filled in when asking for approval and when deciding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from starlette.datastructures import FormData

from app.web.forms import NUL, SENTENCES, TWICE, Form, FormInvalid, Problem, parse, typed_text
from app.web.i18n import N_

MESSAGE_MAX = 2_000  # characters
FINDING = "reden."  # followed by the id of a step
LABEL = N_("Reason")

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
    reason: Annotated[str, Field(alias="reden", title=LABEL, max_length=MESSAGE_MAX)] = ""


def parse_decision(posted: FormData) -> tuple[DecisionForm, dict[str, str]]:
    """The decision, and by step what should change there: those fields differ per plan.
    Raises FormInvalid with the problems of both."""
    fixed = FormData([(name, value) for name, value in posted.multi_items() if not name.startswith(FINDING)])
    findings: dict[str, str] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(name for name in posted if name.startswith(FINDING)):
        texts = [value for value in posted.getlist(name) if not isinstance(value, str) or value.strip()]
        text = texts[0] if texts else ""
        if len(texts) > 1 or not isinstance(text, str):
            problems.append(Problem(name, TWICE, LABEL))
        elif "\x00" in text:
            problems.append(Problem(name, NUL, LABEL))
        elif len(text.replace("\r\n", "\n").strip()) > MESSAGE_MAX:
            problems.append(Problem(name, SENTENCES["string_too_long"], LABEL, {"max_length": MESSAGE_MAX}))
        elif text:
            findings[name.removeprefix(FINDING)] = text
    try:
        form = parse(DecisionForm, fixed)
    except FormInvalid as invalid:
        raise FormInvalid(typed_text(posted), [*invalid.problems, *problems]) from None
    if problems:
        raise FormInvalid(typed_text(posted), problems)
    return form, findings
