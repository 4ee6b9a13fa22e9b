"""The markup of answers is made in Python, so what templates do by themselves is looked at here."""

from datetime import UTC, datetime

import pytest

from app.engine.answers import Value
from app.engine.definition import Column, Option, Question, QuestionType, Text
from app.features.reports.answer_markup import AnswerMarkup
from app.features.reports.texts import Words
from app.features.reports.values import AnswerLine
from app.storage.answer_store import Answer

NASTY = "<script>\"'&"
SAFE = "&lt;script&gt;&#34;&#39;&amp;"
AT = datetime(2027, 3, 3, 13, 5, tzinfo=UTC)
OPTIONS = (Option("a", Text(f"Keuze {NASTY}")),)
COLUMNS = (
    Column("wat", Text(f"Wat {NASTY}"), QuestionType.SHORT_TEXT),
    Column("soort", Text("Soort"), QuestionType.SINGLE_CHOICE, options=OPTIONS),
)


def a_line(question: Question, value: Value, *, by: str | None = "Anna", is_proposal: bool = False) -> AnswerLine:
    answer = Answer("verkennen.1", "stap", question.id, value, "c", "anna", AT)
    return AnswerLine(question, answer, by, is_proposal)


def markup(line: AnswerLine, language: str = "nl") -> str:
    return AnswerMarkup(Words("nl" if language == "nl" else "en")).of([line])


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (QuestionType.LONG_TEXT, NASTY),
        (QuestionType.SINGLE_CHOICE, "a"),
        (QuestionType.SINGLE_CHOICE, NASTY),
        (QuestionType.MULTIPLE_CHOICE, ["a", NASTY]),
        (QuestionType.ASSESSMENT, {"grade": "yes", "reason": NASTY}),
        (QuestionType.TABLE, [{"wat": NASTY, "soort": "a"}]),
        (QuestionType.TABLE, [{"wat": "x", "soort": NASTY}]),
    ],
)
def test_everything_that_somebody_wrote_is_escaped(type: QuestionType, value: Value):
    columns = COLUMNS if type is QuestionType.TABLE else ()
    question = Question("v", Text(f"Vraag {NASTY}"), type, options=OPTIONS, columns=columns)
    found = markup(a_line(question, value, by=NASTY))
    assert "<script" not in found
    assert found.count(SAFE) >= 3  # the question, the answer and the name


def test_table_has_a_row_for_each_and_tells_the_column_of_each_cell():
    question = Question("v", Text("Vraag"), QuestionType.TABLE, columns=COLUMNS)
    found = markup(a_line(question, [{"wat": "een", "soort": "a"}, {"wat": "twee"}]))
    assert found.count("<tr") == found.count("</tr>") == 3
    assert found.count("<td") == found.count("</td>") == 4
    assert 'data-label="Soort"' in found
    assert 'tabindex="0" role="group" aria-label="Vraag"><table' in found, "reached by keyboard where it is too wide"
    assert found.count("<div") == found.count("</div>") == 1


def test_answer_says_who_and_when_and_whether_it_is_confirmed():
    question = Question("v", Text("Vraag"), QuestionType.SHORT_TEXT)
    assert 'Anna, <time datetime="2027-03-03T14:05+01:00">3 maart 2027 om 14:05</time></span></dd>' in markup(
        a_line(question, "tekst")
    )
    assert "nog niet bevestigd" in markup(a_line(question, "tekst", is_proposal=True))


def test_question_without_an_answer_says_so():
    question = Question("v", Text("Vraag"), QuestionType.SHORT_TEXT)
    assert markup(AnswerLine(question, None, None)).endswith('<span class="soft">Niet beantwoord</span></dd>')


def test_question_that_is_in_dutch_only_is_marked_for_the_english_page():
    question = Question("v", Text("Vraag"), QuestionType.SHORT_TEXT)
    assert '<dt><span lang="nl">Vraag</span></dt>' in markup(a_line(question, "tekst"), "en")
    assert "<dt>Vraag</dt>" in markup(a_line(question, "tekst"))
