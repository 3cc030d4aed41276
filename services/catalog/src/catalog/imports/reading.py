"""Reads rows from a catalogue file: JSON lines or CSV, UTF-8 with or without BOM, or GB18030.

The file is looked through twice, never held whole: once for its encoding and digest, once for its
rows. gzip is read as well; what comes out counts against the same limit.
"""

import codecs
import csv
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any, Literal, cast

Form = Literal["jsonl", "csv"]
CHUNK = 1 << 20
_MAX_LINE = 4 << 20
_ENCODINGS = ("utf-8", "gb18030")
_GZIP = b"\x1f\x8b"


class UnreadableFileError(ValueError):
    """The file as a whole cannot be read; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What the first look finds: SHA-256 of the bytes, encoding, form, separator of a CSV."""

    digest: str
    encoding: str
    form: Form
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file; ``number`` counts from 1; ``error`` instead of values."""

    number: int
    values: Mapping[str, Any]
    error: str = ""


def open_file(file: IO[bytes]) -> IO[bytes]:
    """Return the content of a file, unpacked when it is gzip."""
    file.seek(0)
    magic = file.read(2)
    file.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb")) if magic == _GZIP else file


def look(file: IO[bytes], *, limit: int) -> FileFacts:
    """Return what the file is; raises ``UnreadableFileError`` (empty, too_large, encoding, gzip)."""
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)("strict") for name in _ENCODINGS}
    head, size = b"", 0
    content = open_file(file)
    try:
        while chunk := content.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise UnreadableFileError("too_large")
            digest.update(chunk)
            head = head or chunk
            _try_each(decoders, chunk, final=False)
    except (OSError, EOFError):
        raise UnreadableFileError("gzip") from None
    _try_each(decoders, b"", final=True)
    # both take plain ASCII; what UTF-8 takes is not meant as GB18030
    encoding = "utf-8-sig" if "utf-8" in decoders else "gb18030"
    text = head.decode(encoding, errors="ignore").lstrip("\ufeff \r\n\t")
    if not text:
        raise UnreadableFileError("empty")
    if text[0] in "{[":
        return FileFacts(digest=digest.hexdigest(), encoding=encoding, form="jsonl")
    return FileFacts(
        digest=digest.hexdigest(), encoding=encoding, form="csv", delimiter=_delimiter(text)
    )


def _try_each(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    for name in tuple(decoders):
        try:
            decoders[name].decode(chunk, final)
        except UnicodeDecodeError:
            del decoders[name]
    if not decoders:
        raise UnreadableFileError("encoding")


def _delimiter(text: str) -> str:
    header = text.splitlines()[0]
    return max(",\t;|", key=lambda each: (header.count(each), each == ","))


def rows(file: IO[bytes], facts: FileFacts) -> Iterator[RawRow]:
    """Yield the rows; a row that cannot be read carries its error."""
    content = open_file(file)
    text = TextIOWrapper(content, encoding=facts.encoding, newline="", errors="strict")
    try:
        yield from _json_rows(text) if facts.form == "jsonl" else _csv_rows(text, facts.delimiter)
    finally:
        # the file stays its owner's to close
        text.detach()


def _json_rows(text: TextIOWrapper) -> Iterator[RawRow]:
    number = 0
    while line := text.readline(_MAX_LINE):
        stripped = line.strip().lstrip("\ufeff").rstrip(",")
        if not stripped or stripped in "[]":
            continue
        number += 1
        if not line.endswith("\n") and len(line) >= _MAX_LINE:
            raise UnreadableFileError("line_too_long")
        try:
            values = json.loads(stripped)
        except (ValueError, RecursionError):
            yield RawRow(number, {}, "row_unreadable")
            continue
        if isinstance(values, dict):
            yield RawRow(number, values)
        else:
            yield RawRow(number, {}, "row_unreadable")


def _csv_rows(text: TextIOWrapper, delimiter: str) -> Iterator[RawRow]:
    reader = csv.reader(text, delimiter=delimiter, strict=False)
    try:
        header = [name.strip().lstrip("\ufeff") for name in next(reader, [])]
        for number, cells in enumerate(reader, 1):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                yield RawRow(number, {}, "row_too_long")
                continue
            yield RawRow(number, dict(zip(header, cells, strict=False)))
    except csv.Error:
        raise UnreadableFileError("csv") from None
