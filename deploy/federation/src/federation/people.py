"""Who works at the demonstration's agencies: one person a post, named by the post, no real person.

Their tokens come from the embedded issuer, where each is a registered client.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from federation.agencies import AUTHORITY, Agency, sample_agencies

#: posts at every agency: suffix of the person's id, title, roles
AGENCY_POSTS = (
    ("clerk", "经办人", ("agency_clerk",)),
    ("leader", "负责人", ("agency_leader",)),
    ("steward", "数据管理员", ("steward",)),
    ("handler", "数源经办人", ("source_handler",)),
    ("approver", "数源审核人", ("source_approver",)),
    ("confidentiality", "保密审查员", ("confidentiality_reviewer",)),
)
#: posts at a data authority besides
AUTHORITY_POSTS = (
    ("reviewer", "审核人", ("authority_reviewer",)),
    ("decider", "审定人", ("authority_approver",)),
    ("supervisor", "督办人", ("authority_supervisor",)),
    ("legal", "法制人员", ("legal_officer",)),
    ("operator", "节点运维人员", ("node_operator",)),
    ("auditor", "审计人员", ("auditor",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A post as its token names it; ``id`` is ``<organisation>.<post>``."""

    id: str
    name: str
    node: str
    organisation: str
    roles: tuple[str, ...]

    def claims(self) -> dict[str, object]:
        """Return the claims that the issuer puts into this person's tokens."""
        return {
            "subject": self.id,
            "name": self.name,
            "node": self.node,
            "organisation": self.organisation,
            "roles": list(self.roles),
        }


def people_of(agencies: Iterable[Agency]) -> tuple[Person, ...]:
    """Return everybody who works at these agencies."""
    return tuple(
        Person(
            id=f"{agency.org_id}.{post}",
            name=f"{agency.name}{title}",
            node=agency.node,
            organisation=agency.org_id,
            roles=roles,
        )
        for agency in agencies
        for post, title, roles in (
            AGENCY_POSTS + AUTHORITY_POSTS if agency.kind == AUTHORITY else AGENCY_POSTS
        )
    )


@cache
def display_names() -> dict[str, str]:
    """Return short names of the sample's organisations and people by id, for a narrow screen."""
    names = {agency.org_id: agency.short_name for agency in sample_agencies()}
    for agency in sample_agencies():
        posts = AGENCY_POSTS + AUTHORITY_POSTS if agency.kind == AUTHORITY else AGENCY_POSTS
        names |= {
            f"{agency.org_id}.{post}": f"{agency.short_name}{title}" for post, title, _ in posts
        }
        names[f"{agency.org_id}.desk"] = f"{agency.short_name}备案台"
    return names
