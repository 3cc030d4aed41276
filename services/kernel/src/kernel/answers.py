"""Every failure becomes one problem document, and what it may tell is decided here."""

import errno
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from contracts.calendar import CalendarRangeError
from kernel.outbox import CaseVersionTaken, is_case_conflict
from kernel.problems import (
    AlreadyExists,
    BodyTooLarge,
    BodyUnreadable,
    FieldInvalid,
    InternalFault,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ProblemError,
    Unauthenticated,
    Unavailable,
)
from kernel.redact import sqlstate
from kernel.validation import invalid

MEDIA_TYPE = "application/problem+json"
_UNIQUE = "23505"
# connection, transaction rollback, resources, operator intervention, system error: try again
_NOT_REACHED = {None, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT}
_PASSING = ("08", "25", "40", "53", "55", "57", "58")


def problem_response(problem: ProblemError, *, language: str, trace_id: str = "") -> Response:
    """Write a problem as RFC 9457 JSON in the caller's language."""
    document = problem.to_problem(language)
    if trace_id:
        document["trace_id"] = trace_id
    headers = {
        "Content-Language": "zh-CN" if language == "zh" else "en",
        "Cache-Control": "no-store",
        **problem.headers,
    }
    return Response(
        orjson.dumps(document, default=str),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def problem_of(error: BaseException) -> ProblemError:
    """Return the problem that an exception is shown as; ``InternalFault`` when it is a fault."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, ClientDisconnect):
        return BodyUnreadable()
    if isinstance(error, CalendarRangeError):
        return _before_the_calendar()
    return _of_database(error) or InternalFault()


def _before_the_calendar() -> ProblemError:
    return Invalid(
        [
            FieldInvalid(
                reason_zh="日期早于工作日历的起始日，无法计算期限。",
                reason_en="The date lies before the calendar of working days begins.",
            )
        ]
    )


def _of_http(error: HTTPException) -> ProblemError:
    by_status: dict[int, type[ProblemError]] = {
        400: BodyUnreadable,
        401: Unauthenticated,
        404: NotFound,
        405: MethodNotAllowed,
    }
    if error.status_code == BodyTooLarge.status:
        return BodyTooLarge(limit="?")
    return by_status.get(error.status_code, InternalFault)()


def _of_database(error: BaseException) -> ProblemError | None:
    state = sqlstate(error)
    if is_case_conflict(error):
        return CaseVersionTaken()
    if state == _UNIQUE:
        return AlreadyExists()
    if state is not None and state.startswith("22"):
        return _unstorable()
    if _is_away(error, state):
        return Unavailable()
    if state is None and _is_unfit_value(error):
        return _unstorable()
    return None


def _is_away(error: BaseException, state: str | None) -> bool:
    if state is not None and state.startswith(_PASSING):
        return True
    if isinstance(error, PoolTimeout | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _NOT_REACHED:
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError)


def _is_unfit_value(error: BaseException) -> bool:
    # asyncpg refuses what no column of the type can hold (out of range, NUL, lone surrogate)
    causes: list[Any] = [error, getattr(error, "orig", None)]
    causes += [getattr(cause, "__cause__", None) for cause in tuple(causes) if cause is not None]
    named = any(type(cause).__name__ == "DataError" for cause in causes)
    return named or (isinstance(error, StatementError) and not isinstance(error, InterfaceError))


def _unstorable() -> ProblemError:
    return Invalid(
        [
            FieldInvalid(
                reason_zh="有字段的值超出范围或含有不能保存的字符。",
                reason_en="A value is out of range or holds characters that cannot be stored.",
            )
        ]
    )
