"""The field set as a table: label, what asks for the field, and its code list."""

from typing import NamedTuple

ART_11 = "第十一条第四款"
GUIDE = "第十一条第二款"


class FieldSpec(NamedTuple):
    """One field: labels, the article that asks for it, and the vocabulary list of its codes.

    ``mandatory`` fields must be stated before submission: the ten contents of Article 11 ¶4, and
    what the catalogue guide, which Article 11 ¶2 refers to, asks for.
    """

    zh: str
    en: str
    article: str = GUIDE
    codes: str = ""
    mandatory: bool = False


SPECS: dict[str, FieldSpec] = {
    "title": FieldSpec("目录名称", "title", mandatory=True),
    "abstract": FieldSpec("共享内容（摘要）", "abstract", ART_11, mandatory=True),
    "keywords": FieldSpec("关键字", "keywords"),
    "category_path": FieldSpec("信息资源分类", "category", mandatory=True),
    "theme": FieldSpec("主题领域", "theme"),
    "data_domain": FieldSpec("数据所属领域", "data domain", codes="data_domain"),
    "data_form": FieldSpec("数据形式", "data form", ART_11, "data_form", mandatory=True),
    "resource_format": FieldSpec(
        "信息资源格式", "resource format", GUIDE, "resource_format", mandatory=True
    ),
    "temporal_start": FieldSpec("数据时间范围（起）", "first day covered"),
    "temporal_end": FieldSpec("数据时间范围（止）", "last day covered"),
    "data_region": FieldSpec("数据区域范围", "region covered", codes="data_region"),
    "data_level": FieldSpec("数据所属层级", "level of the data", codes="data_level"),
    "processing_level": FieldSpec("数据加工程度", "degree of processing", codes="processing_level"),
    "data_kind": FieldSpec("基础信息分类", "what the data is about", codes="data_kind"),
    "related_codes": FieldSpec("关联资源代码", "related resource codes"),
    "source_system": FieldSpec("来源信息系统", "source system"),
    "source_system_level": FieldSpec(
        "来源信息系统层级", "level of the source system", codes="system_level"
    ),
    "collecting_org": FieldSpec("采集部门", "collecting department", ART_11, mandatory=True),
    "verifying_org": FieldSpec("核准部门", "verifying department", ART_11, mandatory=True),
    "providing_org": FieldSpec("提供部门", "providing department", ART_11, mandatory=True),
    "source_org_decision": FieldSpec(
        "数源部门认定文件", "decision on the source department", "第十五条"
    ),
    "steward": FieldSpec("编制责任人", "steward", "第七条第一项", mandatory=True),
    "contact_name": FieldSpec("联系人", "contact", "第七条第一项", mandatory=True),
    "contact_phone": FieldSpec("联系电话", "contact phone", "第七条第一项", mandatory=True),
    "region_code": FieldSpec("行政区划", "region", mandatory=True),
    "function_basis": FieldSpec("职能依据", "function basis", "第十五条"),
    "service_item_code": FieldSpec("事项编码", "service item codes"),
    "share_type": FieldSpec("共享类型", "share type", ART_11, "share_type", mandatory=True),
    "share_condition": FieldSpec("共享条件", "share condition", "第十四条第一款"),
    "share_basis": FieldSpec("共享依据、不予共享依据", "basis", "第十四条"),
    "share_scope": FieldSpec("共享范围", "share scope", ART_11, "share_scope", mandatory=True),
    "share_scope_orgs": FieldSpec("指定共享机构", "named agencies", ART_11),
    "share_mode": FieldSpec("共享方式", "share mode", GUIDE, "share_mode", mandatory=True),
    "share_channel": FieldSpec("共享通道", "share channel", GUIDE, "share_channel", mandatory=True),
    "permitted_use": FieldSpec("使用用途要求", "permitted use", codes="permitted_use"),
    "default_term_days": FieldSpec("使用期限", "default term"),
    "open_attr": FieldSpec("开放属性", "open attribute", ART_11, "open_attr", mandatory=True),
    "open_condition": FieldSpec("开放条件", "open condition", "第二十一条"),
    "open_basis": FieldSpec("有条件开放、不予开放依据", "basis of not opening", "第二十一条"),
    "open_owner": FieldSpec("开放责任人", "responsible for opening", "第二十二条第四款"),
    "licence": FieldSpec("开放许可", "licence"),
    "update_frequency": FieldSpec(
        "更新频率", "update frequency", ART_11, "update_frequency", mandatory=True
    ),
    "update_frequency_text": FieldSpec("更新频率说明", "update frequency in words", ART_11),
    "data_updated_at": FieldSpec("最近更新时间", "last update", "第十二条第二款"),
    "record_count": FieldSpec("数据量", "records"),
    "sync_mode": FieldSpec("数据归集机制", "way of synchronisation", codes="sync_mode"),
    "data_grade": FieldSpec("数据分级", "data grade", "第十条", "data_grade", mandatory=True),
    "security_level": FieldSpec("安全级别", "security level", "第十条", mandatory=True),
    "contains_secret": FieldSpec(
        "是否涉及国家秘密、工作秘密", "state or work secrets", "第二条第三款", mandatory=True
    ),
    "is_public_service_data": FieldSpec("是否公共服务数据", "public-service data", "第二条第二款"),
    "pi_flags": FieldSpec("个人信息", "personal information", "第三十条", "pi_flag"),
    "pi_declared": FieldSpec(
        "个人信息声明", "statement on personal information", "第三十条", mandatory=True
    ),
    "masking_profile": FieldSpec("脱敏要求", "masking", "第二十一条第四款"),
    "returnable": FieldSpec("是否可回流", "returnable", "第二十条第一款"),
    "region_column": FieldSpec("区域属性字段", "region column", "第二十条第一款"),
    "department_column": FieldSpec("部门属性字段", "department column", "第二十条第一款"),
    "net_type": FieldSpec("提供渠道", "network", GUIDE, "net_type", mandatory=True),
    "ingest_channel": FieldSpec(
        "汇聚方式", "way of aggregation", "第十六条第一款", "ingest_channel", mandatory=True
    ),
    "items": FieldSpec("信息项", "items"),
}
ITEM_SPECS: dict[str, FieldSpec] = {
    "name_cn": FieldSpec("信息项名称", "item name", mandatory=True),
    "name_en": FieldSpec("信息项英文名", "item field name", mandatory=True),
    "data_type": FieldSpec("信息项数据类型", "item type", GUIDE, "item_type", mandatory=True),
    "length": FieldSpec("信息项长度", "item length"),
    "share_type": FieldSpec("信息项共享类型", "item share type", "第十三条", "share_type"),
    "open_attr": FieldSpec("信息项开放属性", "item open attribute", "第二十一条", "open_attr"),
    "secret": FieldSpec("信息项涉密", "item secret", "第二条第三款"),
    "subject_kind": FieldSpec("信息项主体类型", "kind of subject", "第十五条", "data_kind"),
}
MANDATORY = tuple(name for name, spec in SPECS.items() if spec.mandatory)
CODED = tuple((name, spec.codes) for name, spec in SPECS.items() if spec.codes)
