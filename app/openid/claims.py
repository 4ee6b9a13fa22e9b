"""What the claims of a sign-in mean here: roles, second factor, name and e-mail address. Values in, values out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.openid.client import Refused
from app.openid.providers import Provider
from app.policy import Role

NAME_LENGTH_MAX: Final = 100
EMAIL_LENGTH_MAX: Final = 254
SID_LENGTH_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody of whom a provider says who it is. `roles` is None where roles are kept here. `email` is only there
    when the provider may vouch for it: of one of its domains, and not said to be unverified."""

    issuer: str
    subject: str
    sid: str | None
    name: str
    email: str | None
    roles: frozenset[Role] | None
    has_second_factor: bool


def lacks(provider: Provider, claims: Mapping[str, Any]) -> bool:
    """Whether it is worth asking the provider for more than the ID token says."""
    wanted = ["name", *(["email"] if provider.email_domains or provider.creates_accounts else [])]
    return any(name not in claims for name in wanted) or (
        bool(provider.roles_claim) and _found(claims, provider.roles_claim) is None
    )


def identity_of(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    """Raises Refused for an e-mail address of another domain, and when roles were left out for lack of room."""
    email = _email(claims)
    if provider.email_domains and (email is None or email.rpartition("@")[2] not in provider.email_domains):
        raise Refused("email_domain")
    sid = claims.get("sid")
    return Identity(
        issuer=provider.issuer,
        subject=claims["sub"],
        sid=sid if isinstance(sid, str) and 0 < len(sid) <= SID_LENGTH_MAX and sid.isprintable() else None,
        name=_name(claims) or email or "",
        email=email,
        roles=_roles(provider, claims),
        has_second_factor=_has_second_factor(provider, claims),
    )


def _roles(provider: Provider, claims: Mapping[str, Any]) -> frozenset[Role] | None:
    if not provider.roles_claim:
        return None
    found = _found(claims, provider.roles_claim)
    elsewhere = claims.get("_claim_names")
    if found is None and isinstance(elsewhere, dict) and provider.roles_claim[0] in elsewhere:
        # Entra ID does so for people in more than 200 groups. Taking it for "no roles" would take them away.
        raise Refused("roles_left_out")
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(provider.roles[value] for value in values if isinstance(value, str) and value in provider.roles)


def _found(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = claims
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _has_second_factor(provider: Provider, claims: Mapping[str, Any]) -> bool:
    asked = provider.second_factor
    amr = claims.get("amr")
    shown = {value for value in amr if isinstance(value, str)} if isinstance(amr, list) else set()
    return asked.always or claims.get("acr") in asked.acr or not shown.isdisjoint(asked.amr)


def _email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") in (False, "false"):
        return None
    email = email.strip().lower()
    is_one = email.count("@") == 1 and email.isprintable() and not any(each in email for each in " ,/")
    return email if is_one and not email.startswith("@") and len(email) <= EMAIL_LENGTH_MAX else None


def _name(claims: Mapping[str, Any]) -> str:
    full = claims.get("name") or " ".join(
        part for part in (claims.get("given_name"), claims.get("family_name")) if isinstance(part, str)
    )
    name = full if isinstance(full, str) and full.strip() else claims.get("preferred_username")
    if not isinstance(name, str):
        return ""
    shown = "".join(" " if unicodedata.category(each)[0] == "Z" else each for each in name)
    # No control characters, and none that turn the direction of what follows.
    kept = "".join(each for each in shown if unicodedata.category(each)[0] != "C")
    return " ".join(kept.split())[:NAME_LENGTH_MAX]
