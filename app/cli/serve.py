"""Serving the application."""

from __future__ import annotations

import logging

import uvicorn

from app.catalogue.loader import PlanInvalid
from app.cli.common import database, err, fail, now, out, settings
from app.demo import build
from app.main import create_app
from app.startup import prepare
from app.storage.evidence_files import EvidenceFiles
from app.storage.plans import PlanChanged
from app.web.assets import AssetMissing
from app.web.i18n import TextsError


def serve() -> None:
    """Serve on HOST and PORT; makes or upgrades the database first, and fills an empty one with demonstration data
    unless STAPPENPLAN_ENV is production."""
    chosen = settings()
    with database(must_be_current=False) as opened:
        try:
            prepare(opened, at=now())
        except PlanInvalid as invalid:
            for problem in invalid.problems:
                err.print(problem.sentence(), markup=False)
            raise fail("The step plans above cannot be used.") from None
        except PlanChanged as changed:
            raise fail(
                f"{changed.plan_id} {changed.version} was released with another content "
                f"(sha256:{changed.pinned[:12]}…, now sha256:{changed.found[:12]}…). "
                "A released version is never edited: put the file back, or give it a new version."
            ) from None
        if chosen.is_production:
            if build.has_demonstration_accounts(opened):
                raise fail(
                    "Demonstration accounts cannot be used in production: disable them, or use another database."
                )
            demo_accounts = []
        else:
            if build.is_empty(opened):
                err.print("First start: making two fictional municipalities to try things out …")
                build.build(opened, EvidenceFiles(chosen.evidence_dir), now=now())
            demo_accounts = build.demonstration_accounts(opened)
        try:
            app = create_app(chosen, opened)
        except (AssetMissing, TextsError) as missing:
            raise fail(str(missing)) from None
        app.state.demo_accounts = demo_accounts
        for account in demo_accounts:
            roles = ", ".join(account.roles)
            out.print(f"  {account.login:<28} {account.password:<24} {account.municipality}: {roles}", markup=False)
        out.print(f"Stappenplan: http://{chosen.host}:{chosen.port}")
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        uvicorn.run(app, host=chosen.host, port=chosen.port, log_config=None, server_header=False, access_log=False)
