"""The console command: what it prints and writes, and that every failure is one clear line and a non-zero exit."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.production import travels_unproven
from app.cli.root import app
from app.demo.build import PASSWORD
from app.resources import stepplans_dir
from app.web.formats import day_of

PLAN = stepplans_dir() / "inclusief-beleid" / "1.0.0.yaml"
STRONG = "een-lang-wachtwoord-2026"
COMMANDS = (
    (),
    ("serve",),
    ("demo",),
    ("lint",),
    ("diff",),
    ("impact",),
    ("plans",),
    ("report",),
    ("verify-history",),
    ("verify",),
    ("export-history",),
    ("heads",),
    ("heads", "sign"),
    ("heads", "new-key"),
    ("sweep-files",),
    ("sweep-accounts",),
    ("runs",),
    ("runs", "list"),
    ("user",),
    ("user", "add"),
    ("user", "add-roles"),
    ("user", "list"),
    ("user", "disable"),
)


@dataclass
class Command:
    """Runs `stappenplan` on a data folder of its own."""

    env: dict[str, str]

    def __call__(self, *words: str, typed: str = "") -> Any:
        return CliRunner().invoke(app, list(words), env=self.env, input=typed)

    def refused(self, *words: str, typed: str = "") -> str:
        """The one line that says why."""
        result = self(*words, typed=typed)
        assert result.exit_code == 1, (result.exit_code, result.output, result.exception)
        lines: list[str] = result.stderr.strip().splitlines()
        assert len(lines) == 1, result.stderr
        assert "Traceback" not in result.output
        return lines[0]

    def start(self, **more: str) -> subprocess.Popen[str]:
        found = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
        environment = {**os.environ, **self.env, **more}
        return subprocess.Popen(found, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _environment(folder: Path, **more: str) -> dict[str, str]:
    return {"DATA_DIR": str(folder), "DATABASE_URL": "", "STAPPENPLAN_ENV": "demo", "HOST": "127.0.0.1", **more}


# What a production that may start has at least.
DB, OWNER = "postgresql://app:a@db.example/stappenplan", "postgresql://owner:o@db.example/stappenplan"
PRODUCTION = {
    "STAPPENPLAN_ENV": "production",
    "PORT": "0",
    "SECRET_KEY": "Zb3-lang-en-willekeurig-9fQx72LmKp04",
    "PUBLIC_URL": "https://stappenplan.example",
    "TRUSTED_PROXIES": "10.0.0.7",
}


@pytest.fixture
def empty(tmp_path: Path) -> Command:
    return Command(_environment(tmp_path / "var"))


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Only read: filled with the demonstration once."""
    command = Command(_environment(tmp_path_factory.mktemp("demo")))
    filled = command("demo")
    assert filled.exit_code == 0, filled.output
    assert filled.stdout.count(PASSWORD) == 15
    assert f"beheer@stappenplan.example\t{PASSWORD}\tthis installation: operator" in filled.stdout
    return command


def copy_of(command: Command, folder: Path) -> Command:
    """To change something in."""
    source = sqlite3.connect(Path(command.env["DATA_DIR"]) / "stappenplan.sqlite3")
    target = sqlite3.connect(folder / "stappenplan.sqlite3")
    with closing(source), closing(target):
        source.backup(target)
    shutil.copytree(Path(command.env["DATA_DIR"]) / "keys", folder / "keys")
    return Command(_environment(folder))


