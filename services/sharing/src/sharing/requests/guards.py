"""What a submission, an automatic grant and a reply are checked for; each finding names its field.

Pure functions: facts in, problems out. Guards that no article states carry ``kind="policy"``.
"""

from collections.abc import Iterable
from datetime import date

from contracts.events.base import Basis
from contracts.events.catalog import AgencyState, EntryState
from contracts.events.sharing import Finding, RefusedPart, RequestDispatched
from contracts.legal import LEVELS, any_carries
from contracts.rules import RuleSet
from kernel.problems import Invalid, ProblemError
from sharing.errors import (
    BasisLevelUnknown,
    EntryNotInForce,
    EntryUnknown,
    FieldRequired,
    ItemNotShared,
    ItemUnknown,
    NotShareable,
    OwnEntry,
    RefusalBasisMissing,
    RefusalBasisTooWeak,
    RefusalIncomplete,
    ReplyContradicts,
    RequesterUnknown,
    ReviewFailed,
    ReviewMissing,
    SystemKeyInvalid,
    TermTooLong,
    TooManyItems,
)
from sharing.keys import KeyInvalidError, check_public_jwk
from sharing.requests.domain import ShareRequest, share_kind
from sharing.requests.ports import Facts
from sharing.requests.schemas import ReplyRequest, SubmitRequest

# 使用依据、使用场景、使用范围、共享方式、使用时限: which of them are required, the rules say
_LABELS = {
    "basis": ("使用依据", "the basis of use"),
    "scene": ("使用场景", "the scene of use"),
    "scope": ("使用范围", "the scope of use"),
    "mode": ("共享方式", "the mode of sharing"),
    "term_days": ("使用时限", "the term of use"),
    "security_measures": ("安全保障措施", "the security measures"),
}


def raise_all(problems: list[ProblemError]) -> None:
    """Raise one problem as itself and several as a list; return when there are none."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Invalid(problems)


def check_submission(command: SubmitRequest, facts: Facts, *, node: str, rules: RuleSet) -> None:
    """Raise what stands against a submission at the requester's node."""
    entry = facts.entry
    if entry is None:
        raise EntryUnknown(field="entry_id", article="第十九条第一款")
    if entry.state != "published":
        raise EntryNotInForce(field="entry_id", article="第十一条第四款", state=entry.state)
    if entry.share_type == "none":
        raise NotShareable(field="entry_id", article="第十九条第四款")
    requester = facts.requester
    if requester is None or requester.state != "active" or requester.node != node:
        raise RequesterUnknown(article="第十九条第一款")
    if requester.org_id == entry.providing_org.org_id:
        raise OwnEntry(field="entry_id", article="第十九条第一款")
    problems = [*_item_problems(command.items, entry), *_content_problems(command, rules)]
    try:
        check_public_jwk(command.system.public_jwk)
    except KeyInvalidError:
        problems.append(SystemKeyInvalid(field="system.public_jwk"))
    raise_all(problems)


def check_items(items: Iterable[str], facts: Facts) -> None:
    """Raise when an item is not in the entry as it is known here."""
    if facts.entry is None:
        raise EntryUnknown(field="entry_id", article="第十九条第一款")
    raise_all(_item_problems(items, facts.entry))


def _item_problems(items: Iterable[str], entry: EntryState) -> list[ProblemError]:
    known = {item.name_en: item for item in entry.items}
    problems: list[ProblemError] = []
    for position, name in enumerate(items):
        field = f"items.{position}"
        item = known.get(name)
        if item is None:
            problems.append(
                ItemUnknown(
                    field=field, article="第十一条第四款", position=position, version=entry.version
                )
            )
        elif item.share_type == "none" or item.secret:
            problems.append(ItemNotShared(field=field, article="第十九条第四款", position=position))
    return problems


def _content_problems(command: SubmitRequest, rules: RuleSet) -> list[ProblemError]:
    problems: list[ProblemError] = []
    for name in rules.parameter("request.required_fields"):
        if not getattr(command, name, None):
            zh, en = _LABELS.get(name, (name, name))
            problems.append(FieldRequired(field=name, kind="policy", label_zh=zh, label_en=en))
    limit = rules.integer("request.max_items")
    if len(command.items) > limit:
        problems.append(TooManyItems(field="items", kind="policy", limit=limit))
    longest = rules.integer("request.max_term_days")
    if command.term_days is not None and command.term_days > longest:
        problems.append(TermTooLong(field="term_days", kind="policy", limit=longest))
    problems += [
        BasisLevelUnknown(field=f"basis.{position}.level")
        for position, basis in enumerate(command.basis)
        if basis.level not in LEVELS
    ]
    return problems


def auto_check(
    asked: RequestDispatched,
    entry: EntryState,
    requester: AgencyState | None,
    *,
    revoked_lately: int,
    rules: RuleSet,
) -> tuple[Finding, ...]:
    """Return what keeps an unconditional request from being granted at once (SM-2a)."""
    findings: list[Finding] = []
    if not asked.purpose.strip():
        findings.append(Finding(code="purpose_missing", field="purpose"))
    if entry.state != "published":
        findings.append(Finding(code="entry_not_in_force", field="entry_id", text=entry.state))
    known = {item.name_en for item in entry.items}
    findings += [
        Finding(code="item_unknown", field=f"items.{position}")
        for position, name in enumerate(asked.items)
        if name not in known
    ]
    active = requester is not None and requester.state == "active"
    if not active or (requester is not None and requester.node != asked.requester.node):
        findings.append(Finding(code="requester_not_registered", field="requester"))
    try:
        check_public_jwk(asked.system.public_jwk)
    except KeyInvalidError:
        findings.append(Finding(code="system_key_invalid", field="system.public_jwk"))
    if rules.gate("good_standing").enabled and revoked_lately:
        findings.append(Finding(code="good_standing", text="policy"))
    return tuple(findings)


