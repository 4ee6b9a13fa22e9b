"""Runs in the database: loaded as the engine's value, changed by recording what happened."""

from app.storage.run_header import RunNotFound
from app.storage.run_store.loading import (
    events_of,
    load_in_progress,
    load_run,
    load_stage,
    load_stages,
    load_step,
)
from app.storage.run_store.recording import StaleRun, record, start

__all__ = [
    "RunNotFound",
    "StaleRun",
    "events_of",
    "load_in_progress",
    "load_run",
    "load_stage",
    "load_stages",
    "load_step",
    "record",
    "start",
]
