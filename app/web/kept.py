"""What somebody typed and sent while no longer signed in. It travels along through the sign-in page in hidden fields,
and is offered to be sent again: nothing is stored on the server for somebody whom we don't know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app.web.forms import typed_text

PREFIX: Final = "bewaard."
INCOMPLETE_FIELD: Final = "bewaard-onvolledig"
TARGET_FIELD: Final = "verder"
KEPT_BYTES_MAX: Final = 512 * 1024  # names and texts; a whole step of long answers is a tenth of it
PATH_LENGTH_MAX: Final = 2000

# Sending these again after signing in has no sense.
_NOT_A_PLACE: Final = ("/inloggen", "/inloggen/code", "/inloggen/instellen", "/uitloggen", "/gemeente")


@dataclass(frozen=True, slots=True)
class Kept:
    """`target` is the local address that it was sent to. `is_complete` is False if something can't travel along:
    a chosen file, or more text than fits."""

    target: str
    fields: tuple[tuple[str, str], ...]
    is_complete: bool

    @property
    def texts(self) -> list[str]:
        """To show to its writer: what looks like a sentence, not what the page itself added."""
        return [value for _, value in self.fields if len(value.split()) > 1]


def local_path(address: str) -> str:
    """The address if it is a path of ours, else "/".

    Browsers read a backslash as a slash and skip tabs and line ends, so `/\\evil.example` is another site.
    """
    if not address.startswith("/") or len(address) > PATH_LENGTH_MAX:
        return "/"
    if address.startswith("//") or "\\" in address or not address.isprintable():
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path in _NOT_A_PLACE:
        return "/"
    return address


def address_of(request: Request) -> str:
    # The server has decoded the path; a %3F in it must not become the start of a query.
    path = quote(request.scope["path"], safe="/~!$&'()*+,;=:@")
    query = f"?{request.url.query}" if request.url.query else ""
    return local_path(f"{path}{query}")


def keep(request: Request, form: FormData) -> Kept | None:
    """The texts of a refused request; None if there is nothing to send again."""
    target = address_of(request)
    if target == "/":
        return None
    has_files = any(isinstance(value, UploadFile) and value.filename for _, value in form.multi_items())
    return _bounded(target, typed_text(form), is_complete=not has_files)


def kept_in(form: FormData) -> Kept | None:
    """What the sign-in page carried along."""
    target = form.get(TARGET_FIELD)
    target = local_path(target) if isinstance(target, str) else "/"
    typed: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if name.startswith(PREFIX) and isinstance(value, str):
            original = name.removeprefix(PREFIX)
            typed[original] = (*typed.get(original, ()), value)
    is_complete = INCOMPLETE_FIELD not in form
    if target == "/" or (not typed and is_complete):
        return None
    return _bounded(target, typed, is_complete=is_complete)


def _bounded(target: str, typed: Mapping[str, tuple[str, ...]], *, is_complete: bool) -> Kept:
    fields: list[tuple[str, str]] = []
    room = KEPT_BYTES_MAX
    for name, values in typed.items():
        for value in values:
            room -= len(name.encode()) + len(value.encode())
            if room < 0:
                return Kept(target, tuple(fields), is_complete=False)
            fields.append((name, value))
    return Kept(target, tuple(fields), is_complete=is_complete)
