"""The state tables of a request, row by row."""

import pytest

from sharing.requests.domain import (
    TERMINAL_STATES,
    TRANSITIONS,
    Act,
    IllegalTransitionError,
    RequestState,
    may,
    next_state,
    share_kind,
)
from tests.support.sharing_world import ITEMS, entry

S = RequestState


@pytest.mark.parametrize(
    ("side", "state", "act", "after"),
    [
        ("sent", S.AWAITING_APPROVAL, Act.APPROVE, S.DISPATCHED),
        ("sent", S.DISPATCHED, Act.RECEIPT, S.RECEIVED_BY_SOURCE),
        ("sent", S.DISPATCHED, Act.DELIVER, S.DELIVERED),
        ("sent", S.RECEIVED_BY_SOURCE, Act.AGREE, S.AGREED),
        ("sent", S.DISPATCHED, Act.REFUSE, S.REFUSED),
        ("sent", S.AGREED, Act.DELIVER, S.DELIVERED),
        ("sent", S.DELIVERED, Act.CONFIRM, S.ACTIVE),
        ("sent", S.ACTIVE, Act.END, S.ENDED),
        ("received", S.RECEIVED, Act.ASK_FIX, S.NEEDS_FIX),
        ("received", S.NEEDS_FIX, Act.SUPPLEMENT, S.RECEIVED),
        ("received", S.RECEIVED, Act.ASK_SUPPLEMENT, S.RECEIVED),
        ("received", S.RECEIVED, Act.AGREE, S.AGREED),
        ("received", S.AGREED, Act.DELIVER, S.DELIVERED),
        ("received", S.AGREED, Act.WITHDRAW, S.WITHDRAWN),
    ],
)
def test_an_act_moves_a_request_as_the_regulation_says(side, state, act, after):
    assert next_state(side, state, act) is after


@pytest.mark.parametrize(
    ("side", "state", "act"),
    [
        ("sent", S.DISPATCHED, Act.CONFIRM),
        ("sent", S.AGREED, Act.WITHDRAW),
        ("sent", S.DELIVERED, Act.AGREE),
        ("received", S.RECEIVED, Act.CONFIRM),
        ("received", S.AGREED, Act.REFUSE),
        ("received", S.NEEDS_FIX, Act.AGREE),
        ("received", S.DELIVERED, Act.WITHDRAW),
    ],
)
def test_an_act_out_of_place_is_refused(side, state, act):
    with pytest.raises(IllegalTransitionError) as caught:
        next_state(side, state, act)
    assert (caught.value.state, caught.value.act) == (state, act)
    assert not may(side, state, act)


@pytest.mark.parametrize("side", ["sent", "received"])
def test_nothing_leaves_a_terminal_state(side):
    left = {state for moves in TRANSITIONS[side].values() for state in moves}
    assert not left & TERMINAL_STATES


@pytest.mark.parametrize("side", ["sent", "received"])
def test_every_state_of_a_side_can_be_left_or_is_terminal(side):
    reached = {after for moves in TRANSITIONS[side].values() for after in moves.values()}
    left = {state for moves in TRANSITIONS[side].values() for state in moves}
    assert reached - left <= TERMINAL_STATES


def test_the_strictest_of_the_asked_items_binds_the_request():
    items = (
        ITEMS[0],
        ITEMS[1].model_copy(update={"share_type": "conditional"}),
        ITEMS[2].model_copy(update={"share_type": "none"}),
    )
    open_entry = entry(share_type="unconditional", items=items)
    assert share_kind(open_entry, ("code",)) == "unconditional"
    assert share_kind(open_entry, ("code", "name")) == "conditional"
    assert share_kind(open_entry, ("code", "households")) == "none"
    assert share_kind(entry(items=items), ("code",)) == "conditional"
