"""SM-1 as a table: what is open where, and what an act changes."""

import itertools

import pytest

from catalog.entries.domain import (
    STEPS,
    Act,
    Copy,
    IllegalMoveError,
    Position,
    Standing,
    may,
    move,
    open_acts,
    state_of,
)
from contracts.vocabulary import is_code

REACHABLE_START = Position()
EVERY = [
    Position(standing=standing, copy=copy, takedown=takedown)
    for standing, copy, takedown in itertools.product(Standing, Copy, (False, True))
]


def walk(*acts, start=REACHABLE_START):
    position = start
    for act in acts:
        position = move(position, act)
    return position


def reachable():
    """Every position that acts can lead to."""
    found, fresh = {REACHABLE_START}, {REACHABLE_START}
    while fresh:
        fresh = {move(position, act) for position in fresh for act in open_acts(position)} - found
        found |= fresh
    return found


PUBLISH = (Act.SUBMIT, Act.ACCEPT, Act.APPROVE, Act.PUBLISH)


def test_the_main_path_leads_from_draft_to_published():
    states = ["draft"]
    position = REACHABLE_START
    for act in PUBLISH:
        position = move(position, act)
        states.append(state_of(position))
    assert states == ["draft", "submitted", "in_review", "approved", "published"]


def test_a_change_is_reviewed_while_the_version_before_stays_in_force():
    changing = walk(*PUBLISH, Act.CHANGE)
    assert (changing.standing, state_of(changing)) == (Standing.PUBLISHED, "changing")
    submitted = walk(Act.SUBMIT, start=changing)
    assert (submitted.standing, state_of(submitted)) == (Standing.PUBLISHED, "change_review")
    assert state_of(walk(Act.ACCEPT, Act.RETURN, start=submitted)) == "changing"


def test_a_discarded_change_leaves_what_is_in_force_and_a_discarded_draft_nothing():
    assert walk(*PUBLISH, Act.CHANGE, Act.DISCARD) == walk(*PUBLISH)
    assert state_of(walk(Act.DISCARD)) == "discarded"
    assert open_acts(walk(Act.DISCARD)) == ()


def test_an_entry_is_suspended_at_once_whatever_its_copy_is_doing():
    for acts in ((), (Act.CHANGE,), (Act.CHANGE, Act.SUBMIT), (Act.CHANGE, Act.SUBMIT, Act.ACCEPT)):
        position = walk(*PUBLISH, *acts)
        suspended = move(position, Act.SUSPEND)
        assert state_of(suspended) == "suspended"
        assert move(suspended, Act.RESUME) == position


def test_a_suspended_entry_publishes_no_change_before_it_is_resumed():
    approved = walk(*PUBLISH, Act.CHANGE, Act.SUBMIT, Act.ACCEPT, Act.APPROVE)
    assert not may(move(approved, Act.SUSPEND), Act.PUBLISH)


def test_a_takedown_ends_offline_or_leaves_the_entry_as_it_was():
    published = walk(*PUBLISH)
    asked = move(published, Act.TAKEDOWN)
    assert state_of(asked) == "takedown_review"
    assert move(asked, Act.REFUSE_TAKEDOWN) == published
    assert state_of(move(asked, Act.APPROVE_TAKEDOWN)) == "offline"


def test_an_offline_entry_comes_back_only_through_review():
    offline = walk(*PUBLISH, Act.TAKEDOWN, Act.APPROVE_TAKEDOWN)
    assert set(open_acts(offline)) == {Act.CHANGE, Act.REVIEW_CONFIDENTIALITY}
    back = walk(Act.CHANGE, *PUBLISH, start=offline)
    assert state_of(back) == "published"


def test_a_recall_is_open_until_the_authority_accepts():
    assert may(walk(Act.SUBMIT), Act.RECALL)
    assert not may(walk(Act.SUBMIT, Act.ACCEPT), Act.RECALL)


@pytest.mark.parametrize("act", list(Act))
def test_an_act_that_is_not_open_is_refused_and_names_both(act):
    closed = [position for position in EVERY if not may(position, act)]
    assert closed
    for position in closed:
        with pytest.raises(IllegalMoveError) as refused:
            move(position, act)
        assert refused.value.position == position
        assert refused.value.act is act


def test_every_reachable_position_has_a_state_of_the_vocabulary():
    assert all(is_code("entry_state", state_of(position)) for position in reachable())


def test_every_act_is_open_somewhere_that_can_be_reached():
    open_somewhere = {act for position in reachable() for act in open_acts(position)}
    assert open_somewhere == set(Act) == set(STEPS)


def test_nothing_in_force_is_ever_without_standing_after_a_review_act():
    for position in reachable():
        for act in (Act.SUBMIT, Act.ACCEPT, Act.RETURN, Act.APPROVE, Act.RECALL):
            if may(position, act):
                assert move(position, act).standing is position.standing
