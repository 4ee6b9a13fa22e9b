"""What an administrator sends: a file or its text, and what goes with a release."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.web.forms import Form
from app.web.i18n import N_

REASON_MAX = 2_000  # characters


class UploadForm(Form):
    """A file goes before the text."""

    file: Annotated[Any, Field(alias="bestand", title=N_("File"))] = None
    text: Annotated[str, Field(alias="tekst", title=N_("Text of the file"))] = ""


class ReleaseForm(Form):
    shown: Annotated[str, Field(alias="shown", title=N_("Version of the page"), pattern="^[0-9a-f]{64}$")]
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=REASON_MAX)] = ""


class NothingForm(Form):
    """Of a button alone."""
