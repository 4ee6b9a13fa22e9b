from pathlib import Path

import pytest

from app.resources import locale_dir
from app.web.i18n import TextsError, gettext_for, load_translations

HEAD = 'msgid ""\nmsgstr ""\n"Language: nl\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def a_folder(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "nl").mkdir()
    for name, text in files.items():
        (tmp_path / "nl" / f"{name}.po").write_text(HEAD + text, encoding="utf-8")
    return tmp_path


def test_files_are_merged(tmp_path: Path):
    folder = a_folder(
        tmp_path,
        a='msgid "Save"\nmsgstr "Opslaan"\n',
        b='msgid "%(num)d step"\nmsgid_plural "%(num)d steps"\nmsgstr[0] "%(num)d stap"\nmsgstr[1] "%(num)d stappen"\n',
    )

    texts = load_translations("nl", folder)

    assert texts.gettext("Save") == "Opslaan"
    assert texts.ngettext("%(num)d step", "%(num)d steps", 1) == "%(num)d stap"
    assert texts.ngettext("%(num)d step", "%(num)d steps", 2) == "%(num)d stappen"
    assert texts.gettext("Unknown text") == "Unknown text"


def test_english_is_the_message_id():
    assert gettext_for("en").gettext("Overview") == "Overview"
    assert gettext_for("en").ngettext("%(num)d step", "%(num)d steps", 2) == "%(num)d steps"


def test_same_message_in_two_files_is_refused_by_name(tmp_path: Path):
    same = 'msgid "Save"\nmsgstr "Opslaan"\n'

    with pytest.raises(TextsError, match=r"b\.po:6: 'Save' is also in a\.po"):
        load_translations("nl", a_folder(tmp_path, a=same, b=same))


def test_broken_file_is_refused_with_its_name(tmp_path: Path):
    with pytest.raises(TextsError, match=r"a\.po"):
        load_translations("nl", a_folder(tmp_path, a='msgid "Save"\nOpslaan\n'))


def test_no_file_at_all_is_refused(tmp_path: Path):
    with pytest.raises(TextsError, match=r"no \.po files"):
        load_translations("nl", a_folder(tmp_path))


def test_our_own_files_load():
    assert load_translations("nl", locale_dir()).gettext("Overview") == "Overzicht"
