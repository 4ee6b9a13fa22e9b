"""Has files inspected in a process of their own: without secrets in its environment, with little memory and time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

import app
from app.features.evidence.file_types import FILE_TYPES, FileType
from app.features.evidence.inspection import Problem

log = structlog.get_logger(__name__)

SECONDS_MAX: Final = 40  # for all files of one form; ten large PDFs take 3
AT_ONCE: Final = 2  # more would only take the processor from those who read and write

_workers: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="inspection")
_COMMAND: Final = [sys.executable, "-s", "-m", "app.features.evidence.inspection"]
_ENVIRONMENT: Final = {"PYTHONPATH": str(Path(app.__path__[0]).parent), "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either of the two."""

    type: FileType | None = None
    problem: Problem | None = None


async def inspect(files: Sequence[tuple[Path, str]]) -> list[Verdict]:
    """For each file, with the name that its sender gave it."""
    if not files:
        return []
    return await asyncio.get_running_loop().run_in_executor(_workers, _inspect, files)


def _inspect(files: Sequence[tuple[Path, str]]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    while len(verdicts) < len(files):
        waiting = files[len(verdicts) :]
        verdicts += [_verdict(answer) for answer in _answers(waiting)[: len(waiting)]]
        if len(verdicts) < len(files):
            # The process ended at this file; the ones after it get a new one.
            log.warning("evidence_inspection_broke_off", file=files[len(verdicts)][0].name)
            verdicts.append(Verdict(problem=Problem.DAMAGED))
    return verdicts


def _answers(files: Sequence[tuple[Path, str]]) -> list[Any]:
    question = json.dumps([(str(path), name) for path, name in files]).encode()
    try:
        ended = subprocess.run(  # noqa: S603  # our own module, and names go in as data
            _COMMAND, input=question, capture_output=True, timeout=SECONDS_MAX, env=_ENVIRONMENT, cwd="/", check=False
        )
        output, errors = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as late:
        output, errors = late.stdout or b"", late.stderr or b""
    lines = output.splitlines(keepends=True)
    if not lines:
        raise RuntimeError(f"the inspection of files does not start: {errors.decode(errors='replace')[-2000:]}")
    return [json.loads(line) for line in lines[1:] if line.endswith(b"\n")]


def _verdict(answer: dict[str, str]) -> Verdict:
    if "type" in answer:
        return Verdict(type=FILE_TYPES[answer["type"]])
    return Verdict(problem=Problem(answer["problem"]))