def tamper(command: Command, statement: str) -> None:
    connection = sqlite3.connect(Path(command.env["DATA_DIR"]) / "stappenplan.sqlite3")
    with closing(connection):
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def run_ids(command: Command) -> list[str]:
    listed = command("runs", "list")
    assert listed.exit_code == 0, listed.output
    return [line.split("\t")[0] for line in listed.stdout.splitlines()]


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_there_everywhere(empty: Command, words: tuple[str, ...]):
    result = empty(*words, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert "..." not in result.stdout.partition("Commands:")[2]  # no summary is cut off
    assert not Path(empty.env["DATA_DIR"]).exists()


@pytest.mark.parametrize("words", [("bestaat-niet",), ("report",), ("user", "add", "x"), ("runs", "list", "--nee")])
def test_wrong_words_are_refused_with_a_way_on(empty: Command, words: tuple[str, ...]):
    result = empty(*words)
    assert result.exit_code == 2
    assert "--help" in result.stderr
    assert "Traceback" not in result.output


# --- step plans ------------------------------------------------------------------------------------------------------


def test_lint_says_yes_to_a_good_plan(empty: Command):
    result = empty("lint", str(PLAN))
    assert (result.exit_code, result.stdout) == (0, "1 file without problems\n")


def test_lint_names_the_place_in_a_bad_plan(empty: Command, tmp_path: Path):
    bad = tmp_path / "fout.yaml"
    bad.write_text(PLAN.read_text("utf-8").replace("    goal:", "    doel:", 1), "utf-8")
    result = empty("lint", str(bad), str(PLAN))
    assert result.exit_code == 1
    assert re.search(r"fout\.yaml:\d+:\d+ .*doel", result.stderr)
    assert "Traceback" not in result.output


def test_lint_of_what_is_no_file(empty: Command, tmp_path: Path):
    assert "weg.yaml" in empty.refused("lint", str(PLAN), str(tmp_path / "weg.yaml"))
    assert str(tmp_path) in empty.refused("lint", str(tmp_path))


def test_lint_of_what_is_no_text(empty: Command, tmp_path: Path):
    strange = tmp_path / "plaatje.yaml"
    strange.write_bytes(bytes(range(256)))
    result = empty("lint", str(strange))
    assert result.exit_code == 1
    assert "plaatje.yaml" in result.stderr
    assert "Traceback" not in result.output


def test_plans_are_listed(demonstration: Command):
    result = demonstration("plans")
    assert result.exit_code == 0
    assert re.search(r"^inclusief-beleid@1\.0\.0\t.+\tsha256:[0-9a-f]{64}$", result.stdout, re.MULTILINE)


# --- accounts --------------------------------------------------------------------------------------------------------


def test_account_is_added_given_a_role_and_disabled(demonstration: Command, tmp_path: Path):
    command = copy_of(demonstration, tmp_path)
    person = ("user", "add", "Ada@Example.nl", "--name", "Ada [bold]Bos[/]", "--role", "manager", "--role", "auditor")
    added = command(*person, "--municipality", "Nieuwstad", "--create", typed=f"{STRONG}\n{STRONG}\n")
    assert added.exit_code == 0, added.output
    assert STRONG not in added.output
    given = command("user", "add-roles", "ada@example.nl", "--municipality", "Zonnedijk", "--role", "auditor")
    assert given.exit_code == 0, given.output
    line = _line_of(command, "ada@example.nl")
    assert line == "ada@example.nl\tAda [bold]Bos[/]\tenabled\tNieuwstad: auditor, manager; Zonnedijk: auditor"
    assert command("user", "disable", "ada@example.nl").exit_code == 0
    assert command("user", "disable", "ada@example.nl").exit_code == 0
    assert "\tdisabled 20" in _line_of(command, "ada@example.nl")


def test_link_and_second_factor_from_the_command_line(demonstration: Command, tmp_path: Path):
    """For an administrator who is locked out: there may be no other one in the municipality."""
    command = copy_of(demonstration, tmp_path)
    login = "beheer@zonnedijk.example"
    made = command("user", "link", login)
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/wachtwoord/[\w-]{43}\n", made.stdout)
    assert '"act": "link_made"' in made.stderr
    for words in (("reset-second-factor", login), ("disable", login), ("enable", login)):
        assert command("user", *words).exit_code == 0
    assert "\tenabled\t" in _line_of(command, login)
    connection = sqlite3.connect(tmp_path / "stappenplan.sqlite3")
    with closing(connection):
        told = [row[0] for row in connection.execute('SELECT act FROM account_event WHERE "by" IS NULL ORDER BY at')]
    assert told == ["link_made", "second_factor_reset", "user_disabled", "user_enabled"]
    for word in ("link", "reset-second-factor", "enable"):
        assert "niemand" in demonstration.refused("user", word, "niemand")


def test_operator_without_a_password_gets_a_link_also_one_who_came_through_an_organisation(
    demonstration: Command, tmp_path: Path
):
    command = copy_of(demonstration, tmp_path)
    link = r"http://127\.0\.0\.1:8000/wachtwoord/[\w-]{43}\n"
    login = "noor@zonnedijk.example"
    assert command("operator", "add", login).stdout == f"{login} is an operator\n"
    connection = sqlite3.connect(tmp_path / "stappenplan.sqlite3")
    with closing(connection), connection:
        connection.execute("UPDATE user_account SET password_hash = NULL WHERE login = ?", (login,))
    for words in ((login,), ("otto@example.org", "--name", "Otto Beheer")):
        made = command("operator", "add", *words)
        assert re.fullmatch(link, made.stdout)
        assert f"For another link: stappenplan user link {words[0]}" in made.stderr
        assert re.fullmatch(link, command("user", "link", words[0]).stdout)


def _line_of(command: Command, login: str) -> str:
    lines = [line for line in command("user", "list").stdout.splitlines() if line.startswith(f"{login}\t")]
    assert len(lines) == 1
    return str(lines[0])


def test_account_that_cannot_be_is_refused(demonstration: Command):
    start = ("user", "add")
    rest = ("--name", "X", "--role", "manager", "--municipality", "Zonnedijk")
    strong = ("--password", STRONG)
    assert "12" in demonstration.refused(*start, "x", *rest, "--password", "kort")
    assert "longer" in demonstration.refused(*start, "x", *rest, "--password", "x" * 2000)
    assert "taken" in demonstration.refused(*start, "noor@zonnedijk.example", *rest, *strong)
    assert "Nergens" in demonstration.refused(*start, "x", *rest[:4], "--municipality", "Nergens", *strong)
    assert "login" in demonstration.refused(*start, "a b", *rest, *strong)
    assert "name" in demonstration.refused(*start, "x", "--name", " ", *rest[2:], *strong)
    assert "municipality" in demonstration.refused(*start, "x", *rest[:4], "--municipality", " ", "--create", *strong)
    assert "niemand" in demonstration.refused("user", "disable", "niemand")
    roles = ("--municipality", "Zonnedijk", "--role", "auditor")
    assert "niemand" in demonstration.refused("user", "add-roles", "niemand", *roles)
    assert "x\t" not in demonstration("user", "list").stdout.replace("\n", "\n\t")


def test_role_that_does_not_exist_is_refused(demonstration: Command):
    wrong = ("--name", "X", "--role", "baas", "--municipality", "Zonnedijk", "--password", STRONG)
    result = demonstration("user", "add", "x", *wrong)
    assert result.exit_code == 2
    assert "policy_officer" in result.stderr


# --- runs and reports ------------------------------------------------------------------------------------------------


def test_runs_are_listed_per_municipality(demonstration: Command):
    everything = demonstration("runs", "list").stdout.splitlines()
    ours = demonstration("runs", "list", "--municipality", "Zonnedijk").stdout.splitlines()
    assert len(everything) == 3
    assert len(ours) == 2
    assert re.fullmatch(r"[0-9a-f-]{36}\tZonnedijk\tinclusief-beleid@1\.0\.0\t\d{4}-\d\d-\d\d\t.+", ours[0])
    assert "Zonnedijk" in demonstration.refused("runs", "list", "--municipality", "Nergens")


@pytest.mark.parametrize(
    ("format", "start"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("csv", b"\xef\xbb\xbf")]
)
def test_report_is_written_to_a_file_or_standard_output(
    demonstration: Command, tmp_path: Path, format: str, start: bytes
):
    run, file = run_ids(demonstration)[0], tmp_path / "rapport"
    result = demonstration("report", run, "--format", format, "-o", str(file))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert str(file) in result.stderr
    assert file.read_bytes().startswith(start)
    assert demonstration("report", run, "--format", format).stdout_bytes.startswith(start)


def test_report_holds_the_run(demonstration: Command, tmp_path: Path):
    run = run_ids(demonstration)[-1]
    result = demonstration("report", run, "--format", "csv")
    rows = list(csv.reader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) > 20
    assert "Wonen voor iedereen" in result.stdout
    page = demonstration("report", run).stdout
    assert "Wonen voor iedereen" in page
    assert 'href="/static' not in page  # can be mailed as it is


def test_report_of_an_earlier_day(demonstration: Command):
    run = run_ids(demonstration)[-1]
    page = demonstration("report", run, "--on", str(day_of(datetime.now(UTC)))).stdout
    assert "Stand op" in page
    assert "had not begun on 2001-01-01; it began on " in demonstration.refused("report", run, "--on", "2001-01-01")
    assert "still to come" in demonstration.refused("report", run, "--on", "2999-01-01")


def test_report_that_cannot_be_made(demonstration: Command, tmp_path: Path):
    run = run_ids(demonstration)[0]
    assert "geen-id" in demonstration.refused("report", "geen-id")
    absent = "00000000-0000-4000-8000-000000000000"
    assert absent in demonstration.refused("report", absent, "--format", "pdf")
    target = str(tmp_path / "geen" / "map" / "rapport.html")
    assert target in demonstration.refused("report", run, "-o", target)
    assert str(tmp_path) in demonstration.refused("report", run, "-o", str(tmp_path))
    assert demonstration("report", run, "--format", "docx").exit_code == 2


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_that_agrees(demonstration: Command):
    result = demonstration("verify-history")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"3 runs, \d+ events: the history and the tables agree\n", result.stdout)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE answer SET value = '\"Anders\"' WHERE is_current AND question = 'kern' OR rowid = 1", "answer "),
        ("UPDATE run SET manager_id = (SELECT id FROM user_account WHERE login LIKE 'greta%')", "manager"),
        ("UPDATE stage_instance SET passed = NOT passed WHERE ref = 'verkennen.1'", "stage verkennen.1"),
        ("DELETE FROM run_member WHERE rowid = 1", "team"),
        ("UPDATE evidence SET title = 'Iets anders' WHERE rowid = 1", "evidence "),
        ("UPDATE seal SET manifest = '{}' WHERE rowid = 1", "seal "),
        ("UPDATE seal SET manifest = '[1]' WHERE rowid = 1", "seal "),
        ("UPDATE run SET name = 'Iets anders'", "name"),
        ("UPDATE run SET state = '{}'", "state tables"),
        ('UPDATE step_state SET state = \'{"status": "x"}\' WHERE rowid = 1', "state tables"),
        ("UPDATE step_state SET is_done = NOT is_done WHERE rowid = 1", "step "),
        ("UPDATE answer SET salt = 'geen hex' WHERE rowid = 1", "answer "),
        ("DELETE FROM seal WHERE rowid > 0", "approval of "),
    ],
)
def test_history_names_what_was_tampered_with(demonstration: Command, tmp_path: Path, statement: str, place: str):
    command = copy_of(demonstration, tmp_path)
    tamper(command, statement)
    result = command("verify-history")
    assert result.exit_code == 1, result.output
    assert f": {place}" in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


