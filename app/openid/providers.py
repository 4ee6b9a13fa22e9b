"""Where organisations keep who works for them: the file that OIDC_PROVIDERS_FILE names, read once at start-up.

What each line means: docs/openid-connect.md.
"""

from __future__ import annotations

import tomllib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from app.hosts import is_this_machine
from app.policy import Role

KEY: Final = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
_DOMAIN: Final = r"^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}$"

Text = Annotated[str, Field(min_length=1, max_length=200)]


class ProvidersInvalid(Exception):
    """The file can't be used. The message has one line for each problem, with its place and the remedy."""


class SecondFactor(BaseModel):
    """When the provider itself asked for a second factor, so that we need not. `always` is a promise of who runs it;
    otherwise a sign-in must show one of these values, and ours is asked for the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    always: bool = False
    acr: tuple[Text, ...] = Field(default=(), strict=False)
    amr: tuple[Text, ...] = Field(default=(), strict=False)


class Provider(BaseModel):
    """One sign-in button. `roles_claim` is the path to the claim: ("realm_access", "roles") is nested."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    key: Annotated[str, Field(pattern=KEY)]
    name: Annotated[str, Field(min_length=2, max_length=80)]
    municipality: Text
    issuer: Annotated[str, Field(max_length=400)]
    client_id: Text
    client_secret: Annotated[SecretStr, Field(min_length=8, max_length=4000, strict=False)]
    scopes: tuple[Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")], ...] = Field(
        default=("openid", "profile", "email"), strict=False
    )
    roles_claim: tuple[Text, ...] = Field(default=(), strict=False)
    roles: Mapping[str, Annotated[Role, Field(strict=False)]] = Field(default_factory=dict)
    creates_accounts: bool = False
    email_domains: tuple[Annotated[str, Field(pattern=_DOMAIN)], ...] = Field(default=(), strict=False)
    second_factor: SecondFactor = SecondFactor()
    client_authentication: Literal["basic", "post"] | None = None
    logs_out_there: bool = True

    @field_validator("scopes")
    @classmethod
    def _asks_who(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError('add "openid": without it the provider does not say who somebody is')
        return scopes

    @field_validator("roles_claim", mode="before")
    @classmethod
    def _path(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("issuer")
    @classmethod
    def _address(cls, issuer: str) -> str:
        if problem := address_problem(issuer):
            raise ValueError(problem)
        if urlsplit(issuer).query or urlsplit(issuer).fragment or "{" in issuer:
            raise ValueError("give the issuer exactly as the provider does: one address, without ? # or { }")
        return issuer

    @model_validator(mode="after")
    def _roles_are_whole(self) -> Self:
        if bool(self.roles_claim) != bool(self.roles):
            raise ValueError("roles_claim and roles belong together: give both, or neither to keep roles here")
        if self.creates_accounts and not self.roles:
            raise ValueError(
                "creates_accounts takes roles_claim and roles too: a new account without a role has no use"
            )
        return self

    @property
    def calls_municipality_by_name(self) -> bool:
        """And not by its id, which stays when the name changes."""
        try:
            uuid.UUID(self.municipality)
        except ValueError:
            return True
        return False


def address_problem(address: str) -> str | None:
    """Whether tokens may travel to it: https, or plain http on this machine, to try things out."""
    try:
        parts = urlsplit(address)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return "this is no address; give for instance https://login.example.org/realms/staff"
    if not parts.hostname or not port_is_right or parts.username or not address.isprintable() or " " in address:
        return "this is no address; give for instance https://login.example.org/realms/staff"
    if parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname)):
        return None
    return "use https: whoever listens in on plain http could sign in as anybody"


def load_providers(file: Path, *, is_production: bool) -> tuple[Provider, ...]:
    """In the order of the file.  Raises ProvidersInvalid."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as refused:
        raise ProvidersInvalid(f"OIDC_PROVIDERS_FILE: {file} cannot be read: {refused.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ProvidersInvalid(f"{file}: this is not TOML: {wrong}") from None
    problems = [
        f"{file}: {name}: unknown here; each provider begins with [[provider]]"
        for name in document.keys() - {"provider"}
    ]
    tables = document.get("provider", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ProvidersInvalid(f"{file}: provider: begin each provider with [[provider]], in double brackets")
    if not tables and not problems:
        problems.append(f"{file}: it names no provider; add [[provider]], or leave out OIDC_PROVIDERS_FILE")
    found = []
    for number, table in enumerate(tables, start=1):
        place = f"{file}: provider {number}" + (f" ({table['key']})" if isinstance(table.get("key"), str) else "")
        try:
            found.append(Provider.model_validate(_with_secret(table, file.parent)))
        except ValidationError as refusal:
            problems += [f"{place}: {_told(error)}" for error in refusal.errors()]
        except _SecretMissing as missing:
            problems.append(f"{place}: {missing}")
    problems += [f"{file}: {problem}" for problem in _together(found, is_production=is_production)]
    if problems:
        raise ProvidersInvalid("\n".join(problems))
    return tuple(found)


class _SecretMissing(Exception): ...


def _with_secret(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """`client_secret_file` in place of the secret itself; a relative one is seen from the folder of the file."""
    named = table.get("client_secret_file")
    rest = {name: value for name, value in table.items() if name != "client_secret_file"}
    if named is None:
        if "client_secret" not in table:
            raise _SecretMissing("client_secret_file: name the file that holds the secret, or give client_secret")
        return rest
    if "client_secret" in table or not isinstance(named, str):
        raise _SecretMissing("client_secret_file: give the name of one file, and no client_secret beside it")
    try:
        return {**rest, "client_secret": (folder / named).read_text(encoding="utf-8").strip()}
    except (OSError, UnicodeDecodeError) as refused:
        why = getattr(refused, "strerror", None) or "it is no text"
        raise _SecretMissing(f"client_secret_file: {folder / named} cannot be read: {why}") from None


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "missing":
            message = "this is missing; add it"
        case "extra_forbidden":
            message = f"unknown; known are {', '.join(sorted([*Provider.model_fields, 'client_secret_file']))}"
        case "enum":
            message = f"this is no role; roles are {', '.join(Role)}"
        case "string_pattern_mismatch" if place == "key":
            message = "use 1 to 40 small letters, digits and hyphens; it stands in addresses and stays the same"
    return f"{place}: {message}" if place else message


def _together(providers: list[Provider], *, is_production: bool) -> Iterator[str]:
    for key, count in Counter(provider.key for provider in providers).items():
        if count > 1:
            yield f"key {key!r} stands there {count} times; give each provider a key of its own"
    for (issuer, client_id), count in Counter((each.issuer, each.client_id) for each in providers).items():
        if count > 1:
            # One client of ours per municipality: otherwise a token for the one would be as good at the other.
            yield f"issuer {issuer} with client_id {client_id!r} stands there {count} times; use a client for each"
    if is_production:
        for each in providers:
            if not each.issuer.startswith("https://"):
                yield f"provider {each.key}: issuer: use https in production"
