"""The report as CSV for a spreadsheet: one row per fact, `;`, CRLF, UTF-8 with BOM, nothing that runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from app.engine.definition import QuestionType
from app.engine.run import ParkedKind
from app.features.reports.moment import LABEL
from app.features.reports.texts import CONFIDENTIALITY, FOLLOWED, GRADES, PARKED_KINDS, STAGE_STATES, STEP_STATES, Words
from app.features.reports.values import EvidenceLine, InstanceLine, ParkedLine, Report, StepLine
from app.web.formats import AMSTERDAM, day_of
from app.web.i18n import N_

HEADERS = (
    N_("Part"),
    N_("Stage"),
    N_("Domain"),
    N_("Round"),
    N_("Step or ground"),
    N_("Subject"),
    N_("Value"),
    N_("State"),
    N_("Person"),
    N_("Date"),
    N_("Reason or remark"),
    N_("SHA-256"),
)

VERSION_KINDS = {
    "started": N_("Begun on version"),
    "moved": N_("Went to version"),
    "undone": N_("Went back to version"),
}
_BOM = "\ufeff"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[str, ...]


def _at(moment: datetime) -> str:
    """As the pages say it, to the second, and as a spreadsheet reads it: with a zone behind it that stays a text."""
    return f"{moment.astimezone(AMSTERDAM):%Y-%m-%d %H:%M:%S}"


def safe(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe, also after spaces.

    Source: OWASP, CSV injection.
    """
    return f"'{text}" if text.lstrip(" \u00a0\n").startswith(_DANGEROUS) else text


def write(report: Report, words: Words) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([words.say(header) for header in HEADERS])
    for row in _rows(report, words):
        writer.writerow([safe(cell) for cell in row])
    return (_BOM + text.getvalue()).encode()


def _row(  # one argument per column
    part: str,
    place: InstanceLine | None = None,
    words: Words | None = None,
    *,
    step: str = "",
    subject: str = "",
    value: str = "",
    state: str = "",
    person: str = "",
    date: str = "",
    remark: str = "",
    sha256: str = "",
) -> Row:
    stage = words(place.stage.title) if place and words else ""
    domain = words(place.domain_title) if place and words else ""
    number = str(place.ref.round) if place else ""
    return (part, stage, domain, number, step, subject, value, state, person, date, remark, sha256)


def _rows(report: Report, words: Words) -> Iterator[Row]:
    about = words.say(N_("Report"))
    for subject, value in (
        (N_("Municipality"), report.municipality),
        (N_("Trajectory"), report.name),
        (N_("Purpose"), report.purpose),
        (N_("Step plan"), f"{words(report.plan_title)} {report.plan_version}"),
        (N_("Manager"), report.manager),
        (N_("Team"), ", ".join(report.team)),
        (N_("Progress"), f"{report.progress.done}/{report.progress.total}"),
        (N_("Number of recorded events"), str(report.revision)),
    ):
        digest = report.plan_digest if subject == "Step plan" else ""
        yield _row(about, subject=words.say(subject), value=value, sha256=digest)
    for version in report.versions:
        subject = words.say(VERSION_KINDS[version.kind])
        yield _row(
            about,
            subject=subject,
            value=version.version,
            person=version.by,
            date=_at(version.at),
            sha256=version.digest,
        )
    if report.on:
        yield _row(about, subject=words.say(LABEL), date=report.on.isoformat())
    yield _row(about, subject=words.say(N_("Times in this file")), value=words.say(N_("Dutch time")))
    yield _row(about, subject=words.say(N_("Made")), person=report.made_by, date=_at(report.made_at))
    for line in (*report.stages, *report.not_started):
        yield from _stage_rows(line, words)
    for title, progress in report.grounds:
        counted = [
            f"{words.say(word)}: {progress.grades[grade]}" for grade, word in GRADES.items() if grade in progress.grades
        ]
        if progress.empty:
            counted.append(f"{words.say(N_('No answer'))}: {progress.empty}")
        grades = ", ".join(counted)
        blind = words.ngettext("%(num)s blind spot", "%(num)s blind spots", progress.blind_spots)
        yield _row(words.say(N_("Ground")), step=words(title), value=grades, state=blind)
    for road in report.roads:
        yield _row(
            words.say(N_("Decision")),
            subject=words(road.title),
            value=words(road.domain_title),
            person=road.by,
            date=_at(road.at),
            remark=road.reason or "",
        )
    for advice in report.advice:
        yield _row(
            words.say(N_("Advice")),
            subject=words.advice_place(advice),
            value=words.advice_text(advice),
            state=words.say(FOLLOWED[advice.followed]) if advice.followed else words.say(N_("Not answered yet")),
            person=advice.by,
            date=_at(advice.at),
            remark=advice.reason or "",
        )
    for point in report.open_points:
        yield _row(
            words.say(N_("Open point")),
            subject=words.point_place(point),
            value=words.open_point(point),
            person=point.owner,
            date=point.due.isoformat() if point.due else "",
        )
    for evidence in report.evidence:
        yield _evidence_row(evidence, report, words)
    for parked in report.parked:
        yield _parked_row(parked, words)