# --- the database ----------------------------------------------------------------------------------------------------

NEEDS_DATABASE = (("plans",), ("runs", "list"), ("verify-history",), ("user", "list"), ("report", "x"))


@pytest.mark.parametrize("words", NEEDS_DATABASE, ids=" ".join)
def test_database_that_was_never_made_says_how_to_make_it(empty: Command, words: tuple[str, ...]):
    assert "stappenplan serve" in empty.refused(*words)


@pytest.mark.parametrize("words", [*NEEDS_DATABASE, ("demo",), ("serve",)], ids=" ".join)
def test_unreachable_database_is_one_line_without_password(empty: Command, words: tuple[str, ...]):
    empty.env |= {"DATABASE_URL": f"postgresql://iemand:geheim@127.0.0.1:{_free_port()}/x", "PORT": "0"}
    line = empty.refused(*words)
    assert "DATABASE_URL" in line
    assert "geheim" not in line


def test_data_folder_that_cannot_be_used(empty: Command, tmp_path: Path):
    file = tmp_path / "bestand"
    file.write_text("geen map")
    empty.env |= {"DATA_DIR": str(file), "PORT": "0"}
    for words in (("plans",), ("demo",), ("serve",)):
        assert "DATA_DIR" in empty.refused(*words)


def test_file_that_is_no_database(empty: Command, tmp_path: Path):
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "stappenplan.sqlite3").write_text("Dit is geen database, maar een boodschappenlijst. " * 40)
    for words in (("plans",), ("demo",)):
        assert "DATA_DIR" in empty.refused(*words)


