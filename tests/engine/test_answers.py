"""From what somebody types to what is stored, and what the engine keeps of it."""

import json
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.answers import (
    LONG_TEXT_MAX,
    SHORT_TEXT_MAX,
    TABLE_ROWS_MAX,
    AnswerInvalid,
    Raw,
    Value,
    canonical,
    commitment,
    is_shown,
    mark,
    read,
)
from app.engine.definition import Column, Condition, Grade, Option, Question, QuestionType, Text
from app.engine.run import StepState
from tests.builders import OVERVIEW, SALT, a_question, a_state, a_step, graded, marks

SHORT = a_question("kort", QuestionType.SHORT_TEXT)
LONG = a_question("lang", QuestionType.LONG_TEXT)
ONE = a_question("een", QuestionType.SINGLE_CHOICE, options=("ja", "nee"))
SEVERAL = a_question("meer", QuestionType.MULTIPLE_CHOICE, options=("a", "b", "c"))
GRADE = a_question("oordeel", QuestionType.ASSESSMENT)
NUMBER = a_question("getal", QuestionType.NUMBER)
DATE = a_question("dag", QuestionType.DATE)
TABLE = a_question(
    "tabel",
    QuestionType.TABLE,
    rows_min=2,
    columns=(
        Column("wat", Text("Wat"), QuestionType.LONG_TEXT, is_required=True),
        Column("op", Text("Op"), QuestionType.DATE),
        Column("hoeveel", Text("Hoeveel"), QuestionType.NUMBER),
        Column("soort", Text("Soort"), QuestionType.SINGLE_CHOICE, options=(Option("x", Text("X")),)),
    ),
)
EVERY_TYPE = (SHORT, LONG, ONE, SEVERAL, GRADE, NUMBER, DATE, TABLE)


def invalid(question: Question, raw: Raw) -> AnswerInvalid:
    with pytest.raises(AnswerInvalid) as refused:
        read(question, raw)
    return refused.value


# --- nothing ---------------------------------------------------------------------------------------------------


def test_every_type_of_question_is_tried_here():
    assert {question.type for question in EVERY_TYPE} == set(QuestionType)


@pytest.mark.parametrize("question", EVERY_TYPE, ids=lambda q: q.id)
@pytest.mark.parametrize("raw", [None, "", []], ids=["nothing", "empty text", "empty list"])
def test_nothing_typed_is_no_answer(question: Question, raw: Raw):
    assert read(question, raw) is None


@pytest.mark.parametrize("question", [SHORT, LONG, NUMBER, DATE], ids=lambda q: q.id)
@pytest.mark.parametrize("blank", [" ", "\t\r\n", "\u00a0"])
def test_only_blanks_are_no_answer(question: Question, blank: str):
    assert read(question, blank) is None


def test_empty_assessment_choices_and_rows_are_no_answer():
    assert read(GRADE, {"grade": "", "reason": " \n"}) is None
    assert read(SEVERAL, ["", ""]) is None
    assert read(TABLE, [{"wat": "", "op": " "}, {}]) is None


# --- text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "limit"), [(SHORT, SHORT_TEXT_MAX), (LONG, LONG_TEXT_MAX)])
def test_text_of_the_greatest_length_is_kept_and_one_character_more_is_refused(question: Question, limit: int):
    assert read(question, "é" * limit) == "é" * limit

    refused = invalid(question, "é" * (limit + 1))

    assert (refused.code, refused.params) == ("too_long", {"limit": limit, "length": limit + 1})


def test_blanks_around_a_text_do_not_count_for_its_length():
    assert read(SHORT, f"  {'a' * SHORT_TEXT_MAX}\r\n ") == "a" * SHORT_TEXT_MAX


def test_line_ends_of_every_system_become_the_same():
    assert read(LONG, "een\r\ntwee\rdrie\n\nvier") == "een\ntwee\ndrie\n\nvier"


def test_characters_that_nobody_types_are_dropped():
    assert read(LONG, "a\x00b\x1b[31mc\x7fd\ud800e\tf") == "ab[31mcde\tf"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE run; --", "=1+1", "{{ 7*7 }}", "%(stage)s", "مرحبا 👩‍👩‍👧 ĳ"]
)
def test_text_that_could_hurt_elsewhere_is_kept_as_it_was_typed(text: str):
    assert read(LONG, text) == text


