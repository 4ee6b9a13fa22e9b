"""What claims mean here."""

from __future__ import annotations

from typing import Any

import pytest

from app.openid.claims import identity_of, lacks
from app.openid.client import Refused
from app.policy import Role
from tests.openid.providers import RealProvider

REAL = RealProvider("https://login.zonnedam.example")
ENTRA = REAL.provider(roles_claim="groups", roles={"8f3c": "manager"}, email_domains=(), second_factor={"amr": ["mfa"]})


def identity(provider: Any = ENTRA, **claims: Any) -> Any:
    return identity_of(provider, {"sub": "s", "iss": REAL.issuer, **claims})


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"groups": ["8f3c", "onbekend"]}, {Role.MANAGER}),
        ({"groups": "8f3c"}, {Role.MANAGER}),
        ({"groups": []}, set()),
        ({}, set()),
        ({"groups": None}, set()),
        ({"groups": {"8f3c": True}}, set()),
        ({"groups": [["8f3c"], {"x": 1}, 8, None]}, set()),
        ({"groups": ["8F3C"]}, set()),
        ({"groups": ["manager"]}, set()),
    ],
)
def test_only_values_of_the_settings_become_roles(claims: dict[str, Any], roles: set[Role]):
    assert identity(**claims).roles == roles


@pytest.mark.parametrize("claims", [{"realm_access": {"roles": ["beleid"]}}, {"realm_access": {"roles": "beleid"}}])
def test_nested_claim_is_followed(claims: dict[str, Any]):
    assert identity(REAL.provider(email_domains=()), **claims).roles == {Role.POLICY_OFFICER}


@pytest.mark.parametrize(
    "claims", [{"realm_access": ["roles"]}, {"realm_access": "roles"}, {"realm_access.roles": ["beleid"]}]
)
def test_claim_of_another_shape_gives_nothing(claims: dict[str, Any]):
    assert identity(REAL.provider(email_domains=()), **claims).roles == frozenset()


def test_without_a_claim_in_the_settings_roles_are_kept_here():
    local = REAL.provider(roles_claim=(), roles={}, creates_accounts=False, email_domains=())
    assert identity(local, groups=["8f3c"]).roles is None


def test_groups_that_were_left_out_are_not_no_groups():
    with pytest.raises(Refused, match="roles_left_out"):
        identity(_claim_names={"groups": "src1"})
    assert identity(_claim_names={"iets": "src1"}).roles == frozenset()


@pytest.mark.parametrize(
    ("claims", "proven"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": [["mfa"]]}, False),
        ({"acr": "mfa"}, False),
        ({}, False),
    ],
)
def test_second_factor_is_believed_when_a_value_of_the_settings_is_shown(claims: dict[str, Any], proven: bool):
    assert identity(**claims).has_second_factor is proven


def test_second_factor_by_level_and_by_promise():
    level = REAL.provider(second_factor={"acr": ["hoog"]}, email_domains=())
    assert identity(level, acr="hoog").has_second_factor
    assert not identity(level, acr="laag").has_second_factor
    assert not identity(level, acr=["hoog"]).has_second_factor
    assert identity(REAL.provider(email_domains=())).has_second_factor


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Anna de Wit"}, "Anna de Wit"),
        ({"given_name": "Anna", "family_name": "de Wit"}, "Anna de Wit"),
        ({"preferred_username": "awit"}, "awit"),
        ({"name": " \t", "preferred_username": "awit"}, "awit"),
        ({"name": "Anna\u202e\x00\n de\u00a0 Wit"}, "Anna de Wit"),
        ({"name": ["Anna"], "email": "anna@zonnedam.example"}, "anna@zonnedam.example"),
        ({"name": "x" * 500}, "x" * 100),
        ({}, ""),
    ],
)
def test_name_is_one_line_without_tricks(claims: dict[str, Any], name: str):
    assert identity(**claims).name == name


@pytest.mark.parametrize(
    "email",
    [
        "geen adres",
        "@zonnedam.example",
        "a@b@zonnedam.example",
        "a b@zonnedam.example",
        "a\x00@zonnedam.example",
        7,
        None,
    ],
)
def test_mail_address_must_be_one(email: object):
    with pytest.raises(Refused, match="email_domain"):
        identity(REAL.provider(), email=email)


@pytest.mark.parametrize(
    "email", ["a@zonnedam.example.kwaad.example", "a@kwaadzonnedam.example", "a@sub.zonnedam.example"]
)
def test_domain_is_compared_as_a_whole(email: str):
    with pytest.raises(Refused, match="email_domain"):
        identity(REAL.provider(), email=email)
    assert identity(REAL.provider(), email=" Anna@Zonnedam.Example ").email == "anna@zonnedam.example"


def test_more_is_asked_for_only_when_something_is_missing():
    provider = REAL.provider()
    whole = {"name": "Anna", "email": "a@zonnedam.example", "realm_access": {"roles": []}}
    assert not lacks(provider, whole)
    assert all(lacks(provider, {k: v for k, v in whole.items() if k != name}) for name in whole)
