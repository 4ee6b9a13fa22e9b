"""Working on step plans from the command line: begin, look at, release, retire, draw."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from app.catalogue.catalogue import Catalogue
from app.catalogue.json_schema import schema_text
from app.catalogue.loader import load_file
from app.catalogue.lock import LOCK_NAME, Lock, Status
from app.cli.root import app
from tests.catalogue.files import SMALL

COMMANDS = ("new", "release", "retire", "show", "graph", "schema")


class Author:
    """Runs `stappenplan plan …` on a folder of one's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str) -> Any:
        with_folder = [*words, "--folder", str(self.folder)] if words[0] != "schema" else words
        return CliRunner().invoke(app, ["plan", *with_folder])

    def does(self, *words: str) -> str:
        result = self(*words)
        assert result.exit_code == 0, result.output
        assert "Traceback" not in result.output
        return str(result.stdout)

    def is_refused(self, *words: str, lines: int = 1) -> str:
        """What it says; one line, unless there are problems in a file to name."""
        result = self(*words)
        assert result.exit_code == 1, (result.output, result.exception)
        told: str = result.stderr.strip()
        assert len(told.splitlines()) == lines, told
        assert "Traceback" not in result.output
        assert result.stdout == ""
        return told

    def path(self, name: str) -> Path:
        plan_id, _, version = name.partition("@")
        return self.folder / plan_id / f"{version}.yaml"

    def put(self, name: str, text: str | None = None) -> Path:
        plan_id, _, version = name.partition("@")
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        given = text if text is not None else SMALL.read_text()
        path.write_text(
            given.replace("id: klein-plan", f"id: {plan_id}").replace("version: 1.0.0", f"version: {version}")
        )
        return path

    def status(self, name: str) -> Status:
        plan_id, _, version = name.partition("@")
        return Lock.read(self.folder).status((plan_id, version))


@pytest.fixture
def author(tmp_path: Path) -> Author:
    folder = tmp_path / "stepplans"
    folder.mkdir()
    return Author(folder)


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_is_there_everywhere(words: tuple[str, ...]):
    result = CliRunner().invoke(app, ["plan", *words, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert "..." not in result.stdout.partition("Commands:")[2]  # no summary is cut off


# --- new -------------------------------------------------------------------------------------------------------------


def test_new_plan_lints_clean_and_is_a_draft(author: Author):
    assert (
        author.does("new", "mijn-plan", "--title", "Mijn plan: een begin")
        == f"Wrote {author.path('mijn-plan@0.1.0')}\n"
    )
    linted = CliRunner().invoke(app, ["lint", str(author.path("mijn-plan@0.1.0"))])
    assert linted.stdout == "1 file without problems\n"
    [loaded] = Catalogue.load(author.folder)
    assert loaded.status is Status.DRAFT
    assert loaded.plan.title.nl == "Mijn plan: een begin"


def test_title_of_a_new_plan_can_be_left_for_later(author: Author):
    author.does("new", "mijn-plan")
    assert load_file(author.path("mijn-plan@0.1.0")).title.nl == "Mijn plan"


def test_new_plan_can_begin_as_a_copy_of_another(author: Author):
    author.put("klein-plan@1.0.0")
    author.does("new", "groter-plan", "--from", "klein-plan@1.0.0")
    plan = load_file(author.path("groter-plan@0.1.0"))
    assert (plan.id, plan.version, len(plan.stages)) == ("groter-plan", "0.1.0", 5)


def test_next_version_is_a_copy_of_the_newest_file_with_its_comments(author: Author):
    for version in ("1.9.0", "1.10.0"):
        author.put(f"klein-plan@{version}", SMALL.read_text().replace("Klein plan", f"Was {version}"))
    author.does("new", "klein-plan", "--version", "2.0.0")
    text = author.path("klein-plan@2.0.0").read_text()
    assert "# A small plan that uses every part of the format." in text
    assert "Was 1.10.0" in text
    assert "#   since: 1.10.0" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("Mijn plan",), "cannot be an id"),
        (("klein-plan",), "newest version is 1.0.0: name the next one with --version"),
        (("x", "--from", "klein-plan@1.0.0", "--title", "X"), "not both"),
        (("x", "--from", "klein-plam@1.0.0"), "did you mean klein-plan@1.0.0?"),
        (("klein-plan", "--version", "1.0.0"), "choose a higher one"),
        (("klein-plan", "--version", "0.9.0"), "choose a higher one"),
        (("klein-plan", "--version", "2.0"), "is no version"),
        (("klein-plan", "--version", "2.0.0", "--title", "X"), "leave out --from and --title"),
        (("klein-plam", "--version", "2.0.0"), "did you mean klein-plan?"),
        (("heel-anders", "--version", "2.0.0"), "leave out --version to begin it"),
    ],
)
def test_new_is_refused_with_a_way_on(author: Author, words: tuple[str, ...], told: str):
    author.put("klein-plan@1.0.0")
    assert told in author.is_refused("new", *words)