def test_settings_that_cannot_be_used_are_named(empty: Command):
    empty.env |= {"PORT": "veel"}
    assert "PORT" in empty.refused("plans")


def test_demonstration_only_goes_into_an_empty_database(demonstration: Command):
    assert "already" in demonstration.refused("demo")


# --- serving ---------------------------------------------------------------------------------------------------------


def test_demonstration_accounts_are_refused_in_production(demonstration: Command, tmp_path: Path):
    command = copy_of(demonstration, tmp_path)
    command.env |= PRODUCTION
    assert "Demonstration accounts" in command.refused("serve")
    connection = sqlite3.connect(tmp_path / "stappenplan.sqlite3")
    with closing(connection), connection:
        connection.execute(
            "UPDATE user_account SET disabled_at = created_at WHERE login <> 'beheer@stappenplan.example'"
        )
    assert "Demonstration accounts" in command.refused("serve"), "the one of the operator too"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"SECRET_KEY": ""}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "only-for-a-demonstration-not-for-production"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "kort"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "x" * 50}, ["SECRET_KEY"]),
        ({"PUBLIC_URL": "http://stappenplan.example"}, ["PUBLIC_URL"]),
        ({"PUBLIC_URL": ""}, ["PUBLIC_URL"]),
        ({"TRUSTED_PROXIES": ""}, ["TRUSTED_PROXIES"]),
        ({"TLS_CERTIFICATE": "/nergens.pem"}, ["TLS_CERTIFICATE"]),
        ({"TLS_CERTIFICATE": "/nergens.pem", "TLS_KEY": "/nergens.key"}, ["TLS_CERTIFICATE"]),
        ({"TRUSTED_PROXIES": "proxy.example"}, ["TRUSTED_PROXIES"]),
        (
            {"DATABASE_URL": f"{DB}?sslmode=require", "DATABASE_OWNER_URL": f"{OWNER}?sslmode=verify-ca"},
            ["DATABASE_URL", "DATABASE_OWNER_URL"],
        ),
        ({"DATABASE_URL": f"{DB}?sslmode=verify-full", "DATABASE_OWNER_URL": OWNER}, ["DATABASE_OWNER_URL"]),
        (
            {"SECRET_KEY": "", "PUBLIC_URL": "", "TRUSTED_PROXIES": ""},
            ["SECRET_KEY", "PUBLIC_URL", "TRUSTED_PROXIES"],
        ),
    ],
)
def test_production_that_is_not_safe_does_not_start(empty: Command, changes: dict[str, str], names: list[str]):
    empty.env |= {**PRODUCTION, **changes}
    result = empty("serve")
    assert result.exit_code == 1
    assert [line.split(":")[0].split(" ")[0] for line in result.stderr.strip().splitlines()] == names
    assert not any(secret and secret in result.output for secret in [changes.get("SECRET_KEY")])
    assert not Path(empty.env["DATA_DIR"]).exists()


