"""From a posted form to a checked value, or back to the form with everything that was typed still in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Self, TypeVar, get_args, get_origin

from fastapi import Depends
from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app.web.i18n import N_, Language, gettext_for

# The whole request. A route that takes files declares its own `max_body_size`.
FORM_BYTES_MAX: Final = 2 * 1024**2  # a step with every long answer filled in is about 200 KB
FIELDS_MAX: Final = 2000  # a table question of 100 rows and a checklist of 100 statements fit well within
FILES_MAX: Final = 20
TEXT_BYTES_MAX: Final = 1024 * 1024  # one text field of a multipart form; longer is 400

Model = TypeVar("Model", bound=BaseModel)
Typed = Mapping[str, tuple[str, ...]]

# Fields of the page itself, never of the one who typed.
CSRF_FIELD: Final = "csrf_token"
ONCE_FIELD: Final = "once"  # see app/web/once.py
BASIS_FIELD: Final = "based_on"  # see app/web/based_on.py
# In every form, whatever its model: other code has read them.
OF_THE_PAGE: Final = frozenset({CSRF_FIELD, ONCE_FIELD, BASIS_FIELD})
TECHNICAL: Final = OF_THE_PAGE | {"revision", "shown", "terug", "taal"}


class Form(BaseModel):
    """Base of the form models: what is not in the model is refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class FormState:
    """What a form shows: typed or stored values, and a sentence per field that is not right yet."""

    values: Typed = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""  # keeps the ids of two forms on one page apart

    @classmethod
    def of(cls, prefix: str = "", **values: object) -> Self:
        """From stored values: None is empty, True a ticked box, a collection several choices."""
        return cls({name: _as_typed(value) for name, value in values.items()}, prefix=prefix)

    def value(self, name: str) -> str:
        values = self.values.get(name)
        return values[0] if values else ""

    def values_of(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def with_default(self, name: str, value: str) -> FormState:
        """The same form, with `value` where nothing was typed or chosen yet."""
        return self if name in self.values else replace(self, values={**self.values, name: (value,)})

    def apart(self, prefix: str) -> FormState:
        """The same form, with other ids: for a field that stands on the page twice."""
        return replace(self, prefix=f"{self.prefix}{prefix}")

    def error(self, name: str) -> str | None:
        return self.errors.get(name)

    def id(self, name: str) -> str:
        return f"{self.prefix}{name}"

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(field id, sentence), in the order of the form."""
        return [(self.id(name), sentence) for name, sentence in self.errors.items()]


def _as_typed(value: object) -> tuple[str, ...]:
    match value:
        case None | False:
            return ()
        case True:
            return ("ja",)
        case str():
            return (value,)
        case Decimal() | float():
            return (f"{value}".replace(".", ","),)
        case datetime():
            raise TypeError("a moment has no field of its own; give a date")
        case date():
            return (value.isoformat(),)
        case Iterable():
            return tuple(str(each) for each in value)
        case _:
            return (str(value),)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a field is refused: a message id with its values. `label` is a message id too, with values of its own."""

    name: str
    sentence: str
    label: str
    params: Mapping[str, object] = field(default_factory=dict)
    label_params: Mapping[str, object] = field(default_factory=dict)


class FormInvalid(Exception):
    """A form that cannot be accepted yet, with what was typed and everything that is wrong with it."""

    def __init__(self, typed: Typed, problems: Iterable[Problem]) -> None:
        self.typed, self.problems = typed, tuple(problems)
        super().__init__([(problem.name, problem.sentence) for problem in self.problems])

    def state(self, language: Language, *, prefix: str = "") -> FormState:
        """The form to show again, with status 422."""
        texts = gettext_for(language)
        errors: dict[str, str] = {}
        for problem in self.problems:
            label = texts.gettext(problem.label)
            params = {**problem.params, "label": label % problem.label_params if problem.label_params else label}
            errors.setdefault(problem.name, texts.gettext(problem.sentence) % params)
        return FormState(self.typed, errors, prefix)


async def posted_form(request: Request) -> FormData:
    """Read once per request, whoever asks."""
    return await request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=TEXT_BYTES_MAX)


