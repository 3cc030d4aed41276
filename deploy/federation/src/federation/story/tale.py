"""The whole story in order, and what can be checked when it has been told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from federation.client import RefusedError
from federation.story import catalogs, fetching, proving, requesting
from federation.story.cast import Cast
from federation.story.catalogs import Scale
from federation.story.requesting import Case
from federation.story.stage import Stage


@dataclass(slots=True, kw_only=True)
class Facts:
    """What came out: answers as the services gave them, for whoever checks them."""

    cast: Cast = field(default_factory=Cast)
    published: dict[str, int] = field(default_factory=dict)
    entry_id: str = ""
    granted: Case | None = None
    submitted: Mapping[str, Any] = field(default_factory=dict)
    received: Mapping[str, Any] = field(default_factory=dict)
    filings: list[Mapping[str, Any]] = field(default_factory=list)
    replied: Mapping[str, Any] = field(default_factory=dict)
    delivered: Mapping[str, Any] = field(default_factory=dict)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    confirmed: Mapping[str, Any] = field(default_factory=dict)
    cut_off: RefusedError | None = None
    too_low: RefusedError | None = None
    refused: Mapping[str, Any] = field(default_factory=dict)
    audits: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    digests: dict[str, Mapping[str, Any]] = field(default_factory=dict)


async def tell_story(stage: Stage, *, scale: Scale = Scale.FULL, cast: Cast | None = None) -> Facts:
    """Tell everything; raises ``StoryError`` or a refusal when it does not go as it should."""
    facts = Facts(cast=cast or Cast())
    await prepare(stage, facts, scale=scale)
    await grant(stage, facts)
    await refuse(stage, facts)
    facts.audits = await proving.verify_audit(stage)
    facts.digests = await proving.digests(stage)
    return facts


async def prepare(stage: Stage, facts: Facts, *, scale: Scale) -> None:
    """Catalogues are published and the source has uploaded its data."""
    facts.published = await catalogs.publish_all(stage, scale=scale)
    facts.entry_id = await catalogs.entry_of(stage, facts.cast)
    await requesting.upload_dataset(stage, requesting.new_case(facts.cast), facts.entry_id)


async def grant(stage: Stage, facts: Facts) -> Case:
    """A request that is agreed, delivered, used and revoked."""
    case = facts.granted = requesting.new_case(facts.cast)
    await requesting.search(stage, case)
    facts.submitted = await requesting.submit(stage, case)
    facts.received = await requesting.receipt(stage, case)
    facts.filings = await requesting.filings(stage, case)
    facts.replied = await requesting.reply(stage, case)
    facts.delivered = await requesting.deliver(stage, case)
    facts.rows = await fetching.fetch_rows(stage, case)
    facts.confirmed = await fetching.confirm(stage, case)
    facts.cut_off = await fetching.revoke(stage, case)
    return case


async def refuse(stage: Stage, facts: Facts) -> Case:
    """A second request that is refused, first without ground and then with one."""
    case = requesting.new_case(facts.cast)
    await requesting.search(stage, case)
    await requesting.submit(stage, case)
    await requesting.receipt(stage, case)
    facts.too_low = await fetching.refuse_without_ground(stage, case)
    facts.refused = await fetching.refuse(stage, case)
    return case