@pytest.mark.parametrize(
    ("url", "is_unproven"),
    [
        (DB, True),
        (f"{DB}?sslmode=require", True),
        (f"{DB}?sslmode=verify-full", False),
        ("postgresql://app:a@127.0.0.1:5432/stappenplan", False),
        ("postgresql+psycopg://app:a@localhost/stappenplan", False),
        ("postgresql://app:a@[::1]/stappenplan", False),
        ("postgresql://app:a@/stappenplan", True),
        ("postgresql:///stappenplan?sslmode=verify-full", True),
        (f"{DB}?service=prod&sslmode=verify-full", True),
        ("postgresql://app:a@localhost/stappenplan?service=prod", True),
        ("postgresql://app:a@/stappenplan?host=/run/postgresql", False),
        ("postgresql://app:a@/stappenplan?host=db.example", True),
        ("postgresql://app:a@/stappenplan?host=/run/postgresql,db.example", True),
        ("postgresql://app:a@localhost/stappenplan?hostaddr=192.0.2.7", True),
        ("sqlite:////srv/stappenplan.sqlite3", False),
    ],
)
def test_database_over_a_network_is_reached_with_proof_of_which_it_is(url: str, is_unproven: bool):
    assert travels_unproven(url) is is_unproven


def test_file_of_providers_that_is_wrong_stops_the_start_with_its_place(empty: Command, tmp_path: Path):
    file = tmp_path / "providers.toml"
    file.write_text('[[provider]]\nkey = "zonnedam"\n', encoding="utf-8")
    empty.env["OIDC_PROVIDERS_FILE"] = str(file)
    assert f"{file}: provider 1 (zonnedam): client_secret_file: name the file" in empty.refused("serve")


