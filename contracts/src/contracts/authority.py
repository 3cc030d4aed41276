"""Who decides, who is filed with, who is told, who is escalated to: the matrix as data.

本级, 同级, 上一级 and 市 are different things: parties are named relative to an organisation and
turned into nodes here, with the addressees that the rule set in force names.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from contracts.regions import Level, RegionTable
from contracts.resources import packaged_yaml
from contracts.rules import FilingRule, ReceiverLevel, RelationCode, RequestKind, RuleSet


class NoAuthorityError(LookupError):
    """The matrix lists nobody for this act, kind of organisation and level."""


class RelationOutsideError(ValueError):
    """The requester is outside this platform, so the relation is not ours to resolve."""


class Relation(BaseModel):
    """What requester and source are to each other, and who settles their dispute (Article 34).

    ``relation`` is the code that events carry, ``name`` the row of the table. ``dispute`` lists
    parties in order; ``to_confirm`` marks a reading that the legal office has not confirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    relation: RelationCode
    requester: Level
    source: Level | None = None
    same_region: bool = False
    other_city: bool = False
    dispute: tuple[str, ...]
    to_confirm: bool = False


class FilingTarget(NamedTuple):
    """One filing of one request: under which rule, at whose desk.

    ``external`` marks a receiver outside the platform; ``receiver_node`` is then the filer's own
    node, whose desk keeps the document until a clerk enters the external number.
    """

    rule: str
    name: str
    article: str
    party: str
    receiver_node: str
    receiver_level: ReceiverLevel
    external: bool


class PartyTarget(NamedTuple):
    """A relative party as a node; ``node`` is ``None`` when the party follows from the case.

    ``kinds`` are the kinds of organisation that the office may be, the fitting one first; an
    ``external`` party is outside the platform and nobody there can be told by an event.
    """

    party: str
    node: str | None
    external: bool
    kinds: tuple[str, ...] = ()


class MatrixRow(BaseModel):
    """One row of the matrix, before parties and rules are resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    act: str
    organisation: str
    level: tuple[Level, ...]
    decides: str
    decides_if_appointed: str | None = None
    filed_with: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    escalated_by: tuple[str, ...] = ()
    article: str
    kind: Literal["law", "policy"] = "law"


class Decision(BaseModel):
    """A row of the matrix with the addressees of one rule set."""

    model_config = ConfigDict(frozen=True)

    row: MatrixRow
    filings: tuple[FilingRule, ...]
    escalation: tuple[str, ...]


class Matrix(BaseModel):
    """The whole matrix; default deny.

    ``parties`` labels every party, ``party_kinds`` tells which kinds of organisation an office may
    be, so that a message finds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    groups: Mapping[str, tuple[str, ...]]
    parties: Mapping[str, Mapping[str, str]]
    party_kinds: Mapping[str, tuple[str, ...]]
    acts: tuple[MatrixRow, ...]

    def group_of(self, organisation_kind: str) -> str:
        """Return the group (``agency``, ``authority`` …) of a kind of organisation."""
        for group, kinds in self.groups.items():
            if organisation_kind == group or organisation_kind in kinds:
                return group
        raise NoAuthorityError(f"kind of organisation {organisation_kind!r} is in no group")

    def row(self, act: str, organisation_kind: str, *, level: Level) -> MatrixRow:
        """Return the row; raises ``NoAuthorityError`` when nobody is listed."""
        group = self.group_of(organisation_kind)
        for row in self.acts:
            if row.act == act and row.organisation == group and level in row.level:
                return row
        raise NoAuthorityError(f"nobody is listed for {act} of {organisation_kind} at {level}")

    def decision(
        self, act: str, organisation_kind: str, *, level: Level, rules: RuleSet
    ) -> Decision:
        """Return who decides, is filed with, is told and is escalated to under a rule set."""
        row = self.row(act, organisation_kind, level=level)
        steps = [step for key in row.escalated_by for step in rules.deadline(key).escalation]
        return Decision(
            row=row,
            filings=tuple(rules.filing(key) for key in row.filed_with),
            escalation=tuple(dict.fromkeys(steps)),
        )


