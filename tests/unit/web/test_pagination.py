"""Cursors come back as they went out, and rubbish is refused by name."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pagination import PageRequest, decode_cursor, encode_cursor, make_page
from kernel.problems import CursorInvalid


@given(st.text(max_size=40), st.integers(-(2**53), 2**53), st.uuids())
def test_a_cursor_comes_back_as_it_went_out(text: str, number: int, made: UUID) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    cursor = encode_cursor(text, number, made)
    assert decode_cursor(cursor, str, int, UUID) == (text, number, made)


@given(st.text(max_size=60))
def test_rubbish_is_a_cursor_problem_and_nothing_else(text: str) -> None:
    try:
        values = decode_cursor(text, UUID, int)
    except CursorInvalid:
        return
    assert len(values) == 2


@pytest.mark.parametrize("cursor", [encode_cursor("x"), encode_cursor("x", 1, 2), "W10", "e30"])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid) as refused:
        decode_cursor(cursor, UUID)
    assert refused.value.field == "cursor"


def test_one_row_too_many_makes_a_next_page() -> None:
    page = make_page([1, 2, 3], PageRequest(limit=2), item=str, key=lambda row: (row,))
    assert page.items == ["1", "2"]
    assert page.next is not None
    assert PageRequest(cursor=page.next).after(int) == (2,)


def test_the_last_page_has_no_next() -> None:
    page = make_page([1, 2], PageRequest(limit=2), item=str, key=lambda row: (row,))
    assert page.next is None
    assert make_page([], PageRequest(limit=2), item=str, key=lambda row: (row,)).items == []
    assert PageRequest().after(int) is None