async def _read(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=TEXT_BYTES_MAX) as form:
        request.state.typed = typed_text(form)
        yield form


Posted = Annotated[FormData, Depends(_read)]
"""The form of a request, for a route's signature. What was typed is remembered, so that an error page can give
it back."""


def typed_text(form: FormData) -> dict[str, tuple[str, ...]]:
    """The texts of a form: no files, no CSRF token, nothing that is called a password."""
    typed: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name != CSRF_FIELD and not _is_secret(name):
            typed[name] = (*typed.get(name, ()), value)
    return typed


def _is_secret(name: str) -> bool:
    if name.startswith(("antwoord.", "reden.", "keuze.")):  # about a part of a step plan, whose id may be "gedragscode"
        return False
    return any(word in name.lower() for word in ("wachtwoord", "password", "code", "secret"))


def parse(model: type[Model], form: FormData) -> Model:
    """The form as a value of `model`.  Raises FormInvalid with all problems at once.

    An empty field counts as not filled in. Lines end in \\n. A repeated name is a list where the model has one.
    """
    fields = {_name_in_form(name, info): info for name, info in model.model_fields.items()}
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(form):
        if name in OF_THE_PAGE and name not in fields:
            continue
        values = [_clean(value) for value in form.getlist(name)]
        values = [value for value in values if value not in ("", None)]
        info = fields.get(name)
        if any(isinstance(value, str) and "\x00" in value for value in values):
            problems.append(Problem(name, NUL, _label(name, info)))
        elif info is not None and _takes_many(info.annotation):
            given[name] = values
        elif len(values) > 1:
            problems.append(Problem(name, TWICE, _label(name, info)))
        elif values:
            given[name] = values[0]
        elif info is None:
            given[name] = ""  # an empty unknown field is still a field that does not belong here
    try:
        value = model.model_validate(given)
    except ValidationError as error:
        problems += _problems(error, fields)
    else:
        if not problems:
            return value
    order = {name: number for number, name in enumerate(fields)}
    # Of a value that was refused here, pydantic only sees that it is missing.
    by_name = {problem.name: problem for problem in reversed(problems)}
    ordered = sorted(by_name.values(), key=lambda problem: order.get(problem.name, len(order)))
    secret = {name for name, info in fields.items() if info.annotation is SecretStr}
    typed = {name: values for name, values in typed_text(form).items() if name not in secret}
    raise FormInvalid(typed, ordered)


def labels_of(names: Collection[str]) -> dict[str, str]:
    """By name of a field, the message id of its label: of the form with all these fields. Nothing for a field that
    such forms call differently. Names with a point in them are about a part of a step plan: no model has those."""
    wanted = {name for name in names if "." not in name}
    found: dict[str, set[str]] = {}
    for model in _models(Form):
        fields = {_name_in_form(name, info): info for name, info in model.model_fields.items()}
        if wanted <= fields.keys():
            for name in wanted:
                found.setdefault(name, set()).add(fields[name].title or "")
    return {name: label for name, labels in found.items() if len(labels) == 1 and (label := labels.pop())}


def _models(kind: type[Form]) -> Iterator[type[Form]]:
    for model in kind.__subclasses__():
        yield model
        yield from _models(model)


def refuse(form: FormData, name: str, sentence: str, *, label: str = "", **params: object) -> FormInvalid:
    """For what only a service can know, such as a name that is taken: `raise refuse(form, "email", N_("…"))`."""
    return FormInvalid(typed_text(form), [Problem(name, sentence, label or name, params)])


