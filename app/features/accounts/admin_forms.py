"""What an administrator sends about a user."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field

from app.policy import Role
from app.web.forms import Form
from app.web.i18n import N_

NAME_LENGTH_MAX = 100

Name = Annotated[str, Field(alias="naam", title=N_("Name"), min_length=2, max_length=NAME_LENGTH_MAX)]
# As lax as the standard for mail: whether it arrives, only sending would tell.
EMail = Annotated[
    str,
    Field(alias="e-mail", title=N_("E-mail address"), max_length=254, pattern=r"^[^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+$"),
]


class AddForm(Form):
    name: Name
    email: EMail
    roles: Annotated[list[Role], Field(alias="rollen", title=N_("Roles"), min_length=1)]


class NameForm(Form):
    name: Name


class SamePersonForm(Form):
    login: Annotated[str, Field(alias="ander", title=N_("E-mail address"), min_length=1, max_length=254)]


class OtherPersonForm(Form):
    other: Annotated[uuid.UUID, Field(alias="ander", title=N_("Account"))]


class RolesForm(Form):
    roles: Annotated[list[Role], Field(alias="rollen", title=N_("Roles"), default_factory=list)]
