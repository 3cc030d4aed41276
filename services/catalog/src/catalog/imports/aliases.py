"""Column names of other catalogues and what they mean here.

Every portal has its own vocabulary (``开放条件``, ``开放类型`` and ``开放属性`` are one thing); our own
field names are understood as they are.
"""

from functools import lru_cache

from catalog.agencies.domain import name_key
from catalog.entries.content import FIELDS

DEPARTMENT = "department"
ORIGIN = ("province", "city", "city_zh", "url", "publish_time", "update_time", "industry")

_ALIASES: dict[str, tuple[str, ...]] = {
    "title": (
        "标题",
        "名称",
        "目录名称",
        "数据目录名称",
        "信息资源名称",
        "资源名称",
        "数据集名称",
        "数据名称",
        "name",
    ),
    "abstract": (
        "description",
        "描述",
        "摘要",
        "摘要信息",
        "摘要描述",
        "数据摘要",
        "信息资源摘要",
        "简介",
        "资源描述",
        "共享内容",
    ),
    DEPARTMENT: (
        "来源部门",
        "提供单位",
        "提供部门",
        "提供机构",
        "数据提供方",
        "信息资源提供方",
        "数源部门",
        "来源单位",
        "所属部门",
        "发布机构",
        "officename",
    ),
    "data_domain": (
        "category",
        "重点领域",
        "所属领域",
        "数据领域",
        "主题名称",
        "所属主题",
        "主题分类",
        "数据所属领域",
        "领域",
        "subjectname",
    ),
    "industry": ("所属行业", "行业", "行业分类"),
    "publish_time": ("发布日期", "发布时间", "首次发布时间", "pubdate"),
    "update_time": ("更新日期", "更新时间", "最后更新时间", "最近更新时间"),
    "update_frequency": ("更新频率", "更新周期", "updatecycle"),
    "open_attr": ("is_open", "开放属性", "开放类型", "开放条件", "开放方式", "openmode"),
    "resource_format": ("formats", "数据格式", "资源格式", "信息资源格式", "格式", "sourcesuffix"),
    "record_count": ("data_volume", "数据量", "数据条数", "记录数", "recordtotal"),
    "keywords": ("tags", "标签", "关键字", "关键词", "keyword"),
    "url": ("详情页网址", "链接", "网址", "link"),
    "province": ("省份",),
    "city": ("城市",),
    "share_type": ("共享类型", "共享属性", "共享方式类型"),
    "share_condition": ("共享条件",),
    "share_scope": ("共享范围",),
    "share_mode": ("共享方式",),
    "data_form": ("数据形式",),
    "data_grade": ("数据分级",),
    "security_level": ("安全级别",),
    "contact_name": ("联系人",),
    "contact_phone": ("联系电话", "联系方式"),
    "steward": ("编制责任人", "责任人"),
    "region_code": ("行政区划", "行政区划代码", "区划代码"),
    "category_path": ("信息资源分类", "分类代码"),
    "items": ("信息项", "数据项"),
}
_MEANINGS = {
    name_key(name): field for field, names in _ALIASES.items() for name in (field, *names)
} | {name_key(name): name for name in FIELDS}


@lru_cache(maxsize=4096)
def meaning_of(column: str) -> str | None:
    """Return our field, or an origin field, that a column's name means; ``None`` when unknown."""
    return _MEANINGS.get(name_key(column))