def test_copy_of_a_file_with_errors_is_refused(author: Author):
    path = author.put("klein-plan@1.0.0", "format: 1\n")
    assert f"stappenplan lint {path}" in author.is_refused("new", "klein-plan", "--version", "1.1.0")


def test_title_of_two_lines_is_refused_and_nothing_is_written(author: Author):
    assert "must be on one line" in author.is_refused("new", "x", "--title", "Een\nTwee")
    assert list(author.folder.iterdir()) == []


def test_folder_that_is_not_there_or_cannot_be_written_is_one_line(author: Author, tmp_path: Path):
    (author.folder / "mijn-plan").write_text("geen map")
    assert "cannot be written" in author.is_refused("new", "mijn-plan")
    nowhere = Author(tmp_path / "weg")
    for command in (("new", "x"), ("show", "x@1.0.0"), ("release", "x@1.0.0")):
        assert "There is no folder" in nowhere.is_refused(*command)


# --- release and retire ----------------------------------------------------------------------------------------------


def test_release_writes_the_lock_and_says_the_digest(author: Author):
    path = author.put("klein-plan@1.0.0")
    digest = load_file(path).digest
    assert author.does("release", "klein-plan@1.0.0") == f"Released klein-plan@1.0.0\tsha256:{digest}\n"
    release = Lock.read(author.folder).releases["klein-plan", "1.0.0"]
    assert (release.digest, release.retired) == (digest, None)
    assert [loaded.plan.digest for loaded in Catalogue.load(author.folder, with_drafts=False)] == [digest]


def test_released_version_is_not_released_again(author: Author):
    author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    before = (author.folder / LOCK_NAME).read_text()
    assert "was released on" in author.is_refused("release", "klein-plan@1.0.0")
    assert (author.folder / LOCK_NAME).read_text() == before


@pytest.mark.parametrize("version", ["0.9.0", "1.0.0-rc.1"])
def test_version_below_the_newest_release_is_refused(author: Author, version: str):
    author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    author.put(f"klein-plan@{version}")
    assert "needs a higher version" in author.is_refused("release", f"klein-plan@{version}")
    assert author.status(f"klein-plan@{version}") is Status.DRAFT


def test_plan_with_errors_is_not_released_and_the_errors_are_named(author: Author):
    path = author.put("klein-plan@1.0.0", SMALL.read_text().replace("    goal:", "    doel:", 1))
    told = author.is_refused("release", "klein-plan@1.0.0", lines=3)
    assert f"{path}:" in told
    assert "mend the errors above first" in told
    assert not (author.folder / LOCK_NAME).exists()


def test_plan_with_warnings_is_released_after_naming_them(author: Author):
    author.put(
        "klein-plan@1.0.0", SMALL.read_text().replace("sources:\n", "sources:\n  S9: {title: X, publisher: Y}\n", 1)
    )
    result = author("release", "klein-plan@1.0.0")
    assert result.exit_code == 0
    assert "nothing in the plan refers to this source" in result.stderr