@given(st.text(max_size=400, alphabet=st.characters()))
def test_whatever_text_is_typed_can_be_stored_or_is_refused(typed: str):
    for question in (SHORT, LONG, NUMBER, DATE, ONE):
        try:
            value = read(question, typed)
        except AnswerInvalid:
            continue
        canonical(value).decode()
        assert json.loads(json.dumps(value)) == value
        assert read(question, value) == value


# --- choices ---------------------------------------------------------------------------------------------------


def test_choice_is_kept_and_an_unknown_one_refused():
    assert read(ONE, "ja") == "ja"
    assert invalid(ONE, "misschien").code == "unknown_option"
    assert invalid(ONE, " ja").params == {"value": " ja"}


def test_several_choices_are_kept_in_the_order_of_the_plan_and_once():
    assert read(SEVERAL, ["c", "a", "c", ""]) == ["a", "c"]
    assert read(SEVERAL, "b") == ["b"]


def test_one_unknown_choice_among_several_is_refused():
    assert invalid(SEVERAL, ["a", "z"]).params == {"value": "z"}


def test_a_refusal_does_not_carry_a_whole_attack_along():
    assert len(str(invalid(ONE, "x" * 100_000).params["value"])) == 80
    assert len(str(invalid(NUMBER, "x" * 100_000).params["value"])) == 80
    assert len(str(invalid(DATE, "9" * 100_000).params["value"])) == 80
    assert len(str(invalid(GRADE, {"grade": "x" * 100_000}).params["value"])) == 80


@pytest.mark.parametrize("grade", Grade)
def test_every_grade_is_an_answer_with_or_without_a_reason(grade: Grade):
    assert read(GRADE, {"grade": grade.value}) == {"grade": grade.value, "reason": ""}
    assert read(GRADE, {"grade": grade.value, "reason": " want "}) == {"grade": grade.value, "reason": "want"}


def test_a_reason_without_a_grade_is_kept():
    assert read(GRADE, {"grade": "", "reason": "half af"}) == {"grade": "", "reason": "half af"}


def test_unknown_grade_and_too_long_reason_are_refused():
    assert invalid(GRADE, {"grade": "maybe"}).code == "unknown_option"
    assert invalid(GRADE, {"grade": "YES"}).code == "unknown_option"
    assert invalid(GRADE, {"grade": "yes", "reason": "x" * (LONG_TEXT_MAX + 1)}).code == "too_long"


# --- numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("0", "0"),
        ("-0,0", "0"),
        ("12,50", "12.5"),
        ("12.5", "12.5"),
        ("0,125", "0.125"),
        ("0.125", "0.125"),
        (",5", "0.5"),
        ("1234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1.234", "1234"),
        ("1.234.567", "1234567"),
        ("12 500", "12500"),
        ("12\u00a0500,75", "12500.75"),
        ("+5", "5"),
        ("-1.000", "-1000"),
        (" 007 ", "7"),
        ("100", "100"),
        ("1000000000000000", "1000000000000000"),
    ],
)
def test_numbers_are_read_the_dutch_way(typed: str, stored: str):
    assert read(NUMBER, typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "twaalf",
        "12 m2",
        "1,234.5",
        "1.2.3",
        "1.23,4.5",
        "1,2,3",
        "12.34,5",
        "1 2",
        "12.5 3",
        "--1",
        "1_000",
        "٣",
        "½",
        "NaN",
        "sNaN",
        "Infinity",
        "1e5",
        "1e-999999999",
        "0e999999999",
        "0x10",
        "=1+1",
        "1" * 17,
        "-1000000000000000,1",
        "9" * 1_000_000,
        "0," + "0" * 1_000_000,
    ],
    ids=lambda typed: typed[:20],
)
def test_what_is_no_plain_number_is_refused_at_once(typed: str):
    begun = time.monotonic()
    assert invalid(NUMBER, typed).code == "not_a_number"
    assert time.monotonic() - begun < 1


def test_minimum_and_maximum_belong_to_the_range():
    question = a_question("n", QuestionType.NUMBER, minimum=0.1, maximum=2_500_000)

    assert read(question, "0,1") == "0.1"
    assert read(question, "2.500.000") == "2500000"
    assert invalid(question, "0,09").params == {"minimum": "0.1"}
    assert invalid(question, "2500000,1").params == {"maximum": "2500000"}
    assert invalid(question, "0,09").code == "number_too_small"
    assert invalid(question, "2500000,1").code == "number_too_large"


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=4))
def test_number_typed_with_a_decimal_comma_stays_that_number(number: Decimal):
    stored = read(NUMBER, f"{number:f}".replace(".", ","))

    assert isinstance(stored, str)
    assert Decimal(stored) == number


