from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.web.formats import Formats

DUTCH, ENGLISH = Formats("nl"), Formats("en")
WINTER = datetime(2027, 3, 3, 13, 5, tzinfo=UTC)
SUMMER = datetime(2027, 6, 30, 22, 30, tzinfo=UTC)


def test_dates_as_people_write_them():
    assert DUTCH.date_text(date(2026, 3, 1)) == "1 maart 2026"
    assert ENGLISH.date_text(date(2026, 3, 1)) == "1 March 2026"
    assert DUTCH.date_table(date(2026, 3, 1)) == "01-03-2026"


def test_moments_are_in_dutch_time():
    assert DUTCH.moment(WINTER) == "3 maart 2027 om 14:05"
    assert ENGLISH.moment(WINTER) == "3 March 2027 at 14:05"
    assert DUTCH.moment(SUMMER) == "1 juli 2027 om 00:30"


def test_date_of_a_moment_is_the_dutch_day():
    assert DUTCH.date_text(SUMMER) == "1 juli 2027"
    assert DUTCH.date_table(SUMMER) == "01-07-2027"


def test_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="naive"):
        DUTCH.moment(datetime(2027, 3, 3, 13, 5))  # noqa: DTZ001  # this is what is refused


@pytest.mark.parametrize(
    ("number", "dutch", "english"),
    [
        (0, "0", "0"),
        (1234, "1.234", "1,234"),
        (-1234567, "-1.234.567", "-1,234,567"),
        (Decimal("1234.5"), "1.234,5", "1,234.5"),
        (0.1 + 0.2, "0,3", "0.3"),
        (Decimal("2.0000"), "2", "2"),
    ],
)
def test_numbers(number: int | Decimal | float, dutch: str, english: str):
    assert DUTCH.number(number) == dutch
    assert ENGLISH.number(number) == english


def test_machine_readable_time():
    machine_time = DUTCH.filters()["machine_time"]

    assert machine_time(WINTER) == "2027-03-03T14:05+01:00"
    assert machine_time(date(2027, 3, 3)) == "2027-03-03"
