"""Past the calendar's horizon, and on a machine without the calendar libraries."""

from datetime import UTC, datetime

import pytest

from tests.federation.stories import told

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]

# the schedule of 2027 is not published: 5 working days from here leave the table
HORIZON = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)
BLOCKED = ("chinese_calendar", "holidays")


@pytest.fixture(scope="module")
def without_libraries(tmp_path_factory):
    """Make the libraries unimportable for every process that is started."""
    place = tmp_path_factory.mktemp("blocked")
    for name in BLOCKED:
        (place / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r}, name={name!r})\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(place))
        yield


@pytest.fixture(scope="module")
def facts(without_libraries):
    with told(at=HORIZON) as story:
        yield story.facts


def test_the_due_date_is_provisional_and_its_reminder_earlier_or_equal(facts):
    due = facts.replied["reply_due"]
    assert due["starts_on"] == "2026-12-28"
    assert (due["due_on"], due["provisional"]) == ("2027-01-05", True)
    assert due["remind_on"] <= due["due_on"]


def test_the_node_computes_from_the_signed_table_alone(facts):
    assert facts.replied["deliver_due"]["provisional"] is True
    assert facts.replied["reply_due"]["calendar_version"]
    assert len(facts.rows) == 970
