"""What a check of the history found, in the words of a page; the command line has its own (storage/verify)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.storage.verify import Finding, Part, Trouble
from app.web.i18n import N_, Language, gettext_for

PARTS: Final[Mapping[Part, str]] = MappingProxyType(
    {
        Part.HISTORY: N_("The history"),
        Part.EVENT: N_("Event %(key)s"),
        Part.TABLES: N_("The pages of this trajectory"),
        Part.PLAN: N_("The step plan"),
        Part.REVISION: N_("The number of the last change"),
        Part.MANAGER: N_("The manager"),
        Part.START: N_("The start"),
        Part.WHOLE_RUN: N_("Team, domains and decisions"),
        Part.NAME: N_("The name"),
        Part.PURPOSE: N_("The purpose"),
        Part.TEAM: N_("The team"),
        Part.ADVISERS: N_("The advisers"),
        Part.STAGE: N_("Stage %(key)s"),
        Part.STEP: N_("Step %(key)s"),
        Part.TEXT: N_("Text %(key)s"),
        Part.ANSWER: N_("Answer %(key)s"),
        Part.PARKED_ANSWER: N_("Answer %(key)s, which was set aside"),
        Part.EVIDENCE: N_("Evidence %(key)s"),
        Part.PARKED_EVIDENCE: N_("Evidence %(key)s, which was set aside"),
        Part.POINT: N_("Open point %(key)s"),
        Part.WAITING: N_("What waits for somebody"),
        Part.APPROVAL: N_("Approval of %(key)s"),
        Part.SEAL: N_("Seal %(key)s"),
    }
)
TROUBLES: Final[Mapping[Trouble, str]] = MappingProxyType(
    {
        Trouble.MISSING: N_("This is missing."),
        Trouble.NUMBER_MISSING: N_("This is missing. The next one has number %(detail)s."),
        Trouble.NO_EVENTS: N_("There are no events."),
        Trouble.IMPOSSIBLE: N_("This cannot have happened like this (%(detail)s)."),
        Trouble.UNREADABLE: N_("They cannot be read (%(detail)s)."),
        Trouble.SEALED_OTHER: N_("Something else was sealed than the history holds."),
        Trouble.TABLES_DIFFER: N_("The pages say something else than the history."),
        Trouble.LIST_DIFFERS: N_("Lists show another state than the page of the step."),
        Trouble.NOT_IN_PLAN: N_("This is not in the step plan."),
        Trouble.NOT_IN_HISTORY: N_("This is not in the history."),
        Trouble.GONE: N_("This is gone, and the history does not say that it was erased."),
        Trouble.TEXT_CHANGED: N_("The text was changed outside the history."),
        Trouble.EARLIER_CHANGED: N_("The text of an earlier version was changed outside the history."),
        Trouble.MEMBERS_DIFFER: N_("Other people are in the team than the history says."),
        Trouble.OPENED_TO_OTHERS: N_("The trajectory is shared with other people than the history says."),
        Trouble.OTHER_ANSWER: N_("Another answer is shown than the history says."),
        Trouble.OTHER_EVIDENCE: N_("Other evidence is shown than the history says."),
        Trouble.DESCRIPTION_CHANGED: N_("The description was changed outside the history."),
        Trouble.OTHER_STEP: N_("It is with another step than the history says."),
        Trouble.WITHDRAWN_DIFFERS: N_("The pages say something else than the history about whether it was withdrawn."),
        Trouble.SEALED_CHANGED: N_("What was sealed was changed."),
        Trouble.SEALED_MISSING: N_("What was sealed is missing."),
        Trouble.SEAL_OF_OTHER: N_("The seal belongs to something else."),
    }
)


def sentence(finding: Finding, language: Language) -> str:
    say, params = gettext_for(language).gettext, {"key": finding.key, "detail": finding.detail}
    return f"{say(PARTS[finding.part]) % params}: {say(TROUBLES[finding.trouble]) % params}"
