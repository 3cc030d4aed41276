"""What an error means to the consumer, by SQLSTATE."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from kernel.failures import Meaning, read_failure
from kernel.handlers import NotYet, Poison


def of(state: str) -> Exception:
    error = asyncpg.PostgresError("values that nobody may see")
    error.sqlstate = state
    return error


@pytest.mark.parametrize(
    "state", ["08006", "25006", "40001", "40P01", "53100", "53300", "55P03", "57P01", "58030"]
)
def test_a_database_that_cannot_answer_is_not_the_events_fault(state: str) -> None:
    assert read_failure(of(state)).meaning is Meaning.AWAY


@pytest.mark.parametrize("state", ["22001", "22P02", "23502", "23505", "23514", "42703", "XX000"])
def test_what_the_database_refuses_of_an_event_is_poison(state: str) -> None:
    failure = read_failure(of(state))
    assert failure.meaning is Meaning.DEAD
    assert failure.sqlstate == state


def test_a_missing_row_that_is_referred_to_waits() -> None:
    assert read_failure(of("23503")).meaning is Meaning.WAIT


def test_a_handler_that_goes_on_after_a_failed_statement_is_poison_not_an_outage() -> None:
    assert read_failure(of("25P02")).meaning is Meaning.DEAD


def test_the_sqlstate_is_found_below_the_wrapping_error() -> None:
    wrapped = IntegrityError("INSERT", {}, of("23503"))
    assert read_failure(wrapped).meaning is Meaning.WAIT


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        DBAPIError("SELECT", {}, RuntimeError(), connection_invalidated=True),
    ],
)
def test_a_lost_connection_is_an_outage(error: Exception) -> None:
    assert read_failure(error).meaning is Meaning.AWAY


def test_what_handlers_say_themselves() -> None:
    assert read_failure(NotYet("entry_unknown")) == (Meaning.WAIT, "entry_unknown", "")
    assert read_failure(Poison("not_ours")) == (Meaning.DEAD, "not_ours", "")


def test_a_bug_in_a_handler_is_named_by_its_class_only() -> None:
    failure = read_failure(KeyError("990000190001010016"))
    assert failure == (Meaning.DEAD, "KeyError", "")
