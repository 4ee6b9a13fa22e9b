"""The history on the command line: is it whole, sign it, take it along."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.common import (
    complain,
    database,
    each_municipality,
    fail,
    keeper_for,
    now,
    register_of,
    say,
    settings,
)
from app.engine.log import Head, fingerprint
from app.storage.database import Database
from app.storage.erasure.checking import verify_erasures
from app.storage.history.export import About, NothingSigned, write_export
from app.storage.history.heads import CannotSign, Signed, read_signed
from app.storage.history.keys import KeyUnusable
from app.storage.history.verify import NEVER, WITHOUT_A_FINGERPRINT, WITHOUT_AN_EARLIER_HEAD, LogVerified, verify_log
from app.storage.scope import municipality_of, set_scope
from app.storage.verify import verify_all

Municipality = Annotated[str | None, typer.Option("--municipality", help="Only this municipality.")]

app = typer.Typer(help="Sign the history, and renew the key.", no_args_is_help=True)


def verify(
    municipality: Municipality = None,
    head: Annotated[
        list[Path] | None, typer.Option("--head", help="Signed head that a witness kept; may be given more than once.")
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint of a key that must have signed the history.")
    ] = None,
) -> None:
    """Check the log, signed heads, history and tables.

    The whole installation: recomputes the log of each municipality from its events, checks every signed head, replays
    every run; names what is wrong and where, and exits 1 when anything is. Says what cannot be detected without
    something from outside.
    """
    kept = [_read(path) for path in head or []]
    expected = _clean(fingerprint)
    problems = 0
    # An older backup is looked at too: that it is one, is what this tells.
    with database(must_be_erased=False) as opened:
        register = register_of(settings()).read()
        seen = set()
        for name, session in each_municipality(opened, municipality):
            id = str(municipality_of(session))
            seen.add(id)
            log = verify_log(session, expected=expected, kept=[one for one in kept if one.head.municipality == id])
            erasures = verify_erasures(session, register)
            for problem in (*log.problems, *erasures):
                complain(f"{name}: {problem.place}: {problem.problem}")
            runs, differences = 0, 0
            for verified in verify_all(session):
                runs += 1
                for finding in verified.findings:
                    differences += 1
                    complain(f"{name}: run {finding.run_id}: {finding.place}: {finding.problem}")
            problems += len(log.problems) + len(erasures) + differences
            say(f"{name}: {log.entries} events in {runs} runs, {_signed_so_far(log)}")
        for one in kept:
            if one.head.municipality not in seen:
                problems += 1
                complain(f"head {one.head.number}: is of municipality {one.head.municipality}, which is not here")
    if not kept:
        say(WITHOUT_AN_EARLIER_HEAD)
    if expected is None:
        say(WITHOUT_A_FINGERPRINT)
    say(NEVER)
    if problems:
        raise fail(f"Refused: {problems} problems")
    say("In order")


def _signed_so_far(log: LogVerified) -> str:
    if log.newest is None:
        return "nothing signed yet"
    at = f"{log.newest.at:%Y-%m-%d %H:%M} UTC"
    return f"the first {log.newest.size} signed in head {log.newest.number} of {at}, key {fingerprint(log.newest.key)}"


def _read(path: Path) -> Signed:
    try:
        return read_signed(path.read_bytes().strip())
    except OSError as refused:
        raise fail(f"{path} cannot be read: {refused.strerror}") from None
    except ValueError as wrong:
        raise fail(f"{path} is {wrong}") from None


def _clean(text: str | None) -> str | None:
    """Fingerprints are written with colons and capitals too."""
    if text is None:
        return None
    plain = text.replace(":", "").replace(" ", "").lower()
    if len(plain) != 64 or set(plain) - set("0123456789abcdef"):
        raise fail("A fingerprint is 64 digits and letters a to f.")
    return plain


# --- signing -----------------------------------------------------------------------------------------------------


@app.command()
def sign(municipality: Municipality = None) -> None:
    """Sign what is new in the history, and hand it to the witnesses.

    For a timer: every hour, and after a night without work it does nothing.
    """
    wrong = 0
    with database() as opened:
        keeper = keeper_for(opened)
        for name, id in _municipalities(opened, municipality):
            try:
                signed = keeper.sign(id, at=now())
            except (KeyUnusable, CannotSign) as refused:
                wrong += 1
                complain(f"{name}: {refused}")
                continue
            if signed is not None:
                say(f"{name}: head {signed.number} over {signed.size} events, key {fingerprint(signed.key)}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def new_key() -> None:
    """Go on with a new key.

    Each history gets a head, signed with the old key, that introduces the new one; then the old key is gone. Tell
    auditors the new fingerprint. When it is interrupted, do it again.
    """
    with database() as opened:
        try:
            key = keeper_for(opened).renew_key(at=now())
        except (KeyUnusable, CannotSign) as refused:
            raise fail(str(refused)) from None
    say(f"The history goes on with the key of fingerprint {key.fingerprint}")


def _municipalities(opened: Database, only: str | None) -> list[tuple[str, uuid.UUID]]:
    found = []
    for name, session in each_municipality(opened, only):
        id = municipality_of(session)
        assert id is not None
        found.append((name, id))
    return found


# --- taking it along ---------------------------------------------------------------------------------------------


def export_history(
    output: Annotated[Path, typer.Option("-o", "--output", help="Zip file to write.")],
    municipality: Municipality = None,
) -> None:
    """Take the history along, to check it elsewhere.

    Writes that of one municipality to a zip file, and signs what is new first. The file holds the program that checks
    it; see README.txt in it.
    """
    with database() as opened:
        chosen = _municipalities(opened, municipality)
        if len(chosen) != 1:
            names = ", ".join(name for name, _ in chosen) or "none"
            raise fail(f"A file holds the history of one municipality; choose with --municipality. Known: {names}")
        [(name, id)] = chosen
        try:
            keeper_for(opened).sign(id, at=now())
        except (KeyUnusable, CannotSign) as refused:
            complain(f"What is new could not be signed, and is left out: {refused}")
        with opened.read() as session:
            set_scope(session, id)
            head = _write(session, output, About(name, "stappenplan", now()))
    say(f"Wrote {output}: {head.size} events up to head {head.number}, key {fingerprint(head.key)}")


def _write(session: Session, output: Path, about: About) -> Head:
    unfinished = output.with_name(f".{output.name}.new")
    try:
        with unfinished.open("wb") as file:
            head = write_export(session, file, about)
        unfinished.replace(output)
    except NothingSigned:
        raise fail("Nothing is signed yet, so there is nothing that could be checked.") from None
    except OSError as refused:
        raise fail(f"{output} cannot be written: {refused.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return head
