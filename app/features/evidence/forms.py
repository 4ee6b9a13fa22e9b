"""What people fill in to add or withdraw evidence. Field names are those on the page, in Dutch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from fastapi import UploadFile
from pydantic import AfterValidator, Field
from starlette.datastructures import FormData

from app.engine.definition import StepPlan
from app.engine.run import EvidenceForm
from app.web.forms import SENTENCES, DutchDate, Form, FormInvalid, parse, refuse, sentence_error
from app.web.i18n import N_

TITLE_MAX: Final = 160  # characters; two lines on a phone
SOURCE_MAX: Final = 160
URL_MAX: Final = 2_000
NOTE_MAX: Final = 5_000  # two pages; more is a document
REASON_MAX: Final = 2_000
EARLIEST: Final = date(1900, 1, 1)  # an earlier year is a typing error, like 0206

FORM_NAMES: Final[Mapping[str, EvidenceForm]] = {
    "bestand": EvidenceForm.FILE,
    "link": EvidenceForm.LINK,
    "notitie": EvidenceForm.NOTE,
}


def _credible_date(value: date) -> date:
    if not EARLIEST <= value <= date(2200, 1, 1):
        raise sentence_error(N_("Check the year of the date."))
    return value


def _web_address(value: str) -> str:
    """An address that a browser opens as a page, and nothing that hides in one."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or not value.isprintable() or " " in value or "\\" in value:
        raise sentence_error(N_("Type the whole address of the page, starting with https://."))
    if parts.username is not None or parts.password is not None:
        raise sentence_error(N_("Leave out the name and password that stand before the @ in this address."))
    return value


DocumentDate = Annotated[DutchDate, AfterValidator(_credible_date)]


class AddForm(Form):
    """What all evidence has. `key` comes with the page: the same page sent twice adds things once."""

    form: Annotated[str, Field(alias="vorm")]
    key: Annotated[uuid.UUID, Field(alias="sleutel")]
    kind: Annotated[str, Field(alias="soort", title=N_("Kind"), max_length=80)]
    title: Annotated[str, Field(alias="titel", title=N_("Title"), max_length=TITLE_MAX)] = ""
    document_date: Annotated[DocumentDate | None, Field(alias="datum", title=N_("Date of the document"))] = None
    source: Annotated[str, Field(alias="bron", title=N_("Source or author"), max_length=SOURCE_MAX)] = ""
    grounds: Annotated[list[str], Field(alias="gronden", title=N_("Grounds"), max_length=50)] = []
    confidentiality: Annotated[
        Literal["public", "internal", "confidential"],
        Field(alias="vertrouwelijkheid", title=N_("Confidentiality")),
    ]


class FileForm(AddForm):
    """The files themselves come along with `Uploaded`."""

    files: Annotated[list[UploadFile], Field(alias="bestanden", title=N_("Files"))] = []


class LinkForm(AddForm):
    url: Annotated[str, Field(alias="adres", title=N_("Web address"), max_length=URL_MAX), AfterValidator(_web_address)]
    title: Annotated[str, Field(alias="titel", title=N_("Title"), min_length=1, max_length=TITLE_MAX)]


class NoteForm(AddForm):
    note: Annotated[str, Field(alias="notitie", title=N_("Note"), min_length=1, max_length=NOTE_MAX)]
    title: Annotated[str, Field(alias="titel", title=N_("Title"), min_length=1, max_length=TITLE_MAX)]
    document_date: Annotated[DocumentDate, Field(alias="datum", title=N_("Date"))]


_MODELS: Final[Mapping[EvidenceForm, type[AddForm]]] = {
    EvidenceForm.FILE: FileForm,
    EvidenceForm.LINK: LinkForm,
    EvidenceForm.NOTE: NoteForm,
}


def form_named(name: object) -> EvidenceForm:
    """A file unless something else is asked for."""
    return FORM_NAMES.get(str(name), EvidenceForm.FILE)


def read_add_form(posted: FormData, plan: StepPlan) -> AddForm:
    """Raises FormInvalid."""
    try:
        form = parse(_MODELS[form_named(posted.get("vorm"))], posted)
    except FormInvalid as invalid:
        # The evidence itself stands first on the page, and so it does in the list of what is wrong.
        own = ("adres", "notitie", "bestanden")
        raise FormInvalid(invalid.typed, sorted(invalid.problems, key=lambda p: p.name not in own)) from None
    # Only a page that was made up sends these; the plan of a run does not change while somebody fills in a form.
    if form.kind not in plan.evidence_kinds_by_id:
        raise refuse(posted, "soort", SENTENCES["enum"], label=N_("Kind"))
    if not plan.grounds_by_id.keys() >= set(form.grounds):
        raise refuse(posted, "gronden", SENTENCES["enum"], label=N_("Grounds"))
    return form


class WithdrawForm(Form):
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), min_length=1, max_length=REASON_MAX)]
