"""Small pure steps that both sides of a request share."""

from dataclasses import replace
from datetime import datetime

from contracts.events.sharing import RequestSupplemented
from kernel.problems import StaleVersion
from sharing.errors import RequestStateConflict
from sharing.requests.domain import (
    Act,
    IllegalTransitionError,
    ShareRequest,
    next_state,
)
from sharing.requests.schemas import Decision, request_out


def moved(request: ShareRequest, act: Act) -> ShareRequest:
    """Return the request after ``act``, its record version counted; raise 409 when it may not."""
    try:
        state = next_state(request.side, request.state, act)
    except IllegalTransitionError:
        raise RequestStateConflict(state=request.state.value, act=act.value) from None
    return replace(request, state=state, record_version=request.record_version + 1)


def touched(request: ShareRequest) -> ShareRequest:
    """Return the request with its record version counted: something in it has changed."""
    return replace(request, record_version=request.record_version + 1)


def check_version(request: ShareRequest, command: Decision) -> None:
    """Raise ``StaleVersion`` with the current request when the caller saw an older one."""
    if command.record_version not in (None, request.record_version):
        current = request_out(request).model_dump(mode="json")
        raise StaleVersion(version=request.record_version, current=current)


def answer_open(
    request: ShareRequest, answer: RequestSupplemented, *, at: datetime
) -> ShareRequest:
    """Work an answered supplement into the request; rounds that are answered stay as they are."""
    answered = tuple(
        replace(
            each,
            answered_by=answer.supplemented_by,
            answered_at=at,
            explanation=answer.explanation,
            documents=answer.documents,
        )
        if each.round == answer.round and each.answered_at is None
        else each
        for each in request.supplements
    )
    changes = {"purpose": answer.purpose, "items": answer.items}
    asked = request.asked.model_copy(
        update={name: value for name, value in changes.items() if value is not None}
    )
    return replace(request, supplements=answered, asked=asked)
