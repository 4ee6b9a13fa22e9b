"""Texts for users: English message ids in code and templates, Dutch in `locale/nl/*.po`.

The .po files are merged once at start-up; nothing compiled is kept on disk.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from starlette.requests import HTTPConnection

from app.resources import locale_dir

Language = Literal["nl", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DEFAULT_LANGUAGE: Final[Language] = "nl"
LANGUAGE_COOKIE: Final = "taal"


class TextsError(Exception):
    """A .po file that cannot be used; the message names the file and the remedy."""


def load_translations(language: Language, folder: Path) -> gettext.NullTranslations:
    """Merge `folder/<language>/*.po`. English needs no file: its message ids are the texts.

    Raises TextsError for an unreadable file, and for a message that two files translate: which one would win
    then depends on their names.
    """
    if language == "en":
        return gettext.NullTranslations()
    paths = sorted((folder / language).glob("*.po"))
    if not paths:
        raise TextsError(f"{folder / language}: no .po files here, so there is no Dutch; reinstall Stappenplan")
    merged = Catalog(locale=language)
    translated_in: dict[tuple[str, str | None], str] = {}
    for path in paths:
        for message in _read(path, language):
            if not message.id or not message.string or message.fuzzy:
                continue
            singular = message.id if isinstance(message.id, str) else message.id[0]
            key = (singular, message.context)
            if key in translated_in:
                raise TextsError(
                    f"{path}:{message.lineno}: {singular!r} is also in {translated_in[key]}; keep it in one file"
                )
            translated_in[key] = path.name
            merged.add(message.id, message.string, context=message.context)
    binary = io.BytesIO()
    write_mo(binary, merged)
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def _read(path: Path, language: Language) -> Catalog:
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError) as error:
        raise TextsError(f"{path}: {error}; mend this line") from error


@cache
def gettext_for(language: Language) -> gettext.NullTranslations:
    """The texts in one language: `gettext_for(lang).gettext("Save")`. Read from disk at the first call."""
    return load_translations(language, locale_dir())


def language_of(request: HTTPConnection) -> Language:
    """What the visitor chose, else Dutch. Browser preferences are ignored on purpose: many Dutch civil
    servants work on an English Windows and expect their own municipality to speak Dutch."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else DEFAULT_LANGUAGE


def N_(text: str) -> str:  # noqa: N802  # the name that gettext tools look for
    """Marks a message id that is looked up later, when the visitor's language is known."""
    return text