def check_reply(
    request: ShareRequest, command: ReplyRequest, entry: EntryState, *, rules: RuleSet, on: date
) -> None:
    """Raise what stands against a reply: narrowing without basis (G7), no review (G16)."""
    askable = _askable(request, entry)
    granted = _granted(command, askable)
    problems: list[ProblemError] = []
    if command.outcome != "refused" and share_kind(entry, granted) == "none":
        problems.append(NotShareable(field="outcome", article="第十九条第四款"))
    problems += _contradictions(command, askable, granted)
    problems += _unrefused(request, command, askable, granted)
    parts = [part.to_part() for part in command.refused]
    problems += _basis_problems(parts, rules, on)
    if command.outcome != "refused":
        problems += _review_problems(request, granted, rules)
    raise_all(problems)


def _askable(request: ShareRequest, entry: EntryState) -> tuple[str, ...]:
    """The asked items that the version in force at receipt has (G17); others bind nobody."""
    known = {item.name_en for item in entry.items}
    return tuple(name for name in request.asked.items if name in known)


def granted_items(
    command: ReplyRequest, request: ShareRequest, entry: EntryState
) -> tuple[str, ...]:
    """Return what a reply grants: an agreement that names no items grants all that bind."""
    return _granted(command, _askable(request, entry))


def _granted(command: ReplyRequest, askable: tuple[str, ...]) -> tuple[str, ...]:
    if command.outcome == "refused":
        return ()
    return command.granted_items or (askable if command.outcome == "agreed" else ())


def _contradictions(
    command: ReplyRequest, askable: tuple[str, ...], granted: tuple[str, ...]
) -> list[ProblemError]:
    problems: list[ProblemError] = []
    stray = [name for name in granted if name not in askable]
    if stray:
        problems.append(ReplyContradicts(field="granted_items", article="第十一条第四款"))
    if command.outcome == "agreed" and command.refused:
        problems.append(ReplyContradicts(field="outcome"))
    if command.outcome == "refused" and (command.granted_items or command.granted_term_days):
        problems.append(ReplyContradicts(field="granted_items"))
    if command.outcome == "agreed_partly" and not (granted and command.refused):
        problems.append(ReplyContradicts(field="granted_items" if not granted else "refused"))
    if command.outcome == "agreed_partly" and any(p.part == "all" for p in command.refused):
        problems.append(ReplyContradicts(field="refused"))
    refused = {part.name for part in command.refused if part.part == "item"}
    if refused & set(granted):
        problems.append(ReplyContradicts(field="refused"))
    return problems


def _unrefused(
    request: ShareRequest,
    command: ReplyRequest,
    askable: tuple[str, ...],
    granted: tuple[str, ...],
) -> list[ProblemError]:
    """Whatever is asked and not granted must stand among the refused parts."""
    parts = {part.part for part in command.refused}
    if "all" in parts:
        return []
    named = {part.name for part in command.refused if part.part == "item"}
    open_items = [name for name in askable if name not in granted and name not in named]
    problems: list[ProblemError] = [
        RefusalIncomplete(field="refused", article="第十九条第三款", part=name)
        for name in open_items
    ]
    term = command.granted_term_days
    if term is not None and term > request.asked.term_days:
        problems.append(ReplyContradicts(field="granted_term_days"))
    if term is not None and term < request.asked.term_days and "period" not in parts:
        problems.append(
            RefusalIncomplete(field="refused", article="第十九条第三款", part="term_days")
        )
    if command.outcome == "refused" and not command.refused:
        problems.append(RefusalBasisMissing(field="refused", article="第十九条第三款"))
    return problems


def _basis_problems(parts: list[RefusedPart], rules: RuleSet, on: date) -> list[ProblemError]:
    gate = rules.gate("G7")
    problems: list[ProblemError] = []
    for position, part in enumerate(parts):
        field = f"refused.{position}.basis"
        if not part.basis:
            problems.append(RefusalBasisMissing(field=field, article=gate.citation))
        elif not any_carries(part.basis, gate, on=on):
            problems.append(
                RefusalBasisTooWeak(field=field, article=gate.citation, level=_levels(part.basis))
            )
    return problems


def _levels(bases: Iterable[Basis]) -> str:
    return ", ".join(sorted({basis.level if basis.level in LEVELS else "?" for basis in bases}))


def _review_problems(
    request: ShareRequest, granted: tuple[str, ...], rules: RuleSet
) -> list[ProblemError]:
    gate = rules.gate("G16")
    if not gate.enabled:
        return []
    review = request.review
    results = {} if review is None else {each.item: each.passed for each in review.results}
    if any(name not in results for name in granted):
        return [ReviewMissing(field="outcome", article=gate.citation)]
    return [
        ReviewFailed(field="granted_items", article=gate.citation, item=name)
        for name in granted
        if not results[name]
    ]
