"""Values never survive in errors and logs."""

import io

import asyncpg
import orjson
import pytest
from sqlalchemy.exc import IntegrityError

from kernel.logs import make_logger
from kernel.redact import describe, mask, scrub, sqlstate

NUMBER = "990000190001010016"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"id={NUMBER}.",
        f"公民{NUMBER}号",
        "44150219000101999X",
        "990000900101001",
        "13800138000",
        "Bearer abcdefghijklmnop",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI5OTAwMDAxOTAwMDEwMTAwMTYifQ.c2ln",
    ],
)
def test_personal_numbers_and_tokens_are_masked(text: str) -> None:
    masked = mask(text)
    assert "***" in masked
    assert NUMBER not in masked
    assert "eyJ" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "01a2109d-8541-7000-ac5d-462fef515a18",
        "f0b65606315d48f36d97001badd04b2a",
        "sharing.441581.v1",
        "2026-11-25T02:51:28.449494Z",
        "114415210000000011",
    ],
)
def test_identifiers_of_ours_stay_readable(text: str) -> None:
    # an organisation number has 18 digits too; it is masked, because a log cannot tell them apart
    assert mask(text) == (text if len(text) != 18 else "***")


def database_error() -> IntegrityError:
    cause = asyncpg.UniqueViolationError(f"duplicate key {NUMBER}")
    cause.sqlstate = "23505"
    cause.detail = f"Key (citizen)=({NUMBER}) already exists."
    cause.constraint_name = "uq_people_citizen"
    outer = IntegrityError("INSERT …", {"citizen": NUMBER}, cause)
    outer.__cause__ = cause
    return outer


def test_a_scrubbed_database_error_tells_class_state_and_constraint_and_no_value() -> None:
    error = database_error()
    assert NUMBER in str(error)
    scrub(error)
    shown = f"{error} {error.orig} {error.__cause__} {vars(error)} {vars(error.orig)}"
    assert NUMBER not in shown
    assert "uq_people_citizen" in shown
    assert sqlstate(error) == "23505"


def failing(number: str) -> None:
    raise KeyError(f"no person {number}")


def test_a_log_line_describes_an_error_without_its_message() -> None:
    out = io.StringIO()
    logger = make_logger(stream=out, node="441521")
    try:
        failing(NUMBER)
    except KeyError as error:
        logger.warning("failed", exc_info=error, number=int(NUMBER), near=[NUMBER])
    line = orjson.loads(out.getvalue())
    assert NUMBER not in out.getvalue()
    assert line["error"] == "KeyError"
    assert line["frames"][-1].endswith(":failing")
    assert line["near"] == ["***"]


def test_an_error_is_described_with_its_causes() -> None:
    error = database_error()
    assert describe(error)["sqlstate"] == "23505"
    assert "UniqueViolationError" in describe(error)["causes"]


def test_what_a_log_cannot_write_is_named_by_its_type() -> None:
    out = io.StringIO()
    make_logger(stream=out).warning("odd", value=object())
    assert orjson.loads(out.getvalue())["value"] == "<object>"
