"""How a run went to another version of its plan, in sentences, with everything that was chosen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from app.engine import events as e
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.run import Run, StageRef, TextId, UserId
from app.engine.run_migration.items import Choice
from app.features.reports.plan_titles import PlanTitles
from app.features.reports.texts import Words
from app.web.i18n import N_

MoveEvent = e.MoveProposed | e.RunMoved | e.MoveUndone | e.MoveProposalWithdrawn

CHOICES: Mapping[str, str] = {
    Choice.KEEP: N_("Keep"),
    Choice.AGAIN: N_("Look at it again"),
    Choice.PARK: N_("Set aside"),
}
_EVIDENCE_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """An answer or a piece of evidence with what was chosen for it, and why if that was written."""

    what: str
    place: str
    choice: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class MoveDetails:
    """`facts` are pairs of what and which: people, and digests of versions. `links` lead to what it was about."""

    facts: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]
    choices: tuple[ChoiceLine, ...]
    links: tuple[tuple[str, str], ...]


def evidence_in(event: e.MoveProposed | e.RunMoved) -> Iterator[str]:
    """Ids of the evidence among the choices."""
    for id in event.choices:
        key = id.rpartition("/")[2]
        if _EVIDENCE_ID.fullmatch(key):
            yield key


def differences_address(old: StepPlan | None, plan: str, new: str) -> str:
    """Of the page that lays a version beside an older one; of another plan it says only what it changed itself."""
    address = f"/stappenplannen/{quote(plan)}/{quote(new)}/verschillen"
    return f"{address}?{urlencode({'met': old.version})}" if old and old.id == plan else address


class MoveTeller:
    """`texts`, `evidence` (titles) and `names` are by id, for all events that are told."""

    def __init__(
        self,
        words: Words,
        texts: Mapping[TextId, str],
        evidence: Mapping[str, str],
        names: Mapping[UserId, str],
        base: str,
        run: Run,
    ) -> None:
        self.words, self.texts, self.evidence = words, texts, evidence
        self.names, self.base, self.run = names, base, run

    def sentence(self, event: e.MoveProposed | e.RunMoved | e.MoveUndone) -> str:
        say = self.words.say
        match event:
            case e.MoveProposed():
                asked = say(N_("Asked of a manager: to go on with version %(new)s."), new=event.to_version)
                return f"{asked} {self._counted(Counter(event.choices.values()))}"
            case e.RunMoved():
                versions = {"old": event.from_version, "new": event.to_version}
                went = say(N_("The trajectory went from version %(old)s to %(new)s."), **versions)
                counts = Counter(event.choices.values())
                counts[Choice.PARK] = len(event.parked)
                return f"{went} {self._counted(counts, returned=len(event.returned))}"
            case e.MoveUndone():
                went = say(N_("The trajectory went back to version %(old)s."), old=event.to_version)
                return f"{went} {self._set_aside(len(event.parked))}".rstrip()

    def withdrawal(self, version: str | None) -> str:
        """`version` that was proposed, where that is known."""
        if version is None:
            return self.words.say(N_("The proposal to go on with another version was withdrawn."))
        return self.words.say(N_("The proposal to go on with version %(new)s was withdrawn."), new=version)

    def _counted(self, counts: Counter[str], *, returned: int = 0) -> str:
        words, kept, again, parked = self.words, counts[Choice.KEEP], counts[Choice.AGAIN], counts[Choice.PARK]
        parts = [
            words.ngettext(
                "%(num)s answer to a changed question kept", "%(num)s answers to changed questions kept", kept
            )
            if kept
            else "",
            words.say(N_("%(num)s to look at again"), num=again) if again else "",
            words.say(N_("%(num)s set aside"), num=parked) if parked else "",
            words.say(N_("%(num)s came back"), num=returned) if returned else "",
        ]
        told = ", ".join(filter(None, parts))
        return f"{told}." if told else words.say(N_("Everything that was made stayed as it was."))

    def _set_aside(self, n: int) -> str:
        return self.words.ngettext("%(num)s part was set aside.", "%(num)s parts were set aside.", n) if n else ""

    def address(self, event: MoveEvent, before: StepPlan) -> str | None:
        """`before`: the version that the run had when it happened."""
        match event:
            case e.RunMoved():
                return differences_address(before, event.to_plan, event.to_version)
            case e.MoveUndone() if event.parked:
                return f"{self.base}/geparkeerd"
            case e.MoveProposed() if self.run.proposal and self.run.proposal.id == event.proposal:
                return f"{self.base}/nieuwe-versie"
            case _:
                return None

    # --- folded under the sentence

    def details(self, event: e.Event, titles: PlanTitles, digest: str) -> MoveDetails | None:
        """`digest` of the version that the run had when it happened."""
        say = self.words.say
        match event:
            case e.MoveProposed():
                return MoveDetails(
                    facts=((say(N_("Proposed by")), self.names.get(event.by, "")),),
                    digests=((titles.parts.plan.version, digest), (event.to_version, event.to_digest)),
                    choices=tuple(self._choices(event.choices, event.reasons, titles)),
                    links=(),
                )
            case e.RunMoved():
                return MoveDetails(
                    facts=tuple(self._who_moved(event)),
                    digests=((event.from_version, event.from_digest), (event.to_version, event.to_digest)),
                    choices=tuple(self._choices(event.choices, event.reasons, titles)),
                    links=tuple(self._parked_link(len(event.parked))),
                )
            case e.MoveUndone():
                return MoveDetails(
                    facts=((say(N_("Undone by")), self.names.get(event.by, "")),),
                    digests=((titles.parts.plan.version, digest), (event.to_version, event.to_digest)),
                    choices=(),
                    links=tuple(self._parked_link(len(event.parked))),
                )
            case _:
                return None

    def _who_moved(self, event: e.RunMoved) -> Iterator[tuple[str, str]]:
        name = self.names.get(event.by, "")
        if event.proposed_by is None:
            yield self.words.say(N_("Carried out by")), name
        else:
            yield self.words.say(N_("Proposed by")), self.names.get(event.proposed_by, "")
            yield self.words.say(N_("Confirmed by")), name

    def _parked_link(self, parked: int) -> Iterator[tuple[str, str]]:
        if parked:
            yield self.words.say(N_("What was set aside")), f"{self.base}/geparkeerd"

    def _choices(
        self, choices: Mapping[str, str], reasons: Mapping[str, TextId], titles: PlanTitles
    ) -> Iterator[ChoiceLine]:
        for id, choice in sorted(choices.items()):
            what, place = self._item(id, titles)
            reason = None
            if id in reasons:
                reason = self.texts.get(reasons[id]) or self.words.say(N_("erased"))
            known = CHOICES.get(choice)
            yield ChoiceLine(what, place, self.words.say(known) if known else choice, reason)

    def _item(self, id: str, titles: PlanTitles) -> tuple[str, str]:
        """What an item is about, and where; its id is stage instance, step and question or evidence."""
        try:
            stage, step, key = id.split("/", 2)
            ref = StageRef.parse(stage)
        except ValueError:
            return id, ""
        place = titles.place(ref) if step == CHECKLIST else f"{titles.step(ref.stage, step)} ({titles.place(ref)})"
        if _EVIDENCE_ID.fullmatch(key):
            return self.evidence.get(key) or self.words.say(N_("Evidence")), place
        return titles.question(ref.stage, step, key), place
