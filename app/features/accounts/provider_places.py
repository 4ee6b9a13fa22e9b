"""Which municipality a provider opens: the settings call it by its id, or by its name as it was at the start."""

from __future__ import annotations

from collections.abc import Iterable

from app.openid.providers import Provider, ProvidersInvalid
from app.storage import accounts, provider_accounts
from app.storage.database import Database


def placed(database: Database, providers: Iterable[Provider]) -> tuple[Provider, ...]:
    """With ids in place of names, so that a provider stays whose it is when a municipality gets another name.

    Raises ProvidersInvalid: a name with a slip of the pen would keep everybody out, and tell nobody why."""
    if not (named := tuple(providers)):
        return ()
    with database.read() as session:
        found = {each.key: provider_accounts.municipality_called(session, each.municipality) for each in named}
        known = ", ".join(f"{name} ({id})" for name, id in accounts.municipality_ids(session)) or "none yet"
    if problems := [
        f"OIDC_PROVIDERS_FILE: provider {each.key}: there is no municipality {each.municipality!r}, or it has another "
        f"name now; known: {known}. Write the id, which stays the same. A new one is made with: "
        "stappenplan user add … --create"
        for each in named
        if found[each.key] is None
    ]:
        raise ProvidersInvalid("\n".join(problems))
    return tuple(each.model_copy(update={"municipality": str(found[each.key])}) for each in named)
