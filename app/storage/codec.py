"""Engine values to JSON and back. The JSON is what the database keeps for years: change it only by adding."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast, get_args

from pydantic import TypeAdapter

from app.engine import events as e
from app.engine.run import (
    Advice,
    DecisionTaken,
    Move,
    MoveProposal,
    Parked,
    Run,
    Shared,
    StageInstance,
    StageRef,
    StepState,
)

Json = dict[str, Any]

_EVENTS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(e.Event)}
_STEP: TypeAdapter[StepState] = TypeAdapter(StepState)
_STAGE: TypeAdapter[StageInstance] = TypeAdapter(StageInstance)
_DECISIONS: TypeAdapter[tuple[DecisionTaken, ...]] = TypeAdapter(tuple[DecisionTaken, ...])
_PARKED: TypeAdapter[tuple[Parked, ...]] = TypeAdapter(tuple[Parked, ...])
_MOVES: TypeAdapter[tuple[Move, ...]] = TypeAdapter(tuple[Move, ...])
_SHARED: TypeAdapter[tuple[Shared, ...]] = TypeAdapter(tuple[Shared, ...])
_ADVICE: TypeAdapter[tuple[Advice, ...]] = TypeAdapter(tuple[Advice, ...])
_PROPOSAL: TypeAdapter[MoveProposal] = TypeAdapter(MoveProposal)


_LATER: dict[str, object] = {
    "mandate": None,
    "on_behalf_of": None,
    "given_by": None,
    "authors": [],
    "is_work": False,
    "conditions": [],
    "roles": [],
    "seal": None,
}
"""What events did not always have: where there is nothing of it, their data is as it always was."""
_REASON_LATER = frozenset({"StageStarted", "RequestWithdrawn", "StageReopened"})
"""Kinds that did not always have a reason; others always said that there is none."""


def _is_later(kind: str, name: str, value: object) -> bool:
    if name == "reason":
        return value is None and kind in _REASON_LATER
    return name in _LATER and value == _LATER[name]


def _plain(value: object) -> object:
    """Read-only mappings become dicts, which is what pydantic writes without a warning."""
    return dict(value) if isinstance(value, MappingProxyType) else value


def _plain_stage(instance: StageInstance) -> StageInstance:
    steps = {id: replace(state, answers=_plain(state.answers)) for id, state in instance.steps.items()}  # type: ignore[arg-type]
    return replace(instance, steps=steps)


def _plain_parked(parked: tuple[Parked, ...]) -> tuple[Parked, ...]:
    return tuple(replace(item, stage=_plain_stage(item.stage)) if item.stage else item for item in parked)


def encode_event(event: e.Event) -> tuple[str, Json]:
    """Kind and data; who and when are columns of their own."""
    kind = type(event).__name__
    if isinstance(event, e.RunMoved | e.MoveUndone):
        stages = tuple(map(_plain_stage, event.stages))
        event = replace(event, stages=stages, parked=_plain_parked(event.parked))
        data: Json = _EVENTS[kind].dump_python(event, mode="json", exclude={"by", "at"}, exclude_defaults=True)
        return kind, data
    data = _EVENTS[kind].dump_python(event, mode="json", exclude={"by", "at"})
    data = {name: value for name, value in data.items() if not _is_later(kind, name, value)}
    if data.get("ref") is not None:
        data["ref"] = str(getattr(event, "ref"))  # noqa: B009  # not every event has one, so no plain attribute
    return kind, data


def decode_event(kind: str, data: Json, *, by: str, at: datetime) -> e.Event:
    """Raises KeyError for an unknown kind, pydantic.ValidationError for data that does not fit it."""
    fields = {**data, "by": by, "at": at}
    if data.get("ref") is not None:
        fields["ref"] = StageRef.parse(data["ref"])
    return cast(e.Event, _EVENTS[kind].validate_python(fields))


def encode_step(state: StepState) -> Json:
    plain = replace(state, answers=_plain(state.answers))  # type: ignore[arg-type]  # a dict is a Mapping
    return cast(Json, _STEP.dump_python(plain, mode="json", exclude_defaults=True))


def decode_step(data: Json) -> StepState:
    return _STEP.validate_python(data)


_NOT_IN_STAGE = {"ref", "steps", "loaded", "status", "passed"}


def encode_stage(instance: StageInstance) -> Json:
    """The instance without its steps, and without what has a column of its own."""
    bare = replace(instance, steps={}, loaded=None)
    return cast(Json, _STAGE.dump_python(bare, mode="json", exclude=_NOT_IN_STAGE, exclude_defaults=True))


def decode_stage(ref: StageRef, data: Json, *, status: str, passed: bool) -> StageInstance:
    return _STAGE.validate_python({**data, "ref": ref, "status": status, "passed": passed})


def encode_run(run: Run) -> Json:
    """What of a run stands in no other table."""
    state: Json = {
        "name": run.name,
        "purpose": run.purpose,
        "domains": list(run.domains),
        "team": list(run.team),
        "decisions": _DECISIONS.dump_python(run.decisions, mode="json"),
    }
    if run.parked:
        state["parked"] = _PARKED.dump_python(_plain_parked(run.parked), mode="json", exclude_defaults=True)
    if run.moves:
        state["moves"] = _MOVES.dump_python(run.moves, mode="json", exclude_defaults=True)
    if run.proposal:
        plain = replace(run.proposal, choices=dict(run.proposal.choices), reasons=dict(run.proposal.reasons))
        state["proposal"] = _PROPOSAL.dump_python(plain, mode="json")
    if run.earlier_run:
        state["earlier_run"] = run.earlier_run
    if run.shared:
        state["shared"] = _SHARED.dump_python(run.shared, mode="json", exclude_defaults=True)
    if run.advice:
        state["advice"] = _ADVICE.dump_python(run.advice, mode="json", exclude_defaults=True)
    return state


def decode_moves(data: Json) -> tuple[Move, ...]:
    """The moves in the state of a run."""
    return _MOVES.validate_python(data["moves"]) if "moves" in data else ()


def decode_advice(data: Json) -> tuple[Advice, ...]:
    """The advice in the state of a run."""
    return _ADVICE.validate_python(data["advice"]) if "advice" in data else ()


def decode_run(data: Json) -> dict[str, Any]:
    """Keyword arguments for `Run`."""
    return {
        "name": data["name"],
        "purpose": data["purpose"],
        "domains": tuple(data["domains"]),
        "team": tuple(data["team"]),
        "decisions": _DECISIONS.validate_python(data["decisions"]),
        "parked": _PARKED.validate_python(data["parked"]) if "parked" in data else (),
        "moves": decode_moves(data),
        "proposal": _PROPOSAL.validate_python(data["proposal"]) if "proposal" in data else None,
        "earlier_run": data.get("earlier_run"),
        "shared": _SHARED.validate_python(data["shared"]) if "shared" in data else (),
        "advice": decode_advice(data),
    }
