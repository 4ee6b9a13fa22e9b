"""Who knocks, as a request tells it."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request

from app.features.accounts.checks import PasswordChecks
from app.features.accounts.service import Visit
from app.storage.database import Database
from app.storage.vault import Vault
from app.web.clock import now
from app.web.forms import FormState
from app.web.i18n import N_, gettext_for, language_of
from app.web.identity import device_mark_of, token_of
from app.web.render import Pages
from app.web.sender import sender_of

CODE_MISSING: Final = N_("Type the code.")
CODE_WRONG: Final = N_("This code is not right, or it was used before. Wait for the next code and try again.")

CODE_LOCKED: Final = N_(
    "Too many wrong codes were typed. Use a recovery code, or ask the administrator to remove your second step."
)


def visit_of(request: Request) -> Visit:
    return Visit(
        at=now(request),
        address=sender_of(request),
        device=request.headers.get("user-agent"),
        previous_token=token_of(request),
        known_as=device_mark_of(request),
    )


def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def vault_of(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


def checks_of(request: Request) -> PasswordChecks:
    checks: PasswordChecks = request.app.state.password_checks
    return checks


def public_url(request: Request) -> str:
    """Where people reach this installation. A demonstration answers on the address that it was asked at."""
    pages: Pages = request.app.state.pages
    return pages.site.public_url if request.app.state.secure_cookies else str(request.base_url).rstrip("/")


def typed(form: FormData, name: str) -> str:
    """Exactly as it was typed: a space at the end may belong to a password."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def form_with(request: Request, errors: dict[str, str], prefix: str = "", **values: Any) -> FormState:
    """`errors`: message ids by field."""
    texts = gettext_for(language_of(request))
    shown = FormState.of(prefix, **values)
    return FormState(shown.values, {name: texts.gettext(sentence) for name, sentence in errors.items()}, prefix)
