"""Demonstration data on the command line."""

from __future__ import annotations

from app.cli.common import database, fail, now, say, settings
from app.cli.preparing import make_ready
from app.demo.build import build, is_empty
from app.storage.evidence_files import EvidenceFiles


def demo() -> None:
    """Fill an empty database with demonstration data.

    Two fictional municipalities with work in progress; prints an account for each role, and one of an operator.
    """
    with database(must_be_current=False) as opened:
        make_ready(opened)
        if not is_empty(opened):
            raise fail("This database has municipalities already; demonstration data only goes into an empty one.")
        accounts = build(opened, EvidenceFiles(settings().evidence_dir), now=now())
    for account in accounts:
        say(f"{account.login}\t{account.password}\t{account.work}")
