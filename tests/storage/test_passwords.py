"""Which passwords can be chosen."""

import pytest

from app.storage.common_passwords import LOOKED_AT_MAX, common_passwords, is_too_common
from app.storage.passwords import (
    PASSWORD_BYTES_MAX,
    PASSWORD_LENGTH_MIN,
    PasswordRefused,
    Unfit,
    check_password,
    hash_password,
)


def commonest(count: int) -> list[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return list(FREQUENCY_LISTS["passwords"])[:count]


def refusal(password: str, **about: tuple[str, ...]) -> Unfit | None:
    try:
        hash_password(password, **about)
    except PasswordRefused as refused:
        return refused.why
    return None


def test_commonest_3000_are_refused_and_so_is_what_people_make_of_them():
    """Most are shorter than what we ask, so people lengthen them: twice, with a year, with signs."""
    for password in commonest(3000):
        assert is_too_common(password), password
        for longer in (password * 2, f"{password}2026", f"{password.title()}!"):
            assert is_too_common(longer), longer


def test_every_common_password_that_is_long_enough_is_refused():
    long_enough = [password for password in common_passwords() if len(password) >= PASSWORD_LENGTH_MIN]
    assert len(long_enough) > 200
    for password in long_enough:
        assert refusal(password) is Unfit.TOO_COMMON, password
        assert refusal(password.upper()) is Unfit.TOO_COMMON, password


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaa",
        "abcdefghijklmnop",
        "qwertyuiopasdf",
        "123456789012345",
        "P@ssw0rd1234",
        "Welkom01Welkom01",
        "wachtwoord2026",
        "Gemeente-2026",
        "Stappenplan2026!",
        "november2026!!",
        "ab" * 400,
    ],
)
def test_what_is_guessed_first_is_refused(password: str):
    assert refusal(password) is Unfit.TOO_COMMON


def test_own_name_and_login_do_not_count():
    about = ("anna@zonnedijk.example", "Anna Dorrestein", "Zonnedijk")
    for password in ("annadorrestein", "Dorrestein2026", "anna@zonnedijk.example", "zonnedijk-2026"):
        assert refusal(password, about=about) is Unfit.TOO_COMMON, password


@pytest.mark.parametrize(
    "password", ["vier eenden op een rij", "samen-verder-2026", "drie groene fietsen", "x7!kQz0#Lm2p", "één oude café"]
)
def test_words_that_do_not_belong_together_are_fine(password: str):
    assert refusal(password, about=("anna@zonnedijk.example", "Anna de Wit", "Zonnedijk")) is None


def test_words_of_one_person_do_not_stay_behind_for_the_next():
    assert refusal("Dorrestein2026x", about=("Anna Dorrestein",)) is Unfit.TOO_COMMON
    assert refusal("Dorrestein2026x") is None


def test_every_character_counts_also_the_last_of_a_very_long_one():
    """Nothing is cut off, neither in the estimate nor in the hash."""
    long = ("vier eenden op een rij en " * 50)[: PASSWORD_BYTES_MAX - 1]
    assert len(long) > LOOKED_AT_MAX
    stored = hash_password(long + "x")
    assert check_password(long + "x", stored)[0]
    assert not check_password(long + "y", stored)[0]
    assert not check_password(long, stored)[0]
    assert refusal(long + "xx") is Unfit.TOO_LONG


def test_spaces_at_the_ends_belong_to_the_password():
    stored = hash_password(" vier eenden op een rij ")
    assert not check_password("vier eenden op een rij", stored)[0]
