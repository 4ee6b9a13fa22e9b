"""What a plan says about the order of its stages, in sentences: the drawing in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.engine.definition import (
    Across,
    Decision,
    DecisionRequired,
    Reached,
    Requirement,
    Round,
    Stage,
    StageRequired,
    StepPlan,
)
from app.web.i18n import N_, Language, gettext_for

TRAITS: Final = (
    ("is_optional", N_("You may skip it, with a reason.")),
    ("is_repeatable", N_("It comes back in rounds.")),
    ("is_per_domain", N_("It is done once for each domain.")),
    ("is_continuous", N_("It stays open after approval.")),
)


def sentences(plan: StepPlan, language: Language) -> Iterator[str]:
    """One text for each stage and decision; names in the language of the visitor where the plan has that."""
    told = _Sentences(plan, language)
    for stage in plan.stages:
        yield " ".join(told.stage(stage))
    for decision in plan.decisions:
        yield told.decision(decision)


class _Sentences:
    def __init__(self, plan: StepPlan, language: Language) -> None:
        self.plan, self.language = plan, language
        self.texts = gettext_for(language)

    def stage(self, stage: Stage) -> Iterator[str]:
        name = self._title(stage)
        if stage.requires:
            needed = self._needed(stage.requires, is_per_domain=stage.is_per_domain)
            yield self._say(N_("%(stage)s can begin after %(needed)s."), stage=name, needed=needed)
        else:
            yield self._say(N_("%(stage)s can begin at once."), stage=name)
        if stage.advised_after:
            advised = self._joined([self._title(self.plan.stage(each.stage)) for each in stage.advised_after])
            yield self._say(N_("It is wiser after %(advised)s."), advised=advised)
        yield from (self.texts.gettext(sentence) for trait, sentence in TRAITS if getattr(stage, trait))

    def decision(self, decision: Decision) -> str:
        name = decision.title.in_language(self.language)
        if not decision.requires:
            return self._say(N_("The decision “%(decision)s” can be taken at any time."), decision=name)
        needed = self._needed(decision.requires, is_per_domain=decision.is_per_domain)
        return self._say(N_("The decision “%(decision)s” can be taken after %(needed)s."), decision=name, needed=needed)

    def _needed(self, requirements: Sequence[Requirement], *, is_per_domain: bool) -> str:
        clauses = [
            self._joined([self._clause(each, is_per_domain) for each in requirement.alternatives], N_("or"))
            for requirement in requirements
        ]
        if all(len(requirement.alternatives) == 1 for requirement in requirements):
            return self._joined(clauses)
        first, *rest = clauses  # "A or B and C" could be read in two ways
        for clause in rest:
            first = self._say(N_("%(one)s, and also after %(other)s"), one=first, other=clause)
        return first

    def _clause(self, needed: StageRequired | DecisionRequired, is_per_domain: bool) -> str:
        if isinstance(needed, DecisionRequired):
            title = self.plan.decisions_by_id[needed.decision].title.in_language(self.language)
            return self._say(N_("the decision “%(decision)s” was taken"), decision=title)
        stage = self.plan.stage(needed.stage)
        name = self._title(stage)
        if needed.round is Round.LATEST:
            name = self._say(N_("the latest round of %(stage)s"), stage=name)
        if stage.is_per_domain and not is_per_domain:
            in_all = needed.across is Across.ALL
            name = self._say(
                N_("%(stage)s (for all domains)") if in_all else N_("%(stage)s (for one domain)"), stage=name
            )
        started = needed.reached is Reached.STARTED
        return self._say(N_("%(stage)s was started") if started else N_("%(stage)s was approved"), stage=name)

    def _title(self, stage: Stage) -> str:
        return stage.title.in_language(self.language)

    def _say(self, text: str, **values: str) -> str:
        return self.texts.gettext(text) % values

    def _joined(self, parts: Sequence[str], link: str = N_("and")) -> str:
        *first, last = parts
        return f"{', '.join(first)} {self.texts.gettext(link)} {last}" if first else last
