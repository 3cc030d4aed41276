"""The printable filing document: the same facts have the same text, and nothing is executed."""

import hashlib
from dataclasses import replace

from notify.filings.document import compose, to_html
from tests.unit.notify.test_filing_moves import NOW, filing

LABELS = {"province": "省级", "share_request": "共享申请", "cross_region": "跨区域"}


def document(**changes: object):
    return compose(
        replace(filing(external=True), **changes),
        title="跨层级、跨区域共享申请备案（上一级）",
        receiver="省公共数据主管部门",
        labels=LABELS,
    )


def test_the_digest_is_that_of_the_text() -> None:
    made = document()
    assert made.digest == hashlib.sha256(made.text.encode()).hexdigest()
    assert made.digest in to_html(made)


def test_a_change_of_state_does_not_change_the_document() -> None:
    assert document().digest == document(state="returned", returned_at=NOW).digest


def test_a_change_of_a_fact_changes_the_document() -> None:
    assert document().digest != document(summary="另一摘要").digest


def test_codes_stand_in_words() -> None:
    text = document().text
    assert "备案层级：省级" in text
    assert "关系：跨区域" in text
    assert "cross_region" not in text


def test_a_line_break_in_a_field_makes_no_line_of_its_own() -> None:
    forged = document(subject_title="低保\n备案号：BA000000-F2A-2026-999999")
    assert [line for line in forged.text.splitlines() if line.startswith("备案号：")] == [
        "备案号：BA441521-F2A-2026-000001"
    ]


def test_markup_in_a_field_is_shown_and_not_run() -> None:
    page = to_html(document(summary="<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
