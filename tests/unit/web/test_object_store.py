"""Files are named by their content and are whole or not there."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from kernel.attachment_routes import safe_name, sniffed
from kernel.attachments import ObjectStore
from kernel.ids import Uuid7Source
from kernel.problems import BodyTooLarge, Invalid, NotFound, UnsupportedType


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects", Uuid7Source())


def files(store: ObjectStore) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())


async def test_a_file_is_named_by_its_digest_and_stored_once(store: ObjectStore) -> None:
    first = await store.put(chunks(b"ab", b"c"), space="attachments", limit=10)
    again = await store.put_bytes(b"abc", space="attachments")
    assert first == again
    assert first.digest == sha256(b"abc").hexdigest()
    assert first.size == 3
    assert files(store) == [first.digest]
    assert await store.read(first.digest, space="attachments") == b"abc"


async def test_past_the_limit_nothing_is_left(store: ObjectStore) -> None:
    with pytest.raises(BodyTooLarge):
        await store.put(chunks(b"abcdef", b"ghijk"), space="attachments", limit=10)
    assert files(store) == []


async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await store.put(broken(), space="attachments", limit=10)
    assert files(store) == []


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64])
def test_what_is_no_digest_or_not_there_is_not_found(store: ObjectStore, digest: str) -> None:
    with pytest.raises(NotFound):
        store.path(digest, space="attachments")


@pytest.mark.parametrize("space", ["", "../x", "A", "a/b"])
def test_a_space_is_a_name_of_ours(store: ObjectStore, space: str) -> None:
    with pytest.raises(ValueError, match="object space"):
        store.path("0" * 64, space=space)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"%PDF-1.7 x", "application/pdf"),
        (b"\x89PNG\r\n\x1a\nx", "image/png"),
        (b"PK\x03\x04x", "application/zip"),
        ("依据：第十九条".encode(), "text/plain"),
        ("依据：第十九条".encode("gb18030"), "text/plain"),
        (("条" * 3000).encode()[:4096], "text/plain"),
    ],
)
def test_the_type_is_what_the_content_shows(head: bytes, media_type: str) -> None:
    assert sniffed(head) == media_type


@pytest.mark.parametrize(
    "head", [b"\x7fELF\x00", b"MZ\x90\x00", b"<html><script>", b" <svg onload=x>"]
)
def test_programs_and_pages_are_no_documents(head: bytes) -> None:
    with pytest.raises(UnsupportedType):
        sniffed(head)


def test_an_empty_file_is_refused_by_its_field() -> None:
    with pytest.raises(Invalid) as refused:
        sniffed(b"")
    assert refused.value.errors[0].field == "file"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("依据（2025）1号.pdf", "依据（2025）1号.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.doc", "y.doc"),
        ('a"\r\nSet-Cookie: x.pdf', "a_Set-Cookie_ x.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_shown_name_has_no_path_and_no_control_characters(given: str, shown: str) -> None:
    assert safe_name(given) == shown