# --- dates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["2027-03-01", "1-3-2027", "01-03-2027", "1/3/2027", "1.3.2027", " 1 3 2027 "])
def test_dates_are_read_as_people_write_them(typed: str):
    assert read(DATE, typed) == "2027-03-01"


@pytest.mark.parametrize(
    "typed",
    ["31-2-2027", "2027-02-29", "2027-3-1", "1-3-27", "3/31/2027", "2027-W01-1", "20270301", "0-0-0000", "+1-3-2027"],
)
def test_what_is_no_date_is_refused(typed: str):
    assert invalid(DATE, typed).code == "not_a_date"


def test_leap_day_is_a_date_in_leap_years_only():
    assert read(DATE, "29-2-2028") == "2028-02-29"
    assert invalid(DATE, "29-2-2100").code == "not_a_date"


@given(st.dates())
def test_every_date_is_read_in_both_forms(day: date):
    assert read(DATE, day.isoformat()) == day.isoformat()
    assert read(DATE, f"{day.day}-{day.month}-{day.year:04}") == day.isoformat()


# --- tables ----------------------------------------------------------------------------------------------------


def test_rows_are_kept_without_the_empty_ones_and_with_every_column():
    value = read(TABLE, [{"wat": "a", "op": "1-3-2027"}, {"wat": ""}, {"hoeveel": "1.000,5", "soort": "x"}])

    assert value == [
        {"wat": "a", "op": "2027-03-01", "hoeveel": "", "soort": ""},
        {"wat": "", "op": "", "hoeveel": "1000.5", "soort": "x"},
    ]


def test_columns_that_the_plan_does_not_have_are_not_kept():
    assert read(TABLE, [{"wat": "a", "geheim": "b"}]) == [{"wat": "a", "op": "", "hoeveel": "", "soort": ""}]


@pytest.mark.parametrize(
    ("cell", "code"),
    [({"op": "gisteren"}, "not_a_date"), ({"hoeveel": "veel"}, "not_a_number"), ({"soort": "y"}, "unknown_option")],
)
def test_wrong_cell_is_named_by_its_row_on_the_form_and_its_column(cell: dict[str, str], code: str):
    refused = invalid(TABLE, [{"wat": "a"}, {}, cell])

    assert (refused.code, refused.row, refused.column) == (code, 2, next(iter(cell)))


def test_as_many_rows_as_fit_and_no_more():
    assert len(read(TABLE, [{"wat": "a"}] * TABLE_ROWS_MAX) or ()) == TABLE_ROWS_MAX

    refused = invalid(TABLE, [{"wat": "a"}] * (TABLE_ROWS_MAX + 1))

    assert (refused.code, refused.params) == ("too_many_rows", {"limit": TABLE_ROWS_MAX, "length": TABLE_ROWS_MAX + 1})


# --- marks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "raw", "choices"),
    [
        (SHORT, "tekst", ()),
        (LONG, "tekst", ()),
        (ONE, "ja", ("ja",)),
        (SEVERAL, ["c", "a"], ("a", "c")),
        (GRADE, {"grade": "unknown", "reason": ""}, ("unknown",)),
        (NUMBER, "0", ()),
        (DATE, "1-3-2027", ()),
        (TABLE, [{"wat": "a"}, {"wat": "b"}], ()),
    ],
    ids=lambda value: value.id if isinstance(value, Question) else "",
)
def test_mark_holds_closed_values_but_no_text(question: Question, raw: Raw, choices: tuple[str, ...]):
    kept = mark(question, read(question, raw), SALT)

    assert (kept.is_filled, kept.is_complete, kept.choices) == (True, True, choices)
    assert len(kept.commitment) == 64


@pytest.mark.parametrize("question", EVERY_TYPE, ids=lambda q: q.id)
def test_emptied_answer_is_neither_filled_nor_complete(question: Question):
    kept = mark(question, None, SALT)

    assert (kept.is_filled, kept.is_complete, kept.choices) == (False, False, ())