def test_file_in_the_place_of_another_version_is_not_released(author: Author):
    author.put("klein-plan@1.0.0")
    author.path("klein-plan@1.0.0").rename(author.path("klein-plan@1.1.0"))
    assert "says that it is klein-plan@1.0.0" in author.is_refused("release", "klein-plan@1.1.0")


def test_nothing_is_released_while_a_released_version_is_changed_or_gone(author: Author):
    author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    author.put("ander-plan@1.0.0")
    author.path("klein-plan@1.0.0").unlink()
    assert "klein-plan/1.0.0.yaml is not there" in author.is_refused("release", "ander-plan@1.0.0", lines=2)


def test_changed_released_version_is_told_by_lint_with_its_place(author: Author):
    path = author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    path.write_text(path.read_text().replace("Wat komt eerst?", "Wat komt dan?"))
    linted = CliRunner().invoke(app, ["lint", str(path)])
    assert linted.exit_code == 1
    assert re.match(rf"{re.escape(str(path))}:\d+:9  stages\.0\.steps\.1: .* was changed after", linted.stderr)


def test_lock_that_cannot_be_written_is_one_line_and_leaves_no_trace(author: Author, monkeypatch: pytest.MonkeyPatch):
    author.put("klein-plan@1.0.0")

    def refuse(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("app.catalogue.lock.os.fsync", refuse)
    assert "No space left on device" in author.is_refused("release", "klein-plan@1.0.0")
    assert [path.name for path in author.folder.iterdir()] == ["klein-plan"]


def test_lock_that_is_not_one_is_told_by_every_command(author: Author):
    author.put("klein-plan@1.0.0")
    (author.folder / LOCK_NAME).write_text("<<<<<<< HEAD\n")
    for command in ("show", "graph", "release", "retire"):
        assert f"{LOCK_NAME}:1:1  is no valid JSON" in author.is_refused(command, "klein-plan@1.0.0")


def test_version_is_retired_and_used_again(author: Author):
    author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    assert author.does("retire", "klein-plan@1.0.0") == "Retired klein-plan@1.0.0\n"
    assert author.status("klein-plan@1.0.0") is Status.RETIRED
    assert "is retired already" in author.is_refused("retire", "klein-plan@1.0.0")
    author.does("retire", "klein-plan@1.0.0", "--undo")
    assert author.status("klein-plan@1.0.0") is Status.RELEASED
    assert "is released already" in author.is_refused("retire", "klein-plan@1.0.0", "--undo")


def test_draft_cannot_be_retired(author: Author):
    author.put("klein-plan@1.0.0")
    assert "is a draft" in author.is_refused("retire", "klein-plan@1.0.0")


# --- looking ---------------------------------------------------------------------------------------------------------


def test_outline_has_stages_steps_questions_counts_status_and_digest(author: Author):
    path = author.put("klein-plan@1.0.0")
    told = author.does("show", "klein-plan@1.0.0")
    assert told.startswith("Klein plan  (klein-plan@1.0.0)\nstatus: draft\n")
    assert f"digest: sha256:{load_file(path).digest}\n" in told
    assert "counts: 5 stages, 6 steps, 13 questions, 2 statements, 2 grounds, 2 domains, 1 source\n" in told
    assert "Decision: Bestaand beleid volstaat  [bestaand-volstaat] per domain\n  requires Verkennen approved\n" in told
    assert (
        "\nUitvoeren  [uitvoeren]  per domain\n  requires Beleid maken approved or the decision Bestaand beleid" in told
    )
    assert "\n  wiser after Werkgroep\n" in told
    assert "\n  2. Conclusie  [conclusie]  not required\n     - Wat komt eerst?  (long text, required)\n" in told
    assert "\n     + evidence: 1 × verslag\n" in told
    assert "\n  gate: Weten we waar we staan?  (1 approval by manager)\n" in told


def test_outline_tells_when_a_version_was_released_and_retired(author: Author):
    author.put("klein-plan@1.0.0")
    author.does("release", "klein-plan@1.0.0")
    assert re.search(r"^status: released on \d{4}-\d\d-\d\d$", author.does("show", "klein-plan@1.0.0"), re.MULTILINE)
    author.does("retire", "klein-plan@1.0.0")
    assert re.search(r"^status: .*, retired on \d{4}-\d\d-\d\d$", author.does("show", "klein-plan@1.0.0"), re.MULTILINE)


@pytest.mark.parametrize("command", ["show", "graph", "release", "retire"])
@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("klein-plam@1.0.0", "did you mean klein-plan@1.0.0?"),
        ("klein-plan@1.0.1", "did you mean klein-plan@1.0.0?"),
        ("klein-plan", "Which version of klein-plan? Choose from: 1.0.0"),
        ("heel-iets-anders@9", "Known: klein-plan@1.0.0"),
        ("../klein-plan@1.0.0", "There is no step plan"),
    ],
)
def test_unknown_version_is_told_with_what_was_meant(author: Author, command: str, wanted: str, told: str):
    author.put("klein-plan@1.0.0")
    assert told in author.is_refused(command, wanted)


