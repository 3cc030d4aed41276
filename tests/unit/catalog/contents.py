"""Contents and the context that they are judged in."""

from dataclasses import replace
from datetime import date
from typing import Any

from catalog.entries.checks import CheckContext
from catalog.entries.content import EntryContent
from contracts.regions import load_regions
from contracts.rules import packaged_rules

TODAY = date(2026, 2, 13)
LAW = {"level": "law", "title": "中华人民共和国个人信息保护法", "article": "第三十四条"}


def context(**changed: Any) -> CheckContext:
    found = CheckContext(
        rules=packaged_rules().current,
        regions=load_regions(),
        organisations={"a", "b", "far"},
        own={"a", "b"},
        node="441521",
        today=TODAY,
    )
    return replace(found, **changed)


def content(**changed: Any) -> EntryContent:
    """A complete unconditional entry; ``changed`` replaces fields."""
    fields: dict[str, Any] = {
        "title": "危险化学品经营许可证",
        "abstract": "证书编号、企业名称",
        "category_path": "3/07",
        "data_form": "table",
        "resource_format": ["database"],
        "collecting_org": "a",
        "verifying_org": "a",
        "providing_org": "a",
        "steward": "管理员",
        "contact_name": "办公室",
        "contact_phone": "0660-0000000",
        "region_code": "441521",
        "share_type": "unconditional",
        "share_scope": "all_agencies",
        "share_mode": "platform",
        "share_channel": ["api"],
        "open_attr": "open",
        "update_frequency": "monthly",
        "data_grade": "general",
        "security_level": 1,
        "contains_secret": False,
        "pi_declared": True,
        "net_type": "government_extranet",
        "ingest_channel": "file",
        "items": [{"name_cn": "编号", "name_en": "no", "data_type": "C", "length": 30}],
    }
    return EntryContent.model_validate({**fields, **changed})
