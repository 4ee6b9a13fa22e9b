"""Settings come from the environment, and what can't be used is said with its name and remedy."""

from pathlib import Path

import pytest

from app.cli.production import production_problems
from app.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("HOST", "PORT", "DATA_DIR", "DATABASE_URL", "DATABASE_OWNER_URL", "STAPPENPLAN_ENV", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_it_serves_a_demonstration_from_a_file(tmp_path: Path):
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.data_dir == tmp_path / "var"
    assert settings.url == f"sqlite:///{tmp_path}/var/stappenplan.sqlite3"
    assert not settings.is_production


def test_environment_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("STAPPENPLAN_ENV", "production")
    settings = load_settings()
    assert settings.port == 8123
    assert settings.url.endswith("/elsewhere/stappenplan.sqlite3")
    assert settings.is_production


def test_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "")
    assert load_settings().port == 8000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_of_postgresql_are_taken_in_all_spellings(monkeypatch: pytest.MonkeyPatch, scheme: str):
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p@db/stappenplan")
    assert load_settings().url == "postgresql+psycopg://u:p@db/stappenplan"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "http", "PORT: "),
        ("PORT", "70000", "PORT: "),
        ("DATABASE_URL", "mysql://secret@db/x", "DATABASE_URL: give postgresql://"),
        ("STAPPENPLAN_ENV", "prod", "STAPPENPLAN_ENV: "),
    ],
)
def test_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value).startswith(expected)
    assert "secret" not in str(refusal.value)


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("STAPPENPLAN_ENV", "prod")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == ["PORT", "STAPPENPLAN_ENV"]


def test_owner_of_the_tables_has_an_address_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://app:p@db/stappenplan")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:p@db/stappenplan")
    assert load_settings().database_owner_url == "postgresql+psycopg://owner:p@db/stappenplan"


@pytest.mark.parametrize("url", ["", "sqlite:////srv/x.sqlite3", "postgresql://app:secret@db/other"])
def test_owner_of_another_database_is_refused(monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:secret@db/stappenplan")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert "DATABASE_OWNER_URL is for PostgreSQL, and of the same database" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "owner", "is_asked_for"),
    [
        ("", "", False),
        ("postgresql://app:p@db/x?sslmode=verify-full", "", True),
        ("postgresql://app:p@db/x?sslmode=verify-full", "postgresql://owner:p@db/x?sslmode=verify-full", False),
    ],
)
def test_production_on_postgresql_asks_for_the_owner_of_the_tables(
    monkeypatch: pytest.MonkeyPatch, url: str, owner: str, *, is_asked_for: bool
):
    for name, value in (("STAPPENPLAN_ENV", "production"), ("DATABASE_URL", url), ("DATABASE_OWNER_URL", owner)):
        monkeypatch.setenv(name, value)
    problems = [*production_problems(load_settings())]
    assert any(problem.startswith("DATABASE_OWNER_URL") for problem in problems) == is_asked_for
