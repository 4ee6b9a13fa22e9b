from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, HttpUrl, SecretStr, model_validator
from starlette.datastructures import FormData, UploadFile

from app.web.forms import (
    CSRF_FIELD,
    DutchDate,
    DutchNumber,
    Form,
    FormInvalid,
    FormState,
    Ticked,
    parse,
    refuse,
    sentence_error,
    typed_text,
)
from app.web.i18n import N_


class Sample(Form):
    name: Annotated[str, Field(alias="naam", title="Name", max_length=20)]
    purpose: str | None = Field(None, alias="doel")
    domains: list[str] = Field([], alias="domeinen", max_length=2)
    amount: Annotated[DutchNumber | None, Field(alias="aantal", ge=0)] = None
    day: DutchDate | None = Field(None, alias="dag")
    kind: Literal["file", "link"] = Field("file", alias="soort")
    secret: Ticked = Field(False, alias="vertrouwelijk")
    link: HttpUrl | None = None


def a_form(*fields: tuple[str, Any]) -> FormData:
    return FormData([("naam", "Sport"), *fields])


def problems(*fields: tuple[str, Any], naam: str = "Sport") -> dict[str, str]:
    with pytest.raises(FormInvalid) as refusal:
        parse(Sample, FormData([("naam", naam), *fields]))
    return dict(refusal.value.state("en").errors)


def test_good_form_becomes_a_value():
    value = parse(
        Sample,
        a_form(
            (CSRF_FIELD, "t"),
            ("doel", " eerste\r\ntweede \n"),
            ("domeinen", "wonen"),
            ("domeinen", "jeugd"),
            ("aantal", "1.250,5"),
            ("dag", "2026-11-24"),
            ("vertrouwelijk", "ja"),
        ),
    )

    assert value.purpose == "eerste\ntweede"
    assert value.domains == ["wonen", "jeugd"]
    assert value.amount == Decimal("1250.5")
    assert value.day == date(2026, 11, 24)
    assert value.secret is True


def test_empty_fields_count_as_not_filled_in():
    value = parse(Sample, a_form(("doel", "  "), ("aantal", ""), ("domeinen", "")))

    assert (value.purpose, value.amount, value.domains) == (None, None, [])
    assert problems(naam=" ") == {"naam": "Fill in “Name”."}


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12", "12"),
        ("3,5", "3.5"),
        ("3.5", "3.5"),
        ("1.234", "1234"),
        ("1.234.567,89", "1234567.89"),
        ("1 234", "1234"),
        ("0,5", "0.5"),
    ],
)
def test_numbers_as_dutch_people_type_them(typed: str, number: str):
    assert parse(Sample, a_form(("aantal", typed))).amount == Decimal(number)


@pytest.mark.parametrize(
    "typed", ["veel", "1,2,3", "NaN", "Infinity", "1e9", "٣", "-1", "12 stuks", "1e999999", "9" * 16]
)
def test_other_numbers_are_refused(typed: str):
    assert "aantal" in problems(("aantal", typed))


@pytest.mark.parametrize("typed", ["24-11-2026", "24/11/2026", "24.11.2026", "2026-11-24"])
def test_dates_as_dutch_people_type_them(typed: str):
    assert parse(Sample, a_form(("dag", typed))).day == date(2026, 11, 24)


def test_all_problems_are_named_at_once_in_the_order_of_the_form():
    found = problems(
        ("link", "ftp://x"),
        ("soort", "film"),
        ("dag", "31-02-2026"),
        ("aantal", "-1"),
        ("domeinen", "a"),
        ("domeinen", "b"),
        ("domeinen", "c"),
        naam="x" * 21,
    )

    assert list(found.items()) == [
        ("naam", "Shorten “Name”: at most 20 characters fit."),
        ("domeinen", "Choose at most 2 at “domeinen”."),
        ("aantal", "The number at “aantal” must be 0 or more."),
        ("dag", "Type a date at “dag”, for example 31-12-2026."),
        ("soort", "Choose one of the answers at “soort”."),
        ("link", "Type the whole address at “link”, starting with https://."),
    ]


def test_field_that_the_form_does_not_have_is_refused():
    assert "does not belong here (rol)" in problems(("rol", "beheerder"))["rol"]
    assert "does not belong here (rol)" in problems(("rol", ""))["rol"]


def test_field_that_came_in_twice_is_refused():
    assert "came in twice" in problems(("doel", "a"), ("doel", "b"))["doel"]


def test_character_that_databases_refuse_is_refused_here():
    assert "cannot be stored" in problems(("doel", "a\x00b"))["doel"]


def test_refused_form_keeps_what_was_typed_and_speaks_dutch():
    with pytest.raises(FormInvalid) as refusal:
        parse(Sample, FormData([("naam", ""), ("doel", "lange\r\ntekst"), ("domeinen", "a"), ("domeinen", "b")]))
    form = refusal.value.state("nl", prefix="nieuw-")

    assert form.value("doel") == "lange\r\ntekst"
    assert form.values_of("domeinen") == ("a", "b")
    assert form.summary == [("nieuw-naam", "Vul ‘Naam’ in.")]


def test_password_is_never_given_back():
    class SignIn(Form):
        login: str
        pin: SecretStr

    with pytest.raises(FormInvalid) as refusal:
        parse(SignIn, FormData([("login", ""), ("pin", "1234"), ("wachtwoord", "geheim")]))

    assert set(refusal.value.typed) == {"login"}


def test_typed_text_holds_no_files_and_no_token():
    upload = UploadFile(BytesIO(b"x"), filename="a.pdf")

    assert typed_text(FormData([("titel", "x"), ("bestand", upload), (CSRF_FIELD, "t")])) == {"titel": ("x",)}


def test_file_field_without_a_file_counts_as_empty():
    class WithFiles(Form):
        model_config = {"arbitrary_types_allowed": True}
        files: list[Any] = []

    empty, chosen = UploadFile(BytesIO(), filename=""), UploadFile(BytesIO(b"x"), filename="a.pdf")

    assert parse(WithFiles, FormData([("files", empty)])).files == []
    assert parse(WithFiles, FormData([("files", chosen)])).files == [chosen]


def test_rule_of_a_form_speaks_its_own_sentence():
    class Period(Form):
        start: DutchDate
        end: DutchDate

        @model_validator(mode="after")
        def _in_order(self) -> "Period":
            if self.end < self.start:
                raise sentence_error(N_("The end is before the start."))
            return self

    with pytest.raises(FormInvalid) as refusal:
        parse(Period, FormData([("start", "2026-02-01"), ("end", "2026-01-01")]))

    assert refusal.value.state("en").summary == [("start", "The end is before the start.")]


def test_service_can_refuse_a_field_with_its_own_words():
    form = a_form()

    assert refuse(form, "naam", "“%(label)s” is taken by %(who)s.", label="Name", who="Anna").state("en").errors == {
        "naam": "“Name” is taken by Anna."
    }


def test_stored_values_fill_a_form():
    form = FormState.of(
        prefix="p-", naam="Sport", doel=None, aantal=Decimal("1.5"), dag=date(2026, 1, 2), ja=True, nee=False, n=3,
        domeinen=["a", "b"],
    )  # fmt: skip

    assert form.value("naam") == "Sport"
    assert form.value("doel") == ""
    assert form.value("aantal") == "1,5"
    assert form.value("dag") == "2026-01-02"
    assert (form.value("ja"), form.value("nee"), form.value("n")) == ("ja", "", "3")
    assert form.values_of("domeinen") == ("a", "b")
    assert form.id("naam") == "p-naam"
    assert form.errors == {}
