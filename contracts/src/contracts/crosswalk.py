"""Translates our codes to other systems' and back (domain §3.6); used at the edges only.

The same number means different things elsewhere: update frequency 1 is 实时 on one portal and 不定期
on another. What has no counterpart is refused, never guessed.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from contracts.resources import packaged_yaml
from contracts.vocabulary import Labels, codes


class NotMappableError(ValueError):
    """The other side has no counterpart, or several; the code may not be guessed.

    ``declared`` tells a known gap from a code that nobody has heard of.
    """

    def __init__(self, system: str, concept: str, code: str, *, declared: bool) -> None:
        super().__init__(f"{concept} {code!r} has no counterpart in or from {system}")
        self.system = system
        self.concept = concept
        self.code = code
        self.declared = declared


class UnknownCrosswalkError(KeyError):
    """No map for this system and concept."""


class CodeMap(BaseModel):
    """The map of one concept to one system; every code of ours is mapped or declared unmapped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    both: Mapping[str, str] = {}
    out: Mapping[str, str] = {}
    in_: Mapping[str, str] = {}
    ours_only: tuple[str, ...] = ()
    theirs_only: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, document: dict[str, object]) -> dict[str, object]:
        return {("in_" if key == "in" else key): value for key, value in document.items()}

    @model_validator(mode="after")
    def _one_answer_each(self) -> Self:
        if len(set(self.both.values())) != len(self.both):
            raise ValueError("a code of theirs maps back to two of ours")
        ours = [*self.both, *self.out, *self.ours_only]
        theirs = [*self.both.values(), *self.in_, *self.theirs_only]
        for found in (ours, theirs):
            if repeated := sorted({code for code in found if found.count(code) > 1}):
                raise ValueError(f"{repeated[0]} is mapped twice")
        return self

    @cached_property
    def _inverse(self) -> dict[str, str]:
        return {theirs: ours for ours, theirs in self.both.items()} | dict(self.in_)

    def to_theirs(self, code: str) -> str | None:
        return self.both.get(code) or self.out.get(code)

    def to_ours(self, code: str) -> str | None:
        return self._inverse.get(code)


class Crosswalk(BaseModel):
    """All maps, by concept (a code list of ours) and system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    systems: Mapping[str, Labels]
    maps: Mapping[str, Mapping[str, CodeMap]]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for concept, by_system in self.maps.items():
            for system, code_map in by_system.items():
                if system not in self.systems:
                    raise ValueError(f"{concept}: system {system} is not listed")
                covered = {*code_map.both, *code_map.out, *code_map.ours_only}
                if different := covered ^ set(codes(concept)):
                    raise ValueError(f"{concept} to {system} leaves open {sorted(different)}")
                if strangers := set(code_map.in_.values()) - set(codes(concept)):
                    raise ValueError(f"{concept} from {system} gives {sorted(strangers)}")
        return self

    def map(self, system: str, concept: str) -> CodeMap:
        """Return one map; raises ``UnknownCrosswalkError``."""
        try:
            return self.maps[concept][system]
        except KeyError:
            raise UnknownCrosswalkError(f"no map of {concept} for {system}") from None


@cache
def load_crosswalk() -> Crosswalk:
    """Return the packaged crosswalk."""
    return Crosswalk.model_validate(packaged_yaml("crosswalk/systems.yaml"))


def to_external(system: str, concept: str, code: str) -> str:
    """Return the other system's code for one of ours; raises ``NotMappableError``."""
    code_map = load_crosswalk().map(system, concept)
    found = code_map.to_theirs(code)
    if found is None:
        raise NotMappableError(system, concept, code, declared=code in code_map.ours_only)
    return found


def from_external(system: str, concept: str, code: str) -> str:
    """Return our code for one of the other system's; raises ``NotMappableError``."""
    code_map = load_crosswalk().map(system, concept)
    found = code_map.to_ours(code)
    if found is None:
        raise NotMappableError(system, concept, code, declared=code in code_map.theirs_only)
    return found
