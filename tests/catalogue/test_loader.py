"""Files on disk."""

import os
from pathlib import Path

import pytest

from app.catalogue.catalogue import lint
from app.catalogue.loader import PlanInvalid, load_file
from tests.catalogue.files import SMALL, TINY


def refusal(path: Path) -> str:
    with pytest.raises(PlanInvalid) as refused:
        load_file(path)
    (problem,) = refused.value.problems
    assert str(refused.value) == problem.sentence()
    return problem.sentence()


def test_absent_file_is_named(tmp_path: Path):
    path = tmp_path / "weg.yaml"
    expected = f"{path}:1:1  cannot be read (No such file or directory); check the name and the permissions"
    assert refusal(path) == expected
    assert [problem.sentence() for problem in lint([path])] == [expected]


def test_folder_pipe_and_device_are_no_files(tmp_path: Path):
    pipe = tmp_path / "pijp.yaml"
    os.mkfifo(pipe)  # opening it would wait for a writer
    for path in (tmp_path, pipe, Path("/dev/zero")):
        assert "cannot be read (not a file)" in refusal(path)


def test_endless_file_is_read_up_to_the_limit_only(tmp_path: Path):
    path = tmp_path / "groot.yaml"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)  # takes no room on disk
    assert "is larger than 256 KiB" in refusal(path)


def test_lint_tells_about_all_files_in_one_go(tmp_path: Path):
    wrong = tmp_path / "fout.yaml"
    wrong.write_text(TINY.replace("title: Klein plan", "titel: Klein plan"))
    problems = lint([wrong, SMALL, tmp_path / "weg.yaml"])
    assert [(problem.file, problem.code) for problem in problems] == [
        (str(wrong), "unknown_key"),
        (str(tmp_path / "weg.yaml"), "unreadable"),
    ]


def test_warning_is_told_but_does_not_keep_a_plan_from_loading(tmp_path: Path):
    path = tmp_path / "plan.yaml"
    path.write_text(TINY + "sources:\n  S1: {title: Bron, publisher: Movisie}\n")
    (problem,) = lint([path])
    assert problem.is_warning
    assert problem.sentence().startswith(f"{path}:14:3  sources.S1: warning: nothing in the plan refers to this source")
    assert load_file(path).sources_by_id["S1"].url is None
