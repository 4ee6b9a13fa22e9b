"""Each change says what it is based on: the version of what its page showed, in a field of its form.

    Basis = Annotated[str, based_on()]

    @router.post("/trajecten/{run_id}/fasen/{ref}/overslaan")
    def skip_stage(request: Request, …, caller: Worker, posted: Posted, basis: Basis) -> Response:

Without the field the change is refused with 428. Whether it is still what is stored, only the service can know: it
compares, in the transaction of the change, and raises `Outdated` or something of its own (409). Put the declaration
after the caller, so that who may not do this hears that first. app/storage/marks.py makes what the fields carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends
from starlette.exceptions import HTTPException

from app.web.forms import BASIS_FIELD, Posted

# Longer is none of ours, and is never equal to what is stored.
BASIS_LENGTH_MAX: Final = 2_000


class BasisMissing(HTTPException):
    """The form does not say what it is based on: a page of before an update, or one that was made up."""

    def __init__(self, field: str) -> None:
        super().__init__(428, f"{field} is missing")


@dataclass(frozen=True, slots=True)
class BasedOn:
    """Gives the value of the first field. It may be empty where nothing was there yet; absent it may not be."""

    fields: tuple[str, ...]

    async def __call__(self, form: Posted) -> str:
        for field in self.fields:
            if field not in form:
                raise BasisMissing(field)
        value = form[self.fields[0]]
        return value[:BASIS_LENGTH_MAX] if isinstance(value, str) else ""


def based_on(*fields: str) -> Any:
    return Depends(BasedOn(fields or (BASIS_FIELD,)))