def test_provider_of_a_municipality_that_is_not_there_stops_the_start(demonstration: Command, tmp_path: Path):
    file = tmp_path / "providers.toml"
    file.write_text(
        '[[provider]]\nkey = "x"\nname = "Ergens"\nmunicipality = "Nergenshuizen"\nissuer = "https://login.example"\n'
        'client_id = "stappenplan"\nclient_secret = "lang geheim"\n',
        encoding="utf-8",
    )
    command = copy_of(demonstration, tmp_path)
    command.env |= {"OIDC_PROVIDERS_FILE": str(file), "PORT": "0"}
    told = command.refused("serve")
    assert (
        "provider x: there is no municipality 'Nergenshuizen', or it has another name now; known: Veldermeer (" in told
    )


def test_port_in_use_is_one_line_and_makes_nothing(empty: Command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        empty.env |= {"PORT": str(port)}
        assert f"127.0.0.1:{port}" in empty.refused("serve")
    assert not Path(empty.env["DATA_DIR"]).exists()


def test_host_that_is_not_ours_is_one_line(empty: Command):
    empty.env |= {"HOST": "geen-host.invalid", "PORT": "0"}
    assert "geen-host.invalid" in empty.refused("serve")


def test_serve_prints_its_address_and_accounts_and_stops_when_told(demonstration: Command, tmp_path: Path):
    command = copy_of(demonstration, tmp_path)
    server = command.start(PORT="0")
    try:
        address, accounts = "", 0
        assert server.stdout is not None
        for line in server.stdout:
            accounts += PASSWORD in line
            if found := re.match(r"Stappenplan: (http://127\.0\.0\.1:\d+)$", line):
                address = found[1]
                break
        assert accounts == 15
        assert _answers(f"{address}/readyz")
    finally:
        server.terminate()
        server.communicate(timeout=20)


def _answers(address: str) -> bool:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
