"""The report on a run, composed once while nothing that it is made from changes.

Every time the run is loaded, and the words for it are read. What was made before is used again only for the very run
that it was made of, with which goes what its history says, and only with equal words. So nothing in a report can be
older than the database: an event, an erased text, another name or another day makes another report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Final, NamedTuple

from cachetools import LRUCache
from jinja2 import Environment
from markupsafe import Markup
from sqlmodel import Session

from app.features.reports.answer_markup import AnswerMarkup
from app.features.reports.compose import compose
from app.features.reports.sources import Told, Wording, told_by, wording_of
from app.features.reports.summary import summary, versions
from app.features.reports.texts import Words
from app.features.reports.values import Contents
from app.storage.memory import remembered
from app.storage.run_at import load_run_at
from app.storage.run_header import run_header
from app.storage.run_store import load_run
from app.web.formats import day_of, end_of_day
from app.web.i18n import Language

REPORTS_KEPT_MAX: Final = 32  # in memory; one with a page of 130 kB takes about 1 MB
CHAPTERS_KEPT_MAX: Final = 1_000_000  # characters; in a report with all answers there are about 130,000


@dataclass(frozen=True, slots=True)
class Composed:
    contents: Contents
    _chapters: dict[Language, Markup] = field(default_factory=dict)

    def chapters(self, words: Words, templates: Environment) -> Markup:
        """The part of the page that is the same for every reader."""
        kept = self._chapters.get(words.language)
        if kept is not None:
            return kept
        html = templates.get_template("reports/_chapters.html").render(
            report=self.contents,
            words=words,
            answers=AnswerMarkup(words),
            summary=summary(self.contents, words),
            versions=versions(self.contents, words),
        )
        chapters = Markup(html)  # noqa: S704  # made by a template, which escaped it
        if not templates.auto_reload and len(chapters) <= CHAPTERS_KEPT_MAX:
            self._chapters[words.language] = chapters
        return chapters


class _Kept(NamedTuple):
    told: Told
    wording: Wording
    today: date
    composed: Composed


class KeptReports:
    """By run, and whether what is confidential is in it. Those that nobody read for longest make room."""

    def __init__(self) -> None:
        self._kept: Final[LRUCache[tuple[str, bool], _Kept]] = LRUCache(REPORTS_KEPT_MAX)
        self._lock: Final = Lock()

    def find(self, run_id: str, *, with_confidential: bool) -> _Kept | None:
        with self._lock:
            return self._kept.get((run_id, with_confidential))

    def keep(self, kept: _Kept, *, with_confidential: bool) -> None:
        with self._lock:
            self._kept[kept.told.run.id, with_confidential] = kept


def composed(
    session: Session, run_id: str, *, at: datetime, on: date | None = None, with_confidential: bool = True
) -> Composed:
    """The report on how a run stands now, or stood at the end of the day `on` in the Netherlands: six queries at most,
    whatever the size of the run.  Raises RunNotFound, NotBegunYet.  `with_confidential`: what confidential evidence
    holds; its title is always there."""
    if on is not None:
        plan, run, header = load_run_at(session, run_id, end_of_day(on))
        told = told_by(session, plan, run, is_earlier=True)
        wording = wording_of(session, told, header)
        return Composed(compose(told, wording, today=on, on=on, with_confidential=with_confidential))
    plan, run = load_run(session, run_id)
    reports, today = remembered(session, KeptReports), day_of(at)
    kept = reports.find(run.id, with_confidential=with_confidential) if reports else None
    if kept is not None and kept.told.run is not run:  # two histories can lead to runs that are equal
        kept = None
    told = kept.told if kept is not None else told_by(session, plan, run)
    wording = wording_of(session, told, run_header(session, run_id), known=kept.wording if kept else None)
    if kept is not None and (kept.wording, kept.today) == (wording, today):
        return kept.composed
    made = Composed(compose(told, wording, today=today, with_confidential=with_confidential))
    if reports:
        reports.keep(_Kept(told, wording, today, made), with_confidential=with_confidential)
    return made
