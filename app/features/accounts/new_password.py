"""Choosing a password: typed twice, and refused with a sentence that helps. Nothing is trimmed or cut off."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import FormData

from app.features.accounts.visit import typed
from app.storage.passwords import Unfit
from app.web.i18n import N_

MISSING: Final = N_("Type a new password.")
DIFFERENT: Final = N_("The two passwords are not the same. Type the new password twice.")
SENTENCES: Final[Mapping[Unfit, str]] = MappingProxyType(
    {
        Unfit.TOO_SHORT: N_("This password is too short. Use at least 12 characters, and rather 15 or more."),
        Unfit.TOO_LONG: N_("This password is too long. Use at most 1,000 characters."),
        Unfit.TOO_COMMON: N_(
            "This password is easy to guess. Take for example four words that do not belong together."
        ),
    }
)


def chosen_password(form: FormData) -> tuple[str, dict[str, str]]:
    """What was typed, and what is wrong with it (message ids by field)."""
    new, again = typed(form, "nieuw-wachtwoord"), typed(form, "nieuw-wachtwoord-2")
    if not new:
        return new, {"nieuw-wachtwoord": MISSING}
    if new != again:
        return new, {"nieuw-wachtwoord-2": DIFFERENT}
    return new, {}


def unfit_sentence(why: Unfit) -> str:
    return SENTENCES[why]
