"""A report's values as text in one language, for PDF and CSV; the page words things in its template."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from app.engine.answers import Value
from app.engine.definition import Column, Grade, Option, Question, QuestionType, Text
from app.engine.run import Followed, ParkedKind, ParkedWhy, StepStatus
from app.engine.standing import StageState
from app.features.reports.values import AdviceLine, AnswerLine, ApprovalLine, InstanceLine, OpenPoint, ParkedLine
from app.web.formats import formats_for
from app.web.i18n import N_, Language, gettext_for

STAGE_STATES = {
    StageState.WAITING: N_("Waiting"),
    StageState.CAN_START: N_("Can start now"),
    StageState.ADVISED: N_("Advised"),
    StageState.BUSY: N_("In progress"),
    StageState.SENT_BACK: N_("Sent back"),
    StageState.CHANGED: N_("Changed after approval"),
    StageState.SUBMITTED: N_("Waiting for approval"),
    StageState.APPROVED: N_("Approved"),
    StageState.CONTINUOUS: N_("Continuous"),
    StageState.SKIPPED: N_("Skipped"),
}
STEP_STATES = {
    StepStatus.NOT_STARTED: N_("Not started yet"),
    StepStatus.BUSY: N_("In progress"),
    StepStatus.COMPLETED: N_("Done"),
    StepStatus.REVISIT: N_("Look again"),
}
GRADES = {
    Grade.YES: N_("Yes, shown"),
    Grade.PARTLY: N_("Partly"),
    Grade.NO: N_("No, action planned"),
    Grade.NOT_APPLICABLE: N_("Not applicable"),
    Grade.UNKNOWN: N_("Unknown"),
}
CONFIDENTIALITY = {
    "public": N_("Public"),
    "internal": N_("Internal"),
    "confidential": N_("Confidential"),
}
PARKED_KINDS = {
    ParkedKind.ANSWER: N_("Answer"),
    ParkedKind.EVIDENCE: N_("Evidence"),
    ParkedKind.TEXT: N_("Written explanation"),
    ParkedKind.APPROVAL: N_("Approval"),
    ParkedKind.STAGE: N_("Stage"),
    ParkedKind.DECISION: N_("Decision"),
}
# As on the page of what was set aside.
PARKED_WHY = {
    ParkedWhy.GONE: N_("This part is not in the newer version."),
    ParkedWhy.UNFIT: N_("The answer does not fit the changed question."),
    ParkedWhy.CHOSEN: N_("The team set this aside."),
    ParkedWhy.MERGED: N_("Questions became one; another answer went along."),
    ParkedWhy.CLOSED: N_("The question changed, and this round is over. It stays readable with the words of then."),
    ParkedWhy.NOT_BEGUN: N_("The question went to a stage that was not begun."),
    ParkedWhy.UNDONE: N_("This was done on a version that the trajectory went back from."),
}
FOLLOWED = {
    Followed.WHOLLY: N_("Followed"),
    Followed.PARTLY: N_("Followed in part"),
    Followed.NOT: N_("Not followed"),
}
DECISIONS = {
    "approved": N_("Agreed"),
    "approved_with_conditions": N_("Agreed with conditions"),
    "sent_back": N_("Sent back"),
    "recused": N_("Takes no part"),
    "recusal_taken_back": N_("Takes part again"),
    "withdrawn": N_("Withdrawn"),
    "request_withdrawn": N_("Request withdrawn"),
    "reopened": N_("Opened again"),
    "point_reported": N_("Open point reported as done"),
    "point_closed": N_("Open point closed"),
    "point_returned": N_("Open point given back"),
    "point_changed": N_("Open point for somebody else, or with another date"),
}


class Words:
    """Wording in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._texts = gettext_for(language)
        self.formats = formats_for(language)

    def __call__(self, text: Text | None) -> str:
        return text.in_language(self.language) if text else ""

    def say(self, message: str, **params: object) -> str:
        said = self._texts.gettext(message)
        return said % params if params else said

    def ngettext(self, one: str, many: str, n: int, **params: object) -> str:
        return self._texts.ngettext(one, many, n) % {"num": n, **params}

    def moment(self, at: datetime) -> str:
        return self.formats.moment(at)

    def day(self, day: date) -> str:
        return self.formats.date_text(day)

    def place(self, line: InstanceLine) -> str:
        """Title of a stage with its domain and, from the second on, its round."""
        return self._place(line.stage.title, line.domain_title, line.ref.round)

    def advice_place(self, line: AdviceLine) -> str:
        if line.is_of_earlier_version:
            return self.say(N_("A stage of an earlier version"))
        if line.stage_title is None:
            return self.say(N_("The whole trajectory"))
        return self._place(line.stage_title, line.domain_title, line.round)

    def advice_text(self, line: AdviceLine) -> str:
        """With the grounds that it speaks to."""
        text = line.text if line.text is not None else self.say(N_("The text has been erased."))
        if not line.grounds:
            return text
        return f"{text}\n{self.say(N_('Speaks to:'))} {', '.join(map(self, line.grounds))}"

    def advice_answer(self, line: AdviceLine) -> str:
        if line.followed is None:
            return self.say(N_("Not answered yet"))
        reason = line.reason if line.reason is not None else self.say(N_("The text has been erased."))
        return f"{self.say(FOLLOWED[line.followed])}, {self.say(N_('because:'))} {reason}"

    def point_place(self, point: OpenPoint) -> str:
        return self._place(point.stage_title, point.domain_title, point.ref.round)

    def _place(self, title: Text, domain: Text | None, round: int) -> str:
        parts = [self(title), *([self(domain)] if domain else [])]
        if round > 1:
            parts.append(self.say(N_("round %(n)s"), n=round))
        return " · ".join(parts)

    def parked_place(self, line: ParkedLine) -> str:
        """Where it was, in the words of its version; nothing for a decision outside the stages."""
        stage = self._place(line.stage_title, line.domain_title, line.round) if line.stage_title else ""
        return f"{self(line.step_title)} ({stage})" if line.step_title else stage

    def parked_what(self, line: ParkedLine) -> str:
        """What was set aside: the question, the decision, else what kind of thing."""
        if line.question:
            return self(line.question.text)
        return self(line.title) or self.say(PARKED_KINDS[ParkedKind(line.kind)])

    def parked_content(self, line: ParkedLine) -> str:
        if line.question:
            return self.answer(line.question, line.value) or self.say(N_("erased"))
        return line.text or ""

    def parked_why(self, line: ParkedLine) -> str:
        return self.say(PARKED_WHY[ParkedWhy(line.why)])

    def decider(self, line: ApprovalLine) -> str:
        """Who decided, and in whose name on what ground, where that is somebody else's."""
        if not line.on_behalf_of:
            return line.by
        said = N_("%(by)s, in the name of %(name)s (mandate: %(ground)s)")
        return self.say(said, by=line.by, name=line.on_behalf_of, ground=line.ground or "")

    def decided(self, kind: str, version: str | None) -> str:
        """A decision, with the version of the plan where that was an earlier one."""
        said = self.say(DECISIONS[kind])
        return f"{said} ({self.say(N_('on version %(version)s'), version=version)})" if version else said

    def answered(self, line: AnswerLine) -> str:
        """What there is to know of an answer, besides the answer."""
        if line.answer is None:
            return self.say(N_("Not answered"))
        return self.say(N_("From before, not confirmed yet")) if line.is_proposal else ""

    def open_point(self, point: OpenPoint) -> str:
        """A sentence about something that is open or unknown."""
        what = self(point.what)
        match point.kind:
            case "request":
                return self.say(N_("Approval has been asked, nobody decided yet."))
            case "sent_back":
                return self.say(N_("Sent back, look again: %(step)s."), step=what)
            case "look_again":
                return self.say(N_("The step plan changed, look again: %(step)s."), step=what)
            case "checklist":
                return self.ngettext(
                    "%(num)s statement of the checklist has no answer.",
                    "%(num)s statements of the checklist have no answer.",
                    point.n,
                )
            case "condition" | "condition_reported":
                return self._condition(point)
            case "unknown":
                known = self.ngettext("unknown at %(num)s statement", "unknown at %(num)s statements", point.n)
                return f"{what}: {known}."
            case _:
                return self.say(N_("Step not done: %(step)s."), step=what)

    def _condition(self, point: OpenPoint) -> str:
        """What is asked, of whom, by when; and in words that the date is over."""
        assert point.due is not None
        params = {"text": point.text or self.say(N_("erased")), "name": point.owner, "day": self.day(point.due)}
        if point.kind == "condition_reported":
            return self.say(N_("Condition: %(text)s Reported as done by %(name)s; not closed yet."), **params)
        if point.is_late:
            return self.say(N_("Condition: %(text)s Overdue: %(name)s, done by %(day)s."), **params)
        return self.say(N_("Condition: %(text)s %(name)s, done by %(day)s."), **params)

    def answer(self, question: Question, value: Value) -> str:
        """An answer as one text; a table as lines of "column: cell"."""
        match question.type:
            case QuestionType.MULTIPLE_CHOICE if isinstance(value, list):
                return "; ".join(self._option(question.options, str(id)) for id in value)
            case QuestionType.ASSESSMENT if isinstance(value, dict):
                grade = self.say(GRADES[Grade(value["grade"])]) if value["grade"] else ""
                return ": ".join(part for part in (grade, value["reason"]) if part)
            case QuestionType.TABLE if isinstance(value, list):
                return "\n".join("; ".join(f"{key}: {cell}" for key, cell in row) for row in self.rows(question, value))
            case _ if isinstance(value, str):
                unit = f" {self(question.unit)}" if question.unit else ""
                return self._single(question.type, question.options, value) + unit
            case _:
                return ""

    def headings(self, question: Question) -> list[str]:
        return [self(column.title) for column in question.columns]

    def rows(self, question: Question, value: Value) -> list[list[tuple[str, str]]]:
        """A table answer as rows of (column title, cell text)."""
        if not isinstance(value, list):
            return []
        columns = [(self(column.title), column) for column in question.columns]
        return [
            [(title, self.cell(column, row.get(column.id, ""))) for title, column in columns]
            for row in value
            if isinstance(row, dict)
        ]

    def cell(self, column: Column, value: str) -> str:
        """A cell of a table answer."""
        return self._single(column.type, column.options, value)

    def _single(self, type: QuestionType, options: tuple[Option, ...], value: str) -> str:
        if not value:
            return ""
        match type:
            case QuestionType.SINGLE_CHOICE:
                return self._option(options, value)
            case QuestionType.NUMBER:
                return self.formats.number(Decimal(value))
            case QuestionType.DATE:
                return self.formats.date_text(datetime.fromisoformat(value).date())
            case _:
                return value

    def _option(self, options: tuple[Option, ...], id: str) -> str:
        return next((self(option.title) for option in options if option.id == id), id)
