"""The report as one accessible and archivable PDF (PDF/UA-1 and PDF/A-3a), with its data attached as JSON."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import typst

from app.engine.definition import QuestionType
from app.engine.run import ParkedKind
from app.features.reports.moment import LABEL
from app.features.reports.summary import account, summary, versions
from app.features.reports.texts import CONFIDENTIALITY, GRADES, PARKED_KINDS, STAGE_STATES, STEP_STATES, Words
from app.features.reports.values import AnswerLine, EvidenceLine, InstanceLine, ParkedLine, Report, StepLine
from app.resources import static_dir, templates_dir
from app.web.i18n import N_

LABELS = {
    "page": N_("Page"),
    "attachment": N_("The data of this report"),
    "table": N_("Table"),
    "contents": N_("Contents"),
    "summary": N_("Summary"),
    "progress": N_("Progress per stage"),
    "domains": N_("Progress per domain"),
    "grounds": N_("Checklist per ground"),
    "open_points": N_("Open points"),
    "no_open_points": N_("There are no open points."),
    "decisions": N_("Decisions"),
    "advice": N_("Advice"),
    "no_decisions": N_("No decisions have been taken yet."),
    "skips": N_("Skipped stages"),
    "stages": N_("Stages and steps"),
    "evidence": N_("Evidence"),
    "no_evidence": N_("No evidence has been added yet."),
    "parked": N_("What was set aside"),
    "versions": N_("Versions of the step plan"),
    "account": N_("About this report"),
}


def write(report: Report, words: Words) -> bytes:
    """Compiles our own template on the report as JSON; texts of users never become markup."""
    compiled = typst.compile(
        str(templates_dir() / "reports" / "report.typ"),
        sys_inputs={"report": json.dumps(_content(report, words), ensure_ascii=False)},
        font_paths=[str(static_dir() / "vendor" / "fonts")],
        ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-3a"],
        timestamp=int(report.made_at.timestamp()),
    )
    assert isinstance(compiled, bytes)
    return compiled


def _content(report: Report, words: Words) -> dict[str, Any]:
    say = words.say
    return {
        "lang": words.language,
        "labels": {key: say(label) for key, label in LABELS.items()},
        "title": report.name,
        "subtitle": say(
            N_("Progress report on %(plan)s %(version)s"), plan=words(report.plan_title), version=report.plan_version
        ),
        "author": report.municipality,
        "municipality": report.municipality,
        "footer": f"{report.name} · {words.moment(report.made_at)}",
        "facts": [
            [say(N_("Purpose")), report.purpose],
            [say(N_("Manager")), report.manager],
            [say(N_("Team")), ", ".join(report.team)],
            [say(N_("Started")), f"{report.started_by}, {words.moment(report.started_at)}"],
            *([[say(LABEL), words.formats.date_text(report.on)]] if report.on else []),
            [say(N_("Made")), f"{report.made_by}, {words.moment(report.made_at)}"],
        ],
        "summary": summary(report, words),
        "versions": versions(report, words),
        "account": account(report, words),
        "progress": {
            "columns": [say(N_("Stage")), say(N_("State")), say(N_("Done"))],
            "widths": [3, 2, 1],
            "rows": [
                [words.place(line), say(STAGE_STATES[line.state]), line.counted]
                for line in (*report.stages, *report.not_started)
            ],
        },
        "domains": {
            "columns": [say(N_("Domain")), say(N_("Done"))],
            "widths": [3, 1],
            "rows": [[words(line.title), f"{line.progress.done}/{line.progress.total}"] for line in report.domains],
        },
        "grounds": _grounds(report, words),
        "open_points": [
            {"place": place, "points": [words.open_point(point) for point in points]}
            for place, points in groupby(report.open_points, key=words.point_place)
        ],
        "decisions": _decisions(report, words),
        "advice": _advice(report, words),
        "skips": [[words.place(line), line.skip_reason] for line in report.stages if line.skip_reason],
        "stages": [_stage(line, words) for line in report.stages],
        "evidence": [_evidence(line, words) for line in report.evidence],
        "parked": [_parked(line, words) for line in report.parked],
    }


def _grounds(report: Report, words: Words) -> dict[str, Any]:
    columns = [words.say(N_("Ground")), *(words.say(label) for label in GRADES.values()), words.say(N_("No answer"))]
    rows = [
        [words(title), *(str(progress.grades.get(grade, 0)) for grade in GRADES), str(progress.empty)]
        for title, progress in report.grounds
        if progress.total
    ]
    return {"columns": columns, "widths": [3, 1, 1, 1, 1, 1, 1], "rows": rows}


def _decisions(report: Report, words: Words) -> dict[str, Any]:
    rows = []
    for line in report.stages:
        for decision in line.decisions:
            remarks = "\n".join(f"{words(step)}: {text}" if step else text for step, text in decision.remarks)
            sealed = words.say(N_("Seal: %(digest)s"), digest=_split(decision.seal)) if decision.seal else ""
            said = "\n".join(part for part in (remarks, sealed) if part)
            who = f"{words.decider(decision)}, {words.moment(decision.at)}"
            rows.append([words.place(line), words.decided(decision.kind, decision.version), who, said])
    for road in report.roads:
        title = " · ".join(part for part in (words(road.title), words(road.domain_title)) if part)
        rows.append([title, words.say(N_("Decided")), f"{road.by}, {words.moment(road.at)}", road.reason or ""])
    columns = [words.say(N_("Stage")), words.say(N_("Decision")), words.say(N_("Who and when")), words.say(N_("Why"))]
    return {"columns": columns, "widths": [3, 2, 3, 4], "rows": rows}


def _advice(report: Report, words: Words) -> dict[str, Any]:
    rows = [
        [
            words.advice_place(line),
            f"{line.by}, {words.moment(line.at)}",
            words.advice_text(line),
            words.advice_answer(line),
        ]
        for line in report.advice
    ]
    columns = [
        words.say(N_("Stage")),
        words.say(N_("Who and when")),
        words.say(N_("Advice")),
        words.say(N_("What was done with it")),
    ]
    return {"columns": columns, "widths": [2, 2, 4, 4], "rows": rows}


def _split(digest: str) -> str:
    """A digest in groups of eight, so that it can break over lines and be compared by eye."""
    return " ".join(digest[i : i + 8] for i in range(0, len(digest), 8))


def _stage(line: InstanceLine, words: Words) -> dict[str, Any]:
    facts = [[words.say(N_("State")), words.say(STAGE_STATES[line.state])]]
    if line.started_by and line.started_at:
        facts.append([words.say(N_("Started")), f"{line.started_by}, {words.moment(line.started_at)}"])
    if line.early_reason:
        facts.append([words.say(N_("Started earlier than advised, because")), line.early_reason])
    if line.round_reason and line.round_reason != line.early_reason:
        facts.append([words.say(N_("Why there is a new round")), line.round_reason])
    if line.skip_reason:
        facts.append([words.say(N_("Skipped, because")), line.skip_reason])
    if line.contributors:
        facts.append([words.say(N_("Worked on it")), ", ".join(line.contributors)])
    steps = [*line.steps, *([line.checklist] if line.checklist else [])]
    return {"title": words.place(line), "facts": facts, "steps": [_step(step, words) for step in steps]}


def _step(line: StepLine, words: Words) -> dict[str, Any]:
    state = words.say(STEP_STATES[line.status])
    if line.completed_by and line.completed_at:
        state += f" · {line.completed_by}, {words.moment(line.completed_at)}"
    if line.finding:
        state += f" · {line.finding}"
    answers = []
    for answer in line.answers:
        given = answer.answer
        entry: dict[str, Any] = {
            "question": words(answer.question.text),
            "text": words.answer(answer.question, given.value) if given else words.answered(answer),
            "by": _answered_by(answer, words),
        }
        if answer.question.type is QuestionType.TABLE and given:
            rows = words.rows(answer.question, given.value)
            entry["columns"] = [words(column.title) for column in answer.question.columns]
            entry["rows"] = [[cell for _, cell in row] for row in rows]
        answers.append(entry)
    return {
        "title": words(line.step.title),
        "state": state,
        "answers": answers,
        "evidence": [
            f"{item.title} ({words(item.kind_title)})"
            + (f" – {words.say(N_('Withdrawn'))}" if item.withdrawn_at else "")
            for item in line.evidence
        ],
    }


def _answered_by(line: AnswerLine, words: Words) -> str:
    if line.answer is None or not line.by:
        return ""
    return " · ".join(filter(None, [f"{line.by}, {words.moment(line.answer.saved_at)}", words.answered(line)]))


def _parked(line: ParkedLine, words: Words) -> dict[str, Any]:
    say = words.say
    facts = []
    if content := words.parked_content(line):
        facts.append([say(PARKED_KINDS[ParkedKind(line.kind)]), content])
    if place := words.parked_place(line):
        facts.append([say(N_("Was at")), place])
    if line.by and line.at:
        facts.append([say(N_("Who and when")), f"{line.by}, {words.moment(line.at)}"])
    facts.append([say(N_("Why set aside")), words.parked_why(line)])
    facts.append([say(N_("Step plan")), say(N_("version %(version)s"), version=line.version)])
    facts.append(["SHA-256", _split(line.digest)])
    if line.seal:
        facts.append([say(N_("Seal")), _split(line.seal)])
    return {"title": words.parked_what(line), "facts": facts}


def _evidence(line: EvidenceLine, words: Words) -> dict[str, Any]:
    say = words.say
    facts = [
        [say(N_("Kind")), words(line.kind_title)],
        [say(N_("Used for")), words(line.step_title)],
        [say(N_("Confidentiality")), say(CONFIDENTIALITY[line.confidentiality])],
        [say(N_("Added")), f"{line.added_by}, {words.moment(line.added_at)}"],
    ]
    if line.source:
        facts.append([say(N_("Source")), line.source])
    if line.document_date:
        facts.append([say(N_("Date of the document")), words.day(line.document_date)])
    if line.ground_titles:
        facts.append([say(N_("Grounds")), ", ".join(words(title) for title in line.ground_titles)])
    if line.file_name:
        facts.append([say(N_("File")), line.file_name])
    if line.sha256:
        facts.append(["SHA-256", _split(line.sha256)])
    if line.url:
        facts.append([say(N_("Link")), line.url])
    if line.note:
        facts.append([say(N_("Note")), line.note])
    if line.set_aside:
        facts.append([say(N_("State")), say(N_("Set aside, of version %(version)s"), version=line.set_aside)])
    if line.withdrawn_at:
        when = f"{line.withdrawn_by}, {words.moment(line.withdrawn_at)}"
        facts.append([say(N_("Withdrawn")), f"{when}: {line.withdrawn_reason or ''}"])
    return {"title": line.title, "facts": facts}