def _name_in_form(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _clean(value: str | UploadFile) -> object:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return value if value.filename else None


def _takes_many(annotation: object) -> bool:
    origin = get_origin(annotation) or annotation
    if origin in (list, tuple, set, frozenset):
        return True
    return any(_takes_many(part) for part in get_args(annotation)) if origin not in (dict,) else False


def _label(name: str, info: FieldInfo | None) -> str:
    return info.title if info is not None and info.title else name


NUL: Final = N_("“%(label)s” holds a character that cannot be stored. Type the text again.")
TWICE: Final = N_("“%(label)s” came in twice. Load the page again.")
FALLBACK: Final = N_("“%(label)s” is not right. Check what you filled in.")

# Type of pydantic's error -> sentence. Its values (max_length, ge, …) can be used in the sentence.
_NUMBER: Final = N_("Type a number at “%(label)s”, for example 12 or 3,5.")
_WHOLE: Final = N_("Type a whole number at “%(label)s”, for example 12.")
_DATE: Final = N_("Type a date at “%(label)s”, for example 31-12-2026.")
_CHOICE: Final = N_("Choose one of the answers at “%(label)s”.")
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": N_("Fill in “%(label)s”."),
        "string_too_short": N_("Type at least %(min_length)s characters at “%(label)s”."),
        "string_too_long": N_("Shorten “%(label)s”: at most %(max_length)s characters fit."),
        "string_pattern_mismatch": N_("“%(label)s” has a form that cannot be used here. Check what you typed."),
        "too_short": N_("Choose at least %(min_length)s at “%(label)s”."),
        "too_long": N_("Choose at most %(max_length)s at “%(label)s”."),
        "enum": _CHOICE,
        "literal_error": _CHOICE,
        "uuid_parsing": _CHOICE,
        "int_parsing": _WHOLE,
        "int_from_float": _WHOLE,
        "int_parsing_size": _WHOLE,
        "decimal_parsing": _NUMBER,
        "float_parsing": _NUMBER,
        "finite_number": _NUMBER,
        "greater_than_equal": N_("The number at “%(label)s” must be %(ge)s or more."),
        "greater_than": N_("The number at “%(label)s” must be more than %(gt)s."),
        "less_than_equal": N_("The number at “%(label)s” must be %(le)s or less."),
        "less_than": N_("The number at “%(label)s” must be less than %(lt)s."),
        "date_parsing": _DATE,
        "date_from_datetime_parsing": _DATE,
        "date_from_datetime_inexact": _DATE,
        "url_parsing": N_("Type the whole address at “%(label)s”, starting with https://."),
        "url_scheme": N_("Type the whole address at “%(label)s”, starting with https://."),
        "extra_forbidden": N_("The page sent something that does not belong here (%(label)s). Load the page again."),
    }
)

SENTENCE: Final = "sentence"


def sentence_error(sentence: str, **params: object) -> PydanticCustomError:
    """For validators in form models: `raise sentence_error(N_("The end comes before the start."))`."""
    # pydantic fills in {…} only; our %(…)s passes through to gettext.
    return PydanticCustomError(SENTENCE, sentence, params)


def _problems(error: ValidationError, fields: Mapping[str, FieldInfo]) -> Iterable[Problem]:
    for item in error.errors(include_url=False, include_input=False):
        name = str(item["loc"][0]) if item["loc"] else next(iter(fields))
        sentence = item["msg"] if item["type"] == SENTENCE else SENTENCES.get(item["type"], FALLBACK)
        yield Problem(name, sentence, _label(name, fields.get(name)), item.get("ctx", {}))


_PLAIN_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,6})?")


def _dutch_number(value: object) -> object:
    """1.234,5 and 1234.5 and 1234 are what people type; points with three digits after each of them group.

    No exponents: nobody types them, and `1e999999` would take a machine down further on.
    """
    if not isinstance(value, str):
        return value
    text = re.sub(r"\s", "", value)
    if "," in text:
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[-+]?[0-9]{1,3}(\.[0-9]{3})+", text):
        text = text.replace(".", "")
    if not _PLAIN_NUMBER.fullmatch(text):
        raise PydanticCustomError("decimal_parsing", "not a number")
    return Decimal(text)


def _dutch_date(value: object) -> object:
    """2026-12-31 as browsers send it, 31-12-2026 as people type it where there is no date field."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", value)):
        return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    return value


DutchNumber = Annotated[Decimal, BeforeValidator(_dutch_number)]
DutchDate = Annotated[date, BeforeValidator(_dutch_date)]
Ticked = Annotated[bool, BeforeValidator(lambda value: value == "ja")]