@pytest.mark.parametrize(
    ("value", "is_complete"),
    [
        (graded("not_applicable"), False),
        (graded("not_applicable", "Er wonen hier geen jongeren."), True),
        (graded("", "nog geen oordeel"), False),
        (graded("unknown"), True),
        (graded("no"), True),
    ],
)
def test_not_applicable_needs_its_reason_and_unknown_is_a_full_answer(value: Value, is_complete: bool):
    assert mark(GRADE, value, SALT).is_complete == is_complete
    assert mark(GRADE, value, SALT).is_filled


@pytest.mark.parametrize(
    ("rows", "is_complete"),
    [
        ([{"wat": "a"}], False),
        ([{"wat": "a"}, {"wat": "b"}], True),
        ([{"wat": "a"}, {"op": "1-3-2027"}], False),
        ([{"wat": "a"}, {"wat": "b"}, {"wat": "c"}], True),
    ],
    ids=["too few rows", "enough", "required cell empty", "more"],
)
def test_table_is_complete_with_enough_rows_and_all_required_cells(rows: list[dict[str, str]], is_complete: bool):
    assert mark(TABLE, read(TABLE, rows), SALT).is_complete == is_complete


def test_table_without_a_minimum_is_complete_with_one_row():
    table = a_question("t", QuestionType.TABLE, columns=TABLE.columns)

    assert mark(table, read(table, [{"wat": "a"}]), SALT).is_complete


def test_commitment_depends_on_the_value_and_the_salt_only():
    assert commitment({"b": 1, "a": "é"}, SALT) == commitment({"a": "é", "b": 1}, SALT)
    assert commitment("a", SALT) != commitment("b", SALT)
    assert commitment("a", SALT) != commitment("a", "ff" * 16)
    assert commitment("", SALT) != commitment(None, SALT)
    assert commitment(["a", "b"], SALT) != commitment(["b", "a"], SALT)


def test_commitment_is_what_others_can_compute():
    # printf '"ja"' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00000000000000000000000000000000
    assert commitment("ja", SALT) == "ed2ad759d0ea5854eecef3c0b83f5cc4021758b841633aec65b30f96234f4d22"


def test_canonical_form_refuses_what_json_cannot_hold():
    with pytest.raises(TypeError):
        canonical({"when": date(2027, 3, 1)})
    assert canonical({"z": [1, None], "a": "é\n"}) == '{"a":"é\\n","z":[1,null]}'.encode()


# --- what is shown ---------------------------------------------------------------------------------------------


def shown(state: StepState) -> set[str]:
    return {question.id for question in OVERVIEW.questions if is_shown(OVERVIEW, state, question)}


ALWAYS = {"naam", "toelichting", "is-er-visie", "steun", "aantal", "laatste-besluit", "inbreng"}


def test_question_with_a_condition_hides_until_the_other_is_answered():
    assert shown(StepState()) == ALWAYS


@pytest.mark.parametrize(("answer", "is_there"), [("ja", True), ("deels", True), ("nee", False)])
def test_question_shows_with_each_of_the_answers_that_its_condition_names(answer: str, is_there: bool):
    assert ("wie-kent-visie" in shown(a_state(OVERVIEW, is_er_visie=answer))) == is_there


def test_question_shows_when_one_of_several_choices_is_named():
    state = a_state(OVERVIEW, is_er_visie="ja", wie_kent_visie=["team", "inwoners"])

    assert shown(state) == ALWAYS | {"wie-kent-visie", "welke-inwoners"}


def test_question_hides_with_the_question_that_it_depends_on():
    state = a_state(OVERVIEW, is_er_visie="nee", wie_kent_visie=["inwoners"])

    assert shown(state) == ALWAYS


def test_condition_without_answers_asks_for_any_answer():
    assert "waarom-zoveel" in shown(a_state(OVERVIEW, aantal="0"))
    assert "waarom-zoveel" not in shown(a_state(OVERVIEW, aantal=""))


def test_condition_can_name_grades():
    step = a_step(
        "s", GRADE, a_question("waarom", shown_when=Condition("oordeel", (Grade.NO.value, Grade.UNKNOWN.value)))
    )

    def is_there(grade: Grade) -> bool:
        state = StepState(answers=marks(step, {"oordeel": {"grade": grade.value, "reason": "r"}}))
        return is_shown(step, state, step.question("waarom"))

    assert [grade for grade in Grade if is_there(grade)] == [Grade.NO, Grade.UNKNOWN]
