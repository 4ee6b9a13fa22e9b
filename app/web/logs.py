"""Logs as JSON lines on standard output, for whoever collects them: time in UTC, no personal data, no form content."""

from __future__ import annotations

import logging

import structlog


def configure_logs() -> None:
    """Tracebacks as plain text: without the values of variables, which may hold what somebody typed."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(),  # to what standard output is at that moment
        cache_logger_on_first_use=False,
    )