def _stage_rows(line: InstanceLine, words: Words) -> Iterator[Row]:
    yield _row(
        words.say(N_("Stage")),
        line,
        words,
        value=line.counted,
        state=words.say(STAGE_STATES[line.state]),
        person=line.started_by or "",
        date=_at(line.started_at) if line.started_at else "",
        remark=line.skip_reason or line.round_reason or line.early_reason or "",
    )
    for decision in line.decisions:
        remarks = "\n".join(f"{words(step)}: {text}" if step else text for step, text in decision.remarks)
        yield _row(
            words.say(N_("Approval")),
            line,
            words,
            state=words.decided(decision.kind, decision.version),
            person=words.decider(decision),
            date=_at(decision.at),
            remark=remarks,
            sha256=decision.seal or "",
        )
    for step in line.steps:
        yield from _step_rows(line, step, words, words.say(N_("Answer")))
    if line.checklist:
        yield from _step_rows(line, line.checklist, words, words.say(N_("Statement")))


def _step_rows(line: InstanceLine, step: StepLine, words: Words, part: str) -> Iterator[Row]:
    yield _row(
        words.say(N_("Step")),
        line,
        words,
        step=words(step.step.title),
        state=words.say(STEP_STATES[step.status]),
        person=step.completed_by or "",
        date=_at(step.completed_at) if step.completed_at else "",
        remark=step.finding or "",
    )
    for answer in step.answers:
        given = answer.answer
        value, reason = "", ""
        if given is not None:
            value = words.answer(answer.question, given.value)
            if answer.question.type is QuestionType.ASSESSMENT and isinstance(given.value, dict):
                reason = given.value["reason"]
                value = words.answer(answer.question, {"grade": given.value["grade"], "reason": ""})
        yield _row(
            part,
            line,
            words,
            step=words(step.step.title),
            subject=words(answer.question.text),
            value=value,
            state=words.answered(answer),
            person=answer.by or "",
            date=_at(given.saved_at) if given else "",
            remark=reason,
        )


def _evidence_row(line: EvidenceLine, report: Report, words: Words) -> Row:
    place = next((stage for stage in report.stages if stage.ref == line.ref), None)
    withdrawn = (
        f"{words.say(N_('Withdrawn'))}: {line.withdrawn_by}, {line.withdrawn_at:%Y-%m-%d}" if line.withdrawn_at else ""
    )
    set_aside = words.say(N_("Set aside, of version %(version)s"), version=line.set_aside) if line.set_aside else ""
    return _row(
        words.say(N_("Evidence")),
        place,
        words,
        step=words(line.step_title),
        subject=f"{words(line.kind_title)}: {line.title}",
        value=line.file_name or line.url or line.note or "",
        state=withdrawn or set_aside or words.say(CONFIDENTIALITY[line.confidentiality]),
        person=line.added_by,
        date=(line.document_date or day_of(line.added_at)).isoformat(),
        remark=line.withdrawn_reason or ", ".join(words(ground) for ground in line.ground_titles),
        sha256=line.sha256 or "",
    )


def _parked_row(line: ParkedLine, words: Words) -> Row:
    """In the words of its own version, which the state names."""
    subject, kind = words.parked_what(line), words.say(PARKED_KINDS[ParkedKind(line.kind)])
    row = _row(
        words.say(N_("Set apart")),
        step=words(line.step_title),
        subject=subject if subject == kind else f"{kind}: {subject}",
        value=words.parked_content(line),
        state=words.say(N_("version %(version)s"), version=line.version),
        person=line.by or "",
        date=_at(line.at) if line.at else "",
        remark=words.parked_why(line),
        sha256=line.seal or line.digest,
    )
    part, _, _, _, *others = row
    return (
        part,
        words(line.stage_title),
        words(line.domain_title),
        str(line.round) if line.stage_title else "",
        *others,
    )
