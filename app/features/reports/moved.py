"""What a report says of a run that went to another version of its plan: which versions, and what was set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from sqlmodel import Session

from app.engine.definition import StepPlan
from app.engine.run import Approval, Move, Parked, ParkedKind, Run, StageRef
from app.engine.run_migration.part_map import PartMap
from app.engine.run_migration.timeline import Timeline
from app.features.reports.plan_titles import PartTitles, digests_of
from app.features.reports.values import EvidenceLine, ParkedLine, VersionLine
from app.storage.answer_store import Answer
from app.storage.plan_routes import comparison
from app.storage.plans import load_plans


class MovedRun:
    """Asks nothing for a run that never moved."""

    def __init__(self, session: Session, plan: StepPlan, run: Run) -> None:
        self.plan, self.run = plan, run
        self.timeline = Timeline(run.plan_digest, run.moves)
        others = digests_of(run) - {plan.digest}
        self.plans = {plan.digest: plan, **(load_plans(session, others) if others else {})}
        self.maps: dict[str, PartMap] = {
            move.id: comparison(session, move.from_digest, move.to_digest).parts for move in run.moves
        }

    @cached_property
    def titles(self) -> Mapping[str, PartTitles]:
        """By digest of the version."""
        return {digest: PartTitles(plan, self.plans.values()) for digest, plan in self.plans.items()}

    @property
    def present(self) -> PartTitles:
        return self.titles[self.plan.digest]

    def titles_at(self, sequence: int) -> PartTitles:
        """In the version with which the event with this number happened."""
        return self.titles[self.timeline.in_force(sequence)]

    def earlier_version(self, sequence: int) -> str | None:
        """With which that event happened, if that is not the present one."""
        digest = self.timeline.in_force(sequence)
        return None if digest == self.plan.digest else self.plans[digest].version

    def ref_now(self, ref: StageRef, sequence: int) -> StageRef | None:
        """What a stage instance of then is called now; None when it has no place any more."""
        stage: str | None = ref.stage
        for revision, move, is_back in self._changes:
            if revision >= sequence and stage is not None:
                parts = self.maps[move.id]
                stage = (parts.earlier_stages if is_back else parts.stages).get(stage)
        return StageRef(stage, ref.domain, ref.round) if stage is not None else None

    @cached_property
    def _changes(self) -> list[tuple[int, Move, bool]]:
        changes = [(move.revision, move, False) for move in self.run.moves]
        changes += [(m.undone_revision, m, True) for m in self.run.moves if m.undone_revision is not None]
        return sorted(changes, key=lambda change: change[0])

    # --- the versions

    def people(self) -> Iterator[str | None]:
        for move in self.run.moves:
            yield from (move.by, move.undone_by)
        for item in self.run.parked:
            yield item.approval.by if item.approval else None
            yield item.decision.by if item.decision else None
            if item.stage:
                yield item.stage.started_by
                yield from (approval.by for approval in item.stage.approvals)

    def versions(self, names: Mapping[str, str]) -> Iterator[VersionLine]:
        """The versions that the run had, in order; none for a run that never moved."""
        run = self.run
        if not run.moves:
            return
        first = run.moves[0]
        assert run.started_at is not None
        started_by = names.get(run.started_by or "", "")
        yield VersionLine("started", first.from_version, first.from_digest, started_by, run.started_at)
        for _, move, is_back in self._changes:
            if is_back and move.undone_at is not None:
                by = names.get(move.undone_by or "", "")
                yield VersionLine("undone", move.from_version, move.from_digest, by, move.undone_at)
            else:
                yield VersionLine("moved", move.to_version, move.to_digest, names.get(move.by, ""), move.at)

    # --- what was set aside

    def text_ids(self) -> Iterator[str | None]:
        for item in self.run.parked:
            yield item.key if item.kind is ParkedKind.TEXT else None
            yield item.decision.reason if item.decision else None
            yield item.approval.remark if item.approval else None
            if item.stage:
                yield from (item.stage.skip_reason, item.stage.early_reason)
                yield from (approval.remark for approval in item.stage.approvals)

    def parked(
        self,
        answers: Mapping[str, Answer],
        evidence: Mapping[str, EvidenceLine],
        texts: Mapping[str, str],
        names: Mapping[str, str],
    ) -> Iterator[ParkedLine]:
        """`answers` by commitment, the rest by id."""
        for item in self.run.parked:
            line = self._line(item)
            match item:
                case Parked(answer=mark) if mark is not None:
                    answer = answers.get(mark.commitment)
                    question = None
                    if item.ref and item.step:
                        question = self.titles[item.plan_digest].find_question(item.ref.stage, item.step, item.key)
                    by = names.get(answer.saved_by) if answer else None
                    value, at = (answer.value, answer.saved_at) if answer else (None, None)
                    yield line.with_(question=question, value=value, by=by, at=at)
                case Parked(evidence=piece) if piece is not None:
                    added = evidence.get(piece.id)
                    yield line.with_(
                        text=added.title if added else None,
                        by=names.get(piece.added_by),
                        at=added.added_at if added else None,
                    )
                case Parked(approval=approval) if approval is not None:
                    yield self._approval(line, approval, texts, names)
                case Parked(decision=taken) if taken is not None:
                    by, why = names.get(taken.by), texts.get(taken.reason)
                    title = self.titles[item.plan_digest].decision(taken.decision)
                    yield line.with_(title=title, by=by, at=taken.at, text=why)
                case Parked(stage=stage) if stage is not None:
                    by = names.get(stage.started_by or "")
                    why = texts.get(stage.skip_reason or stage.early_reason or "")
                    yield line.with_(by=by, at=stage.started_at, text=why)
                    for approval in stage.approvals:
                        yield self._approval(line.with_(kind=ParkedKind.APPROVAL.value), approval, texts, names)
                case _:
                    yield line.with_(text=texts.get(item.key))

    def _approval(
        self, line: ParkedLine, approval: Approval, texts: Mapping[str, str], names: Mapping[str, str]
    ) -> ParkedLine:
        remark = texts.get(approval.remark or "")
        return line.with_(by=names.get(approval.by), at=approval.at, text=remark, seal=approval.seal)

    def _line(self, item: Parked) -> ParkedLine:
        titles, ref = self.titles[item.plan_digest], item.ref
        return ParkedLine(
            kind=item.kind.value,
            why=item.why.value,
            version=item.plan_version,
            digest=item.plan_digest,
            stage_title=titles.stage(ref.stage) if ref else None,
            domain_title=titles.domain(ref.domain) if ref and ref.domain else None,
            round=ref.round if ref else 1,
            step_title=titles.step(ref.stage, item.step) if ref and item.step else None,
        )


def commitments_in(run: Run) -> Collection[str]:
    """Of every answer of a run, present or set aside."""
    found = {
        mark.commitment
        for instance in run.stages.values()
        for state in instance.steps.values()
        for mark in state.answers.values()
    }
    return found | {item.answer.commitment for item in run.parked if item.answer}
