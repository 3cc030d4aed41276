"""What is read of a request before anything is decided."""

from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from kernel.arrival import Arrival, preferred_language, read_body
from kernel.problems import BodyTooLarge, BodyUnreadable


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, de;q=0.5", "zh"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0.2, zh;q=0.3", "zh"),
        ("en;q=x, zh", "zh"),
        ("*", "zh"),
        ("EN", "en"),
    ],
)
def test_the_answer_is_chinese_unless_english_is_preferred(header: str, language: str) -> None:
    assert preferred_language(header) == language


def arrival(*headers: tuple[bytes, bytes]) -> Arrival:
    return Arrival({"headers": list(headers), "client": ("10.0.0.7", 1)})


def test_only_known_headers_are_kept_and_the_first_of_two_counts() -> None:
    found = arrival((b"idempotency-key", b"a"), (b"idempotency-key", b"b"), (b"cookie", b"secret"))
    assert found.text(b"idempotency-key") == "a"
    assert found.text(b"cookie") is None
    assert found.source == "10.0.0.7"


def test_an_announced_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(BodyTooLarge) as refused:
        arrival((b"content-length", b"11")).check_length(10)
    assert refused.value.values == {"limit": 10}
    arrival((b"content-length", b"10")).check_length(10)


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"0x10"])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        arrival((b"content-length", length)).check_length(10)


def request_of(*chunks: bytes, lost: bool = False) -> tuple[Request, list[int]]:
    waiting = list(chunks)
    read: list[int] = []

    async def receive() -> dict[str, Any]:
        if lost and not waiting:
            return {"type": "http.disconnect"}
        chunk = waiting.pop(0)
        read.append(len(chunk))
        return {"type": "http.request", "body": chunk, "more_body": lost or bool(waiting)}

    return Request({"type": "http", "headers": []}, receive), read


async def test_a_body_without_announced_length_is_cut_off_at_the_limit() -> None:
    request, read = request_of(b"x" * 6, b"x" * 6, b"x" * 6)
    with pytest.raises(BodyTooLarge):
        await read_body(request, 10)
    assert read == [6, 6]


async def test_a_read_body_stays_with_the_request() -> None:
    request, _ = request_of(b"ab", b"cd")
    assert await read_body(request, 10) == b"abcd"
    assert await request.body() == b"abcd"


async def test_a_caller_who_hangs_up_ends_the_reading() -> None:
    request, _ = request_of(b"ab", lost=True)
    with pytest.raises(ClientDisconnect):
        await read_body(request, 10)
