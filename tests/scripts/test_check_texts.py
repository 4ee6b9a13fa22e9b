"""The check of the translations finds what is wrong, and says where."""

from pathlib import Path

import pytest

from scripts.check_texts import problems

HEADER = 'msgid ""\nmsgstr ""\n"Language: nl\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
TEMPLATE = """
<h1>{{ _("Save") }}</h1>
{% trans %}Longer text
  on two lines{% endtrans %}
{{ ngettext("%(n)s document", "%(n)s documents", n) }}
"""
CODE = 'title = N_("Hello %(name)s")\n'
COMPLETE = {
    "Save": 'msgid "Save"\nmsgstr "Opslaan"\n',
    "Longer": 'msgid "Longer text on two lines"\nmsgstr "Langere tekst"\n',
    "documents": (
        'msgid "%(n)s document"\nmsgid_plural "%(n)s documents"\n'
        'msgstr[0] "één document"\nmsgstr[1] "%(n)s documenten"\n'
    ),
    "Hello": 'msgid "Hello %(name)s"\nmsgstr ""\n"Dag "\n"%(name)s"\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("app/web", "templates/pages", "locale/nl"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "app/web/x.py").write_text(CODE)
    (tmp_path / "templates/pages/x.html").write_text(TEMPLATE)
    write(tmp_path, COMPLETE)
    return tmp_path


def write(root: Path, entries: dict[str, str], file: str = "web.po") -> None:
    (root / "locale/nl" / file).write_text(HEADER + "\n".join(entries.values()))


def test_complete_texts_give_no_problem(root: Path):
    assert list(problems(root)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Save": ""}, "templates/pages/x.html:2: 'Save' has no Dutch text"),
        ({"Hello": ""}, "app/web/x.py:1: 'Hello %(name)s' has no Dutch text"),
        ({"Save": 'msgid "Save"\nmsgstr ""\n'}, "locale/nl/web.po:6: 'Save' has no Dutch text"),
        ({"Save": 'msgid "Save"\nmsgstr " "\n'}, "'Save' has no Dutch text"),
        ({"Save": '#, fuzzy\nmsgid "Save"\nmsgstr "Opslaan"\n'}, "'Save' is marked fuzzy"),
        ({"old": 'msgid "Old"\nmsgstr "Oud"\n'}, "'Old' is not used any more"),
        ({"old": '#~ msgid "Old"\n#~ msgstr "Oud"\n'}, "'Old' is commented out"),
        ({"twice": 'msgid "Save"\nmsgstr "Bewaren"\n'}, "'Save' is in this file twice"),
        ({"Hello": 'msgid "Hello %(name)s"\nmsgstr "Dag"\n'}, "misses %(name)s in Dutch"),
        ({"Hello": 'msgid "Hello %(name)s"\nmsgstr "Dag %(naam)s %(name)s"\n'}, "has %(naam)s in Dutch only"),
        ({"documents": 'msgid "%(n)s document"\nmsgstr "%(n)s document"\n'}, "has the plural None here"),
        (
            {
                "documents": (
                    'msgid "%(n)s document"\nmsgid_plural "%(n)s documents"\n'
                    'msgstr[0] "één document"\nmsgstr[1] "documenten"\n'
                )
            },
            "misses %(n)s in Dutch",
        ),
        ({"broken": "nonsense\n"}, "locale/nl/web.po: "),
    ],
)
def test_each_problem_is_found_and_named(root: Path, changes: dict[str, str], expected: str):
    write(root, COMPLETE | changes)
    found = list(problems(root))
    assert any(expected in line for line in found), found


def test_message_in_two_files_is_a_problem(root: Path):
    write(root, {"Save": COMPLETE["Save"]}, "reports.po")
    assert list(problems(root)) == ["locale/nl/web.po:6: 'Save' is also in locale/nl/reports.po; keep it in one file"]


def test_template_that_can_not_be_read_is_no_template_without_texts(root: Path):
    (root / "templates/pages/x.html").write_text("{% if %}")
    with pytest.raises(Exception, match="Expected an expression"):
        list(problems(root))


def test_checking_nothing_is_a_problem(tmp_path: Path):
    for folder in ("app", "templates", "locale/nl"):
        (tmp_path / folder).mkdir(parents=True)
    assert "nothing was checked" in next(problems(tmp_path))
