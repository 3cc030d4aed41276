"""The calendar as a document that is signed, carried by an event and read back."""

from datetime import date

import orjson
import pytest
from pydantic import ValidationError

from contracts.calendar import calendar_to_document, from_document, packaged_calendar
from contracts.calendar_document import (
    CalendarDocument,
    build,
    canonical_bytes,
    digest,
    model_of,
    packaged_path,
    read,
)

CALENDAR = packaged_calendar()
DOCUMENT = calendar_to_document(CALENDAR)


def test_a_calendar_survives_its_document():
    assert from_document(DOCUMENT) == CALENDAR
    assert from_document(orjson.loads(canonical_bytes(DOCUMENT))) == CALENDAR


def test_the_signed_bytes_do_not_depend_on_the_order_of_keys():
    turned = dict(reversed(list(DOCUMENT.items())))
    assert canonical_bytes(turned) == canonical_bytes(DOCUMENT)
    assert b" " not in canonical_bytes({"a": 1, "b": [2, 3]})


def test_another_day_gives_another_digest():
    changed = orjson.loads(canonical_bytes(DOCUMENT))
    del changed["years"][-1]["work"]["2026-10-10"]
    assert digest(from_document(changed)) != digest(CALENDAR)
    assert len(digest(CALENDAR)) == 64


def test_the_packaged_table_carries_estimates_for_ten_years_past_its_horizon():
    assert read(packaged_path()) == CALENDAR
    assert {day.year for day in CALENDAR.statutory} == set(range(2027, 2037))


def test_a_year_missing_in_between_is_refused():
    years = [year for year in DOCUMENT["years"] if year["year"] != 2020]
    with pytest.raises(ValidationError, match="without a gap"):
        from_document({**DOCUMENT, "years": years})


@pytest.mark.parametrize(
    ("year", "message"),
    [
        ({"off": {"2027-01-01": "new_years_day"}, "work": {"2027-01-01": "x"}}, "both a day off"),
        ({"off": {}, "work": {"2027-01-04": "x"}}, "working day anyway"),
        ({"off": {"2028-01-03": "x"}, "work": {}}, "no day of the schedule"),
        ({"off": {"2026-11-30": "x"}, "work": {}}, "no day of the schedule"),
    ],
)
def test_a_year_that_contradicts_itself_is_refused(year, message):
    years = [*DOCUMENT["years"], {"year": 2027, "source": "test", **year}]
    with pytest.raises(ValidationError, match=message):
        from_document({**DOCUMENT, "years": years})


def test_a_notice_may_move_the_last_days_of_the_december_before():
    # as the notice for 2019 moved Saturday 2018-12-29
    years = [
        *DOCUMENT["years"],
        {"year": 2027, "source": "test", "off": {"2026-12-31": "new_years_day"}, "work": {}},
    ]
    calendar = from_document({**DOCUMENT, "years": years})
    assert not calendar.is_working_day(date(2026, 12, 31))
    # read back, the day stands with its own year, and stays there
    once = model_of(calendar)
    assert build(once).days == calendar.days
    assert model_of(build(once)) == once


def test_an_ordered_closure_counts_and_keeps_its_document():
    exemption = {
        "day": "2026-09-01",
        "workday": False,
        "reason": "台风停工",
        "document": "汕府令〔2026〕3号",
    }
    calendar = from_document({**DOCUMENT, "exemptions": [exemption]})
    assert calendar.due(date(2026, 8, 31), 1).due_on == date(2026, 9, 2)
    assert calendar.exemptions[0].document == "汕府令〔2026〕3号"
    assert from_document(calendar_to_document(calendar)) == calendar


def test_a_closure_without_a_document_is_refused():
    exemption = {"day": "2026-09-01", "workday": False, "reason": "台风停工", "document": ""}
    with pytest.raises(ValidationError, match="document"):
        from_document({**DOCUMENT, "exemptions": [exemption]})


def test_a_document_of_another_kind_is_refused():
    with pytest.raises(ValidationError, match="kind"):
        CalendarDocument.model_validate({**DOCUMENT, "kind": "something.else"})