def test_file_with_errors_is_shown_as_its_problems(author: Author):
    author.put("klein-plan@1.0.0", "format: 1\nplan: []\nstages: []\n")
    assert "must be a mapping" in author.is_refused("show", "klein-plan@1.0.0", lines=2)


def test_schema_is_the_one_for_editors(author: Author):
    assert author.does("schema") == schema_text()
    json.loads(author.does("schema"))


def test_commands_look_at_the_shipped_plans_without_a_folder():
    shown = CliRunner().invoke(app, ["plan", "show", "inclusief-beleid@1.0.0"])
    assert shown.exit_code == 0
    assert "status: released on" in shown.stdout


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_graph_goes_to_a_file_that_needs_nothing_else(author: Author, tmp_path: Path):
    author.put("klein-plan@1.0.0")
    file = tmp_path / "plan.svg"
    result = author("graph", "klein-plan@1.0.0", "-o", str(file))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Wrote {file}\n")
    root = ElementTree.parse(file).getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{name}svg"
    style, description = root.find(f"{name}style"), root.find(f"{name}desc")
    assert style is not None
    assert description is not None
    assert "Beleid maken kan beginnen nadat Verkennen is vastgesteld." in str(description.text)
    used = {each for element in root.iter() for each in element.get("class", "").split()}
    styled = set(re.findall(r"\.([\w-]+)", str(style.text)))
    assert used - styled == {"plan-graph__svg", "plan-graph__line--required", "plan-graph__box--stage"}
    assert "url(" not in file.read_text()
    assert "doorgetrokken pijl" in "".join(root.itertext())


def test_graph_goes_to_standard_output_without_a_file(author: Author):
    author.put("klein-plan@1.0.0")
    assert ElementTree.fromstring(author.does("graph", "klein-plan@1.0.0")).get("role") == "img"


def test_graph_can_be_read_as_sentences_in_two_languages(author: Author):
    author.put("klein-plan@1.0.0")
    told = author.does("graph", "klein-plan@1.0.0", "--text").splitlines()
    assert len(told) == 6
    assert told[0] == "Verkennen kan meteen beginnen. Deze fase komt terug in rondes."
    assert "can begin at once" in author.does("graph", "klein-plan@1.0.0", "--text", "--language", "en")


def test_file_that_cannot_be_written_is_one_line(author: Author, tmp_path: Path):
    author.put("klein-plan@1.0.0")
    assert "cannot be written" in author.is_refused("graph", "klein-plan@1.0.0", "-o", str(tmp_path / "weg" / "x.svg"))
