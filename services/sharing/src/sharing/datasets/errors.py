"""Refusals of data files: which row, which item, what is wrong; never a value."""

from typing import Any

from kernel.problems import FieldInvalid, Invalid, OtherNode


class OtherNodesEntry(OtherNode):
    slug = "entry-of-another-node"
    detail_zh = "该条目由另一节点的部门提供，数据文件须在该节点上传。"
    detail_en = "The entry is provided at another node; its data file is uploaded there."


class FileUnreadable(FieldInvalid):
    slug = "file-unreadable"
    title_zh, title_en = "文件无法读取", "File unreadable"
    detail_zh = "数据文件无法读取（{reason}，第 {line} 行）。"
    detail_en = "The data file cannot be read ({reason}, line {line})."
    remedy_zh = "以 UTF-8 或 GB18030 编码的 CSV 上传，首行为信息项名称，至少一行数据。"
    remedy_en = "Upload CSV in UTF-8 or GB18030 with item names in line one and at least one row."


class FileRefused(Invalid):
    slug = "file-refused"
    title_zh, title_en = "数据文件未通过校验", "Data file refused"
    detail_zh = "数据文件共有 {count} 处问题（最多列出 100 处），未保存任何数据。"
    detail_en = "The data file has {count} faults (100 are listed at most); nothing was stored."
    remedy_zh = "按所列行号和信息项更正后重新上传。"
    remedy_en = "Correct the rows and items listed and upload again."


class RowRefused(FieldInvalid):
    slug = "row-refused"
    title_zh, title_en = "数据行有误", "Faulty row"
    detail_zh = "第 {row} 行信息项“{item}”不符合要求（{code}）。"
    detail_en = "Row {row}, item {item}: {code}."

    def __init__(self, *, row: int, item: str, code: str, **rest: Any) -> None:
        """``row`` counts from 1 without the header; ``code`` says what is wrong."""
        found = {"row": row, "item": item, "code": code}
        super().__init__(row=row, item=item, code=code, extra=found, **rest)


class ColumnRefused(FieldInvalid):
    slug = "column-refused"
    title_zh, title_en = "表头有误", "Faulty header"
    detail_zh = "第 {column} 列（信息项 {item}）：{code}。"
    detail_en = "Column {column} (item {item}): {code}."
