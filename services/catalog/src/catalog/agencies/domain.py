"""Rules of agencies: names compared, and which of this node's agencies a foreign name means."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_MIN_CORE = 3


def name_key(name: str) -> str:
    """Return a name in the form in which two are compared: NFKC, case folded, without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


@dataclass(frozen=True, slots=True)
class OwnAgency:
    """An agency of this node as far as names matter."""

    org_id: str
    name: str
    short_name: str = ""


def core_name(name: str, places: Iterable[str]) -> str:
    """Return what is left of a name without the place in front: ``应急管理局``.

    ``places`` are names of regions; a place's name without its last character counts too, as in
    ``海丰应急管理局``.
    """
    core = name_key(name)
    known = {form for place in places for form in (place, place.removesuffix(place[-1:]))}
    for place in sorted((name_key(each) for each in known if len(each) > 1), key=len, reverse=True):
        if core.startswith(place) and len(core) - len(place) >= _MIN_CORE:
            return core[len(place) :]
    return core


@dataclass(frozen=True, slots=True)
class DepartmentMatcher:
    """Finds the agency of this node that a department's name in a file means."""

    by_name: Mapping[str, str]
    by_core: Sequence[tuple[str, str]]
    declared: Mapping[str, str]
    default: str | None

    def match(self, department: str) -> tuple[str | None, str]:
        """Return an agency's id and how it was found.

        ``declared`` in the import's own table, ``name`` by equal name, ``function`` by a name
        that ends with the agency's name without its place, ``default`` or ``none``.
        """
        wanted = name_key(department)
        if wanted in self.declared:
            return self.declared[wanted], "declared"
        if wanted and wanted in self.by_name:
            return self.by_name[wanted], "name"
        for core, org_id in self.by_core:
            if wanted.endswith(core):
                return org_id, "function"
        return (self.default, "default") if self.default else (None, "none")


def department_matcher(
    agencies: Iterable[OwnAgency],
    *,
    places: Sequence[str],
    declared: Mapping[str, str],
    default: str | None,
) -> DepartmentMatcher:
    """Make a matcher; longer names win, so that 市场监督管理局 is not taken for 管理局."""
    own = tuple(agencies)
    by_name = {
        name_key(name): each.org_id for each in own for name in (each.name, each.short_name) if name
    }
    cores = {core_name(each.name, places): each.org_id for each in own}
    by_core = sorted(cores.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return DepartmentMatcher(
        by_name=by_name,
        by_core=tuple(pair for pair in by_core if len(pair[0]) >= _MIN_CORE),
        declared={name_key(name): org_id for name, org_id in declared.items()},
        default=default,
    )
