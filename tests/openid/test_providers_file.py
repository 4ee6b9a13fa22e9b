"""The file that OIDC_PROVIDERS_FILE names: what is wrong is told at start-up, with its place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.openid.providers import ProvidersInvalid, load_providers
from app.policy import Role

WHOLE = """
[[provider]]
key = "zonnedam"
name = "Gemeente Zonnedam"
municipality = "Zonnedam"
issuer = "https://login.zonnedam.example/realms/medewerkers"
client_id = "stappenplan"
client_secret_file = "geheim"
roles_claim = ["realm_access", "roles"]
roles = { "stappenplan-beleid" = "policy_officer", "stappenplan-leiding" = "manager" }
creates_accounts = true
email_domains = ["zonnedam.example"]
second_factor = { amr = ["mfa"] }
"""


def a_file(folder: Path, text: str = WHOLE) -> Path:
    (folder / "geheim").write_text("een lang geheim\n", encoding="utf-8")
    file = folder / "providers.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, text: str, *, is_production: bool = True) -> list[str]:
    file = a_file(folder, text)
    with pytest.raises(ProvidersInvalid) as refusal:
        load_providers(file, is_production=is_production)
    return str(refusal.value).replace(str(folder), "…").splitlines()


def test_whole_file_is_read(tmp_path: Path):
    (provider,) = load_providers(a_file(tmp_path), is_production=True)
    assert provider.client_secret.get_secret_value() == "een lang geheim"
    assert provider.roles == {"stappenplan-beleid": Role.POLICY_OFFICER, "stappenplan-leiding": Role.MANAGER}
    assert provider.roles_claim == ("realm_access", "roles")
    assert provider.scopes == ("openid", "profile", "email")
    assert "lang geheim" not in repr(provider)


def test_claim_at_the_top_needs_no_path(tmp_path: Path):
    text = WHOLE.replace('["realm_access", "roles"]', '"groups"')
    (provider,) = load_providers(a_file(tmp_path, text), is_production=True)
    assert provider.roles_claim == ("groups",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('key = "zonnedam"\n', "", "…/providers.toml: provider 1: key: this is missing; add it"),
        ('"zonnedam"', '"Zonne dam"', "use 1 to 40 small letters, digits and hyphens"),
        ("https://login", "http://login", "issuer: use https"),
        ("/medewerkers", "/{tenantid}", "issuer: give the issuer exactly"),
        ("/medewerkers", "?x=1", "issuer: give the issuer exactly"),
        ("https://login.zonnedam.example", "login", "issuer: this is no address"),
        ('"policy_officer"', '"baas"', "roles.stappenplan-beleid: this is no role; roles are policy_officer, manager"),
        ('roles_claim = ["realm_access", "roles"]\n', "", "roles_claim and roles belong together"),
        ('"geheim"', '"weg"', "client_secret_file: …/weg cannot be read: No such file"),
        ('client_secret_file = "geheim"\n', "", "client_secret_file: name the file that holds the secret"),
        ('client_secret_file = "geheim"', 'client_secret = "kort"', "client_secret: Value should have at least 8"),
        ("creates_accounts", "maakt_accounts", "maakt_accounts: unknown; known are client_authentication"),
        ('"zonnedam.example"]', '"@zonnedam"]', "email_domains.0: String should match pattern"),
        ('{ amr = ["mfa"] }', "{ altijd = true }", "second_factor.altijd: unknown"),
        ("[[provider]]", "[provider]", "provider: begin each provider with [[provider]], in double brackets"),
        ("[[provider]]", "[[providers]]", "providers: unknown here; each provider begins with [[provider]]"),
        ("key =", "key", "this is not TOML"),
        (WHOLE, "", "it names no provider"),
        ("creates_accounts = true", 'creates_accounts = true\nscopes = ["profile"]', 'scopes: add "openid"'),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_remedy(tmp_path: Path, old: str, new: str, told: str):
    text = WHOLE.replace(old, new)
    assert text != WHOLE
    found = problems(tmp_path, text)
    assert any(told in line for line in found), found
    assert all(line.startswith("…/providers.toml: ") for line in found)
    assert not any("kort" in line or "lang geheim" in line for line in found)


def test_all_problems_are_told_at_once(tmp_path: Path):
    text = WHOLE.replace("https:", "ftp:").replace('"manager"', '"chef"') + WHOLE.replace("[realm", "x")
    assert len(problems(tmp_path, text)) >= 2


def test_providers_do_not_share_a_key_or_a_client(tmp_path: Path):
    assert problems(tmp_path, WHOLE + WHOLE) == [
        "…/providers.toml: key 'zonnedam' stands there 2 times; give each provider a key of its own",
        "…/providers.toml: issuer https://login.zonnedam.example/realms/medewerkers with client_id 'stappenplan' "
        "stands there 2 times; use a client for each",
    ]
    other = WHOLE.replace('"zonnedam"', '"veldam"').replace('"stappenplan"', '"stappenplan-veldam"')
    assert len(load_providers(a_file(tmp_path, WHOLE + other), is_production=True)) == 2


def test_plain_http_on_this_machine_is_for_trying_out_only(tmp_path: Path):
    text = WHOLE.replace("https://login.zonnedam.example", "http://localhost:8080")
    assert load_providers(a_file(tmp_path, text), is_production=False)
    assert problems(tmp_path, text) == ["…/providers.toml: provider zonnedam: issuer: use https in production"]


def test_absent_file_is_told(tmp_path: Path):
    with pytest.raises(ProvidersInvalid, match=r"OIDC_PROVIDERS_FILE: .*weg\.toml cannot be read: No such file"):
        load_providers(tmp_path / "weg.toml", is_production=False)
