"""Names and labels of a printable filing document, from rules and registry."""

from contracts.authority import load_matrix
from contracts.rules import UnknownRuleError
from kernel.web import Edge
from notify.desk import authority_of
from notify.filings.document import FilingDocument, compose
from notify.filings.domain import Filing

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


async def document_of(edge: Edge, filing: Filing) -> FilingDocument:
    """Compose the document of a filing under the rules that it was filed under."""
    rules = edge.rules.versions.get(filing.rule_version, edge.rules.current)
    try:
        title = rules.filing(filing.rule).title_zh
    except UnknownRuleError:
        title = f"备案 {filing.rule}"
    if filing.external:
        receiver = load_matrix().parties["authority_province"]["zh"]
    else:
        receiver = (await authority_of(edge.tx.connection, edge.runtime)).name
    return compose(filing, title=title, receiver=receiver, labels=_LABELS)
