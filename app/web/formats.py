"""Dates, times and numbers as people write them, per language. Babel's patterns are read once, not per call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import parse_pattern
from markupsafe import Markup
from pydantic_core import TzInfo

from app.web.i18n import Language

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
UNCHANGING: Final = (timezone, TzInfo)  # as Python and pydantic read UTC

Number = int | float | Decimal
Shown = TypeVar("Shown", bound=str)


class Formats:
    """The filters of one language, see `formats_for`. Datetimes must be aware; they are shown in Dutch time.

    A naive datetime is a bug (nobody knows which moment is meant) and raises ValueError.
    """

    def __init__(self, language: Language) -> None:
        locale = Locale.parse(language if language == "nl" else "en_GB")
        self._months: Final[dict[int, str]] = dict(locale.months["format"]["wide"])
        self._at: Final = "om" if language == "nl" else "at"
        self._group: Final[str] = locale.number_symbols["latn"]["group"]
        self._locale: Final = locale
        self._decimal: Final = parse_pattern("#,##0.###")
        self.moment: Final = _remembered(self._moment)
        self.time_text: Final[Callable[[datetime], Markup]] = _remembered(self._time_text)

    def date_text(self, value: date) -> str:
        """1 maart 2026"""
        value = _local_date(value)
        return f"{value.day} {self._months[value.month]} {value.year}"

    def date_table(self, value: date) -> str:
        """01-03-2026; in English too, since 01/03 would be read two ways."""
        value = _local_date(value)
        return f"{value.day:02}-{value.month:02}-{value.year}"

    def _moment(self, value: datetime) -> str:
        """3 maart 2027 om 14:05"""
        local = _local(value)
        return f"{local.day} {self._months[local.month]} {local.year} {self._at} {local.hour:02}:{local.minute:02}"

    def number(self, value: Number) -> str:
        """1.234,5: grouped, at most three decimals."""
        if isinstance(value, int):
            return f"{value:,}".replace(",", self._group)
        return str(self._decimal.apply(value, self._locale))

    def _time_text(self, value: datetime) -> Markup:
        """`moment` in a `<time>`; known to templates as ui.time_text. A page can show hundreds of these."""
        return Markup('<time datetime="{}">{}</time>').format(machine_time(value), self.moment(value))

    def components(self) -> dict[str, Callable[..., str]]:
        return {"time_text": self.time_text}

    def filters(self) -> dict[str, Callable[..., str]]:
        return {
            "date_text": self.date_text,
            "date_table": self.date_table,
            "moment": self.moment,
            "number": self.number,
            "machine_time": _remembered(machine_time),
        }


@cache
def formats_for(language: Language) -> Formats:
    return Formats(language)


def machine_time(value: date) -> str:
    """For the `datetime` attribute of `<time>`: 2026-03-01, or with an offset for a moment."""
    return _local(value).isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()


def _remembered(format: Callable[[Any], Shown]) -> Callable[[date], Shown]:
    """A page names the same few moments again and again: all that was saved at once. Only where the clock is never
    changed, as moments are stored: in another zone two of them in the night when clocks go back are equal, and read
    differently."""
    remembered = lru_cache(maxsize=4096)(format)

    def filter(value: date) -> Shown:
        is_moment = isinstance(value, datetime) and isinstance(value.tzinfo, UNCHANGING)
        return remembered(value) if is_moment else format(value)

    return filter


def _local(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: times are stored aware, in UTC")
    return value.astimezone(AMSTERDAM)


def _local_date(value: date) -> date:
    return _local(value).date() if isinstance(value, datetime) else value


def end_of_day(day: date) -> datetime:
    """The last moment of a day in the Netherlands."""
    return datetime.combine(day + timedelta(days=1), time(), AMSTERDAM) - timedelta(microseconds=1)


def day_of(moment: datetime) -> date:
    """The day that people in the Netherlands have at a moment."""
    return moment.astimezone(AMSTERDAM).date()
