"""Structured logs: JSON lines without values of bodies, tokens or personal numbers."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from kernel.redact import describe, mask

Logger = structlog.typing.FilteringBoundLogger
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def make_logger(*, level: str = "info", stream: TextIO | None = None, **context: Any) -> Logger:
    """Make a logger bound to ``context`` (node, service); nothing global is configured."""
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stdout),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _describe_error,
            _mask_values,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=_by_type),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        **context,
    )
    return logger


def _describe_error(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event.update(describe(error))
    return event


def _mask_values(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {str(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        masked = mask(str(value))
        return value if masked == str(value) else masked
    return value


def _by_type(value: Any) -> str:
    return f"<{type(value).__name__}>"


class LibraryHandler(logging.Handler):
    """Carries what libraries log into a structured logger: message masked, errors described."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(level=logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; arguments are left out, because they may be values."""
        fields: dict[str, Any] = {"library": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields.update(describe(record.exc_info[1]))
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(self._logger, level)(str(record.msg), **fields)


def capture_libraries(logger: Logger) -> None:
    """Send the standard library's logging through ``logger``; for a process's entry point only."""
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler(logger)]
    root.setLevel(logging.WARNING)
