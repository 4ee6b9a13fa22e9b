"""Somebody's data as a file: JSON for another program, and the same as a page to read. Written row by row."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any, Final

from markupsafe import escape

from app.engine.definition import Text
from app.features.accounts.data_words import ACTS, CODES, COLUMNS, PARTS
from app.features.accounts.log_routes import WORDS
from app.storage.personal_data import Part
from app.web.formats import formats_for
from app.web.i18n import N_, Language, gettext_for
from app.web.render import ROLE_NAMES

STYLE: Final = (
    "body{font-family:sans-serif;line-height:1.5;max-width:75rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}caption{text-align:left}"
    "th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "td{white-space:pre-wrap}"
)


@dataclass(frozen=True, slots=True)
class About:
    """`municipality` is empty for somebody who works for none."""

    person: str
    municipality: str
    made_at: datetime
    language: Language


def write_data(file: IO[bytes], about: About, parts: Callable[[], Iterator[Part]]) -> None:
    """`parts` is asked twice: for each of the two."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in (("gegevens.json", _json(about, parts())), ("gegevens.html", _page(about, parts()))):
            with archive.open(name, "w", force_zip64=True) as entry:
                for line in lines:
                    entry.write(f"{line}\n".encode())


def _json(about: About, parts: Iterable[Part]) -> Iterator[str]:
    head = {"gemaakt_op": about.made_at.isoformat(), "naam": about.person, "gemeente": about.municipality or None}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ","
    between = ""
    for part in parts:
        yield f'{between}"{PARTS[part.name][0]}": ['
        keys, comma = [COLUMNS[column][0] for column in part.columns], ""
        for row in part.rows:
            named = dict(zip(keys, map(_plain, row), strict=True))
            yield comma + json.dumps(named, ensure_ascii=False)
            comma = ","
        yield "]"
        between = ","
    yield "}"


def _plain(value: Any) -> Any:
    match value:
        case date():
            return value.isoformat()
        case Text():
            return value.nl
    return value


class _Words:
    def __init__(self, language: Language) -> None:
        self._language = language
        self.say: Final = gettext_for(language).gettext
        self._formats: Final = formats_for(language)
        acts: dict[str, str] = {act.value: words for act, words in WORDS.items()}
        roles = {role.value: name for role, name in ROLE_NAMES.items()}
        self._codes: Final[Mapping[str, Mapping[str, str]]] = {
            **CODES,
            "act": acts,
            "role": roles,
            "roles": roles,
            "before": roles,
        }

    def shown(self, part: str, column: str, value: Any) -> str:
        codes = ACTS if (part, column) == ("acts", "kind") else self._codes.get(column, {})
        match value:
            case None:
                return ""
            case bool():
                return self.say(N_("Yes")) if value else self.say(N_("No"))
            case datetime():
                return self._formats.moment(value)
            case date():
                return self._formats.date_text(value)
            case Text():
                return value.in_language(self._language)
            case str():
                return self.say(codes[value]) if value in codes else value
            case list() if all(isinstance(each, str) for each in value):
                return ", ".join(self.shown(part, column, each) for each in value)
            case dict() | list():
                return json.dumps(value, ensure_ascii=False, indent=1)
        return str(value)


def _page(about: About, parts: Iterable[Part]) -> Iterator[str]:
    words = _Words(about.language)
    title = words.say(N_("What is held about %(name)s")) % {"name": about.person}
    yield f'<!doctype html>\n<html lang="{about.language}"><head><meta charset="utf-8">'
    yield f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
    made = words.say(N_("Made on %(moment)s.")) % {"moment": formats_for(about.language).moment(about.made_at)}
    yield f"<p>{escape(made)} {escape(about.municipality)}</p>"
    nothing = words.say(N_("Nothing."))
    for part in parts:
        heading = escape(words.say(PARTS[part.name][1]))
        yield f"<h2>{heading}</h2>"
        heads = "".join(f'<th scope="col">{escape(words.say(COLUMNS[each][1]))}</th>' for each in part.columns)
        is_empty = True
        for row in part.rows:
            if is_empty:
                yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
            cells = (words.shown(part.name, *pair) for pair in zip(part.columns, row, strict=True))
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
            is_empty = False
        yield f"<p>{escape(nothing)}</p>" if is_empty else "</tbody></table>"
    yield "</main></body></html>"
