"""Names and labels of a printable filing document, and the signature that proves it."""

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.authority import load_matrix
from contracts.encoding import to_base64url
from contracts.rules import RuleBook, UnknownRuleError
from kernel.bus_tables import to_sign
from notify.filings.document import FilingDocument, compose
from notify.filings.domain import Filing

PURPOSE = "filing_document"

_LABELS = {
    "same": "同级",
    "upper": "上一级",
    "city": "市级",
    "province": "省级",
    "share_request": "共享申请",
    "catalog_entry": "目录条目",
    "same_region": "同区域",
    "cross_region": "跨区域",
    "cross_level": "跨层级",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The node's signature over a document's text."""

    key_id: str
    signature: str


def document_of(filing: Filing, *, rulebook: RuleBook, authority: str) -> FilingDocument:
    """Compose a filing's document under the rules that it was filed under.

    ``authority`` is the name of the desk's own authority; a filing for outside the platform is
    addressed to the province's.
    """
    rules = rulebook.versions.get(filing.rule_version, rulebook.current)
    try:
        title = rules.filing(filing.rule).title_zh
    except UnknownRuleError:
        title = f"备案 {filing.rule}"
    receiver = load_matrix().parties["authority_province"]["zh"] if filing.external else authority
    return compose(filing, title=title, receiver=receiver, labels=_LABELS)


def _signing_id(document: FilingDocument) -> UUID:
    """The same text is signed once."""
    return uuid5(NAMESPACE_OID, f"{PURPOSE}:{document.digest}")


async def ask_signature(
    connection: AsyncConnection, document: FilingDocument, **values: Any
) -> None:
    """Ask the worker to sign a document's text."""
    row = {"id": _signing_id(document), "purpose": PURPOSE, "document": document.text.encode()}
    statement = insert(to_sign).values({**row, **values})
    await connection.execute(statement.on_conflict_do_nothing())


async def proof_of(connection: AsyncConnection, document: FilingDocument) -> Proof | None:
    """Return the signature of a document, None while it waits for it or none was asked for."""
    statement = select(to_sign.c.key_id, to_sign.c.signature).where(
        to_sign.c.id == _signing_id(document), to_sign.c.signature.is_not(None)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return Proof(key_id=row.key_id, signature=to_base64url(row.signature))
