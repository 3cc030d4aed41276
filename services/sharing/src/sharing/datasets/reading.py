"""Reads a CSV file in UTF-8 (with or without BOM) or GB18030, a batch of rows at a time."""

import codecs
import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, Self

Encoding = Literal["utf-8", "utf-8-sig", "gb18030"]
_CHUNK = 1 << 20


class UnreadableError(ValueError):
    """The file is no CSV text; ``reason`` is a code and ``line`` where it was seen, if known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def detect(path: Path) -> Encoding:
    """Return the file's encoding; raises ``UnreadableError``.

    UTF-8 is tried first: hardly any GB18030 text of some length is valid UTF-8 by chance.
    """
    candidates: dict[Encoding, codecs.IncrementalDecoder] = {
        name: codecs.getincrementaldecoder(name)("strict") for name in ("utf-8", "gb18030")
    }
    with path.open("rb") as stream:
        first = stream.read(_CHUNK)
        if not first:
            raise UnreadableError("empty")
        if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise UnreadableError("encoding")
        chunk = first
        while True:
            for name in list(candidates):
                try:
                    candidates[name].decode(chunk, final=not chunk)
                except UnicodeDecodeError:
                    del candidates[name]
            if not chunk:
                break
            chunk = stream.read(_CHUNK)
    if "utf-8" in candidates:
        return "utf-8-sig" if first.startswith(codecs.BOM_UTF8) else "utf-8"
    if "gb18030" in candidates:
        return "gb18030"
    raise UnreadableError("encoding")


class CsvFile:
    """An open CSV file: its header, then its rows. Use as a context manager."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._stream = path.open(encoding=encoding, newline="", errors="strict")
        self._reader = csv.reader(self._stream, strict=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def header(self) -> list[str]:
        """Return the first line's fields; raises ``UnreadableError``."""
        found = self.rows(1)
        if not found or not any(name.strip() for name in found[0]):
            raise UnreadableError("header")
        return found[0]

    def rows(self, limit: int) -> list[list[str]]:
        """Return at most ``limit`` rows, none at the end; blank lines are left out."""
        try:
            return list(islice(self._filled(), limit))
        except csv.Error:
            raise UnreadableError("csv", self._reader.line_num) from None
        except UnicodeDecodeError:
            raise UnreadableError("encoding", self._reader.line_num) from None

    def _filled(self) -> Iterator[list[str]]:
        return (row for row in self._reader if row)
