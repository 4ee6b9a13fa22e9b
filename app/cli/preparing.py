"""Making a database ready, for the commands that start the application or fill it."""

from __future__ import annotations

from app.catalogue.loader import PlanInvalid
from app.cli.common import complain, fail, keeper_for, now, register_of, settings
from app.startup import prepare
from app.storage.database import Database
from app.storage.erasure.again import Compared, apply_again
from app.storage.erasure.cleaning import Cleaner
from app.storage.evidence_files import EvidenceFiles
from app.storage.history.keys import KeyUnusable
from app.storage.plans import PlanChanged


def make_ready(opened: Database) -> None:
    """Ends the command when the step plans cannot be used, after naming every problem. On the first start it makes the
    key that signs the history; where that is gone, it says so, and the work goes on unsigned."""
    try:
        prepare(opened, at=now())
        keeper_for(opened).ensure_key()
    except KeyUnusable as unusable:
        complain(f"Nothing is signed: {unusable}")
    except PlanInvalid as invalid:
        for problem in invalid.problems:
            complain(problem.sentence())
        raise fail("The step plans above cannot be used.") from None
    except PlanChanged as changed:
        raise fail(
            f"{changed.plan_id} {changed.version} was released with another content "
            f"(sha256:{changed.pinned[:12]}…, now sha256:{changed.found[:12]}…). "
            "A released version is never edited: put the file back, or give it a new version."
        ) from None
    erase_again(opened)


def erase_again(opened: Database) -> Compared:
    """Before anybody sees a page.  Raises RegisterDamaged: without a whole register, what was erased could return."""
    chosen = settings()
    compared = apply_again(opened, register_of(chosen), at=now())
    for id in compared.again:
        complain(f"Erased again, since an older backup was put back: {id}")
    if not Cleaner(opened, EvidenceFiles(chosen.evidence_dir), clock=now).finish_all():
        complain("Traces of what was erased may be left; the log says why. Try again with: stappenplan erasures apply")
    return compared
