"""The printable filing document (备案文书) for a receiver outside the platform.

The text is the document: its SHA-256 is printed under the HTML page and is what a receiver
compares. It holds the case's facts only, never its state: the same facts always have the same text.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from contracts.events.base import Basis
from notify.filings.domain import Filing


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingDocument:
    """Title, labelled lines in order, the canonical text and its SHA-256 in hexadecimal."""

    title: str
    lines: tuple[tuple[str, str], ...]
    text: str
    digest: str


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _basis_line(basis: Basis) -> str:
    number = f"（{basis.number}）" if basis.number else ""
    return _one_line(f"《{basis.title}》{number}{basis.article} {basis.text}")


def compose(
    filing: Filing, *, title: str, receiver: str, labels: Mapping[str, str]
) -> FilingDocument:
    """Compose the document.

    ``title`` is the name of the filing rule, ``receiver`` the addressee, ``labels`` the Chinese
    labels of the codes in ``relation``, ``receiver_level`` and ``subject_kind``.
    """
    facts = [
        ("备案号", filing.filing_no),
        ("报送轮次", str(filing.round)),
        ("规则", f"{filing.rule}（{filing.rule_version}）"),
        ("条款", filing.article),
        ("报备机构", filing.filer.name),
        ("统一社会信用代码", filing.filer.uscc or "—"),
        ("备案机关", receiver),
        ("备案层级", labels.get(filing.receiver_level, filing.receiver_level)),
        ("事项类型", labels.get(filing.subject_kind, filing.subject_kind)),
        ("事项编号", filing.subject_no),
        ("事项名称", filing.subject_title),
        ("相对机构", filing.counterpart.name if filing.counterpart else "—"),
        ("关系", labels.get(filing.relation, filing.relation) or "—"),
        ("摘要", filing.summary),
        *((f"依据{place}", _basis_line(basis)) for place, basis in enumerate(filing.basis, 1)),
        ("报送时间", filing.submitted_at),
        ("收到时间", filing.received_at.isoformat()),
    ]
    lines = tuple((label, _one_line(value)) for label, value in facts)
    text = "\n".join([title, *(f"{label}：{value}" for label, value in lines)]) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return FilingDocument(title=title, lines=lines, text=text, digest=digest)


_STYLE = (
    "body{font-family:serif;margin:3cm 2.5cm}h1{text-align:center;font-size:1.4rem}"
    "table{width:100%;border-collapse:collapse}th,td{border:1px solid #000;padding:.4rem;"
    "text-align:left;vertical-align:top}th{width:9rem;font-weight:normal}"
    ".receipt td{height:2.2rem}footer{font-size:.8rem;margin-top:1rem;word-break:break-all}"
)


def to_html(document: FilingDocument, *, proof: str = "") -> str:
    """Return a page for printing, with fields for the receiver's own number and seal.

    ``proof`` is the line that names key and signature.
    """
    rows = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
        for label, value in document.lines
    )
    receipt = "".join(
        f"<tr><th>{label}</th><td></td></tr>" for label in ("外部备案号", "签收日期", "签章")
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(document.title)}</h1><table>{rows}</table>"
        f'<table class="receipt">{receipt}</table>'
        f"<footer>SHA-256 {document.digest}<br>{escape(proof)}</footer></body></html>"
    )
