"""Logs as JSON lines, for whoever collects them: time in UTC, no personal data, no form content.

The server writes them to standard output. A command keeps that for its own answer and writes them to standard error.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog


def configure_logs(stream: Literal["stdout", "stderr"] = "stdout") -> None:
    """Tracebacks as plain text: without the values of variables, which may hold what somebody typed."""

    def to_what_it_is_at_that_moment(*_: Any) -> structlog.WriteLogger:
        return structlog.WriteLogger(getattr(sys, stream))

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=to_what_it_is_at_that_moment,
        cache_logger_on_first_use=False,
    )
