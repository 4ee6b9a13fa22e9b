"""Cleaning up after accounts on the command line."""

from __future__ import annotations

from datetime import timedelta

from app.cli.common import database, now, say, settings
from app.storage.account_sweep import cut_account_log, sweep_sign_ins


def sweep_accounts() -> None:
    """Remove ended sessions and old events of accounts.

    Also sign-ins that went nowhere and links that are no longer of use. Events of accounts stay ACCOUNT_LOG_DAYS; what
    goes is written down per municipality. Safe while the application serves; let a timer do it every night.
    """
    at, keep = now(), timedelta(days=settings().account_log_days)
    with database() as opened:
        with opened.write() as session:
            sweep_sign_ins(session, at=at)
        with opened.write() as session:
            cuts = cut_account_log(session, keep=keep, at=at)
    for cut in cuts:
        say(f"{cut.municipality}: {cut.removed} events of accounts removed, older than {keep.days} days")
