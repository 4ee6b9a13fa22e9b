"""What an operator fills in about a municipality."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.storage.installation import NAME_LENGTH_MAX
from app.web.forms import Form
from app.web.i18n import N_

_Name = Annotated[
    str, Field(alias="gemeente", title=N_("Name of the municipality"), min_length=2, max_length=NAME_LENGTH_MAX)
]


class RenameForm(Form):
    name: _Name


class AdministratorForm(Form):
    person: Annotated[str, Field(alias="naam", title=N_("Name"), min_length=2, max_length=100)]
    email: Annotated[
        str,
        Field(
            alias="e-mail", title=N_("E-mail address"), max_length=254, pattern=r"^[^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+$"
        ),
    ]


class AddForm(AdministratorForm):
    name: _Name