@cache
def load_matrix() -> Matrix:
    """Return the packaged matrix."""
    return Matrix.model_validate(packaged_yaml("authority/matrix.yaml"))


@cache
def load_relations() -> tuple[Relation, ...]:
    """Return the packaged table of relations."""
    document: dict[str, Any] = packaged_yaml("authority/relations.yaml")
    return tuple(Relation.model_validate(row) for row in document["relations"])


def resolve_relation(
    requester_region: str, source_region: str, *, regions: RegionTable
) -> Relation:
    """Return what the two are to each other.

    Raises ``UnknownRegionError`` for an unknown code and ``RelationOutsideError`` when the
    requester is outside the platform.
    """
    requester_node = regions.node_of(requester_region)
    if requester_node is None:
        raise RelationOutsideError(f"{requester_region} is outside this platform")
    requester, source = regions.level(requester_region), regions.level(source_region)
    same = requester_node == regions.node_of(source_region)
    other_city = regions.is_outside(source_region) and source != "province"
    for row in load_relations():
        if row.requester != requester or row.other_city != other_city:
            continue
        if other_city or (row.source == source and row.same_region == same):
            return row
    raise NoAuthorityError(f"no relation between {requester_region} and {source_region}")


def resolve_receiver(
    level: ReceiverLevel, region: str, *, regions: RegionTable
) -> tuple[str, bool]:
    """Return the node whose desk takes a filing, and whether its addressee is outside.

    Raises ``RelationOutsideError`` when the filer itself is outside the platform.
    """
    own = regions.node_of(region)
    if own is None:
        raise RelationOutsideError(f"{region} is outside this platform")
    if level == "same":
        return own, False
    if level == "city":
        return regions.city, False
    upper = regions.upper_node(region) if level == "upper" else None
    return (own, True) if upper is None else (upper, False)


def filing_target(rule: FilingRule, region: str, *, regions: RegionTable) -> FilingTarget:
    """Return where an organisation of ``region`` files under ``rule``."""
    node, external = resolve_receiver(rule.receiver_level, region, regions=regions)
    return FilingTarget(
        rule.id, rule.name, rule.citation, rule.receiver, node, rule.receiver_level, external
    )


def resolve_filings(
    relation: Relation,
    requester_region: str,
    *,
    request_kind: RequestKind,
    rules: RuleSet,
    regions: RegionTable,
) -> tuple[FilingTarget, ...]:
    """Return the filings of a request, in the order of the rules (Article 20 ¶2)."""
    return tuple(
        filing_target(rule, requester_region, regions=regions)
        for rule in rules.filings_of("share.request.dispatched")
        if rule.applies_to(relation.relation, request_kind)
    )


def resolve_party(party: str, region: str, *, regions: RegionTable) -> PartyTarget:
    """Return the node of a party relative to an organisation of ``region``.

    Parties that follow from the case (``source``, ``requester``, ``dependents`` …) have no node.
    """
    if party in {"self", "leader", "cdo"} or party.endswith("_same_level"):
        node, external = resolve_receiver("same", region, regions=regions)
    elif party == "authority_upper_level":
        node, external = resolve_receiver("upper", region, regions=regions)
    elif party == "authority_city":
        node, external = resolve_receiver("city", region, regions=regions)
    elif party == "authority_province":
        node, external = resolve_receiver("province", region, regions=regions)
    elif party in load_matrix().parties:
        return PartyTarget(party, None, external=False)
    else:
        raise NoAuthorityError(f"party {party!r} is not in the matrix")
    return PartyTarget(party, node, external, load_matrix().party_kinds.get(party, ()))


def authority_may_decide(
    act: str, authority_node: str, *, subject_region: str, regions: RegionTable
) -> bool:
    """Tell whether the data authority of a node decides this act of an agency of a region.

    The city's authority is not a county's own-level one, so it gets no say in what the matrix
    gives to the same level.
    """
    try:
        row = load_matrix().row(act, "agency", level=regions.level(subject_region))
        target = resolve_party(row.decides, subject_region, regions=regions)
    except (NoAuthorityError, RelationOutsideError):
        return False
    is_authority = row.decides.startswith("authority_")
    return is_authority and not target.external and target.node == authority_node
