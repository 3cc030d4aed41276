"""Code lists with labels in both languages, as data.

Codes of ours are strings and stay inside the federation; codes of other systems are translated at
the edges by ``contracts.crosswalk``. ``recognise`` reads the texts that real catalogues use.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.resources import data_path, read_yaml

LANGUAGES = ("zh", "en")


class UnknownCodeError(KeyError):
    """A list or code that the vocabulary does not hold."""


class Labels(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def text(self, language: str) -> str:
        """Return the label; any language that is not Chinese reads the English one."""
        return self.zh if language.lower().startswith("zh") else self.en


class Code(Labels):
    """One code; ``spellings`` are other texts that mean it."""

    spellings: tuple[str, ...] = ()


class CodeList(BaseModel):
    """One list of codes, in the order of the data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Labels
    article: str = ""
    codes: Mapping[str, Code] = Field(min_length=1)

    @cached_property
    def _readings(self) -> dict[str, str]:
        readings: dict[str, str] = {}
        for name, code in self.codes.items():
            for text in {plain(each) for each in (name, code.zh, *code.spellings)}:
                if readings.setdefault(text, name) != name:
                    raise ValueError(f"{text!r} would mean both {readings[text]} and {name}")
        return readings

    @model_validator(mode="after")
    def _no_text_means_two_codes(self) -> Self:
        _ = self._readings
        return self

    def recognise(self, text: str) -> str | None:
        """Return the code that a text means, ``None`` when it means none."""
        return self._readings.get(plain(text))


class Vocabulary(BaseModel):
    """All code lists."""

    model_config = ConfigDict(frozen=True)

    lists: Mapping[str, CodeList]

    def codes(self, name: str) -> tuple[str, ...]:
        """Return the codes of a list in order; raises ``UnknownCodeError``."""
        return tuple(self.list(name).codes)

    def list(self, name: str) -> CodeList:
        """Return a list; raises ``UnknownCodeError``."""
        try:
            return self.lists[name]
        except KeyError:
            raise UnknownCodeError(f"no code list {name!r}") from None

    def label(self, name: str, code: str, language: str) -> str:
        """Return a code's label; raises ``UnknownCodeError``."""
        found = self.list(name).codes.get(code)
        if found is None:
            raise UnknownCodeError(f"list {name} holds no code {code!r}")
        return found.text(language)


def plain(text: str) -> str:
    """Return a text in the form in which spellings are compared: NFKC, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def read_vocabulary(directory: Path) -> Vocabulary:
    """Read every file of a directory; a list may stand in one file only."""
    lists: dict[str, CodeList] = {}
    for path in sorted(directory.glob("*.yaml")):
        for name, document in read_yaml(path).items():
            if name in lists:
                raise ValueError(f"{path.name}: code list {name} is declared twice")
            lists[name] = CodeList.model_validate(document)
    return Vocabulary(lists=lists)


@cache
def load_vocabulary() -> Vocabulary:
    """Return the packaged vocabulary."""
    return read_vocabulary(data_path("vocabulary"))


def codes(name: str) -> tuple[str, ...]:
    """Return the codes of a packaged list; raises ``UnknownCodeError``."""
    return load_vocabulary().codes(name)


def is_code(name: str, code: str) -> bool:
    """Tell whether a packaged list holds the code; raises ``UnknownCodeError`` for the list."""
    return code in load_vocabulary().list(name).codes


def label(name: str, code: str, language: str) -> str:
    """Return the label of a packaged code; raises ``UnknownCodeError``."""
    return load_vocabulary().label(name, code, language)


def recognise(name: str, text: str) -> str | None:
    """Return the packaged code that a catalogue's text means, ``None`` when it means none."""
    return load_vocabulary().list(name).recognise(text)


def is_absent(text: str) -> bool:
    """Tell whether a catalogue's text stands for an absent value."""
    return not plain(text) or recognise("absent", text) is not None
