"""The story over HTTP and bus with real processes, on the last working day before Spring Festival."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta

import pytest

from federation.agencies import data_file
from federation.plan import CITY, SERVICES
from federation.story.cast import COUNTY_A, COUNTY_B
from federation.story.catalogs import Scale
from federation.story.requesting import DATASET, PURPOSE
from tests.federation.stories import told
from tests.support.otlp_sink import collecting
from tests.support.waiting import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]

# 2026-02-13, 10:00 in Shanwei; 02-14 is a make-up working day, 02-15 to 02-23 are off
EVE = datetime(2026, 2, 13, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sink():
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def story(sink):
    with told(at=EVE, scale=Scale.FULL, otlp_endpoint=sink.url) as result:
        yield result


@pytest.fixture(scope="module")
def facts(story):
    return story.facts


class TestCatalogue:
    def test_every_sample_entry_is_published_at_its_node(self, facts):
        assert facts.published == {CITY: 137, COUNTY_A: 111, COUNTY_B: 110}


class TestRequest:
    def test_the_request_crosses_regions_and_is_filed_with_county_and_city(self, facts):
        assert facts.submitted["relation"] == "cross_region"
        filed = {
            (each["rule"], each["receiver_node"], each["receiver_level"])
            for each in facts.submitted["filings"]
        }
        assert filed == {("F2a", COUNTY_A, "same"), ("F2b", CITY, "upper")}

    def test_both_filings_leave_at_the_same_moment_as_the_request(self, facts):
        (moment,) = {each["submitted_at"] for each in facts.submitted["filings"]}
        sent = datetime.fromisoformat(facts.submitted["submitted_at"])
        assert abs(datetime.fromisoformat(moment) - sent) < timedelta(seconds=1)

    def test_each_desk_numbers_its_filing_and_a_person_records_it(self, facts):
        numbers = {each["receiver_node"]: each["filing_no"] for each in facts.filings}
        assert numbers[COUNTY_A].startswith(f"BA{COUNTY_A}-F2A-2026-")
        assert numbers[CITY].startswith(f"BA{CITY}-F2B-2026-")
        assert {each["state"] for each in facts.filings} == {"recorded"}

    def test_the_three_instants_of_the_receipt_are_in_order(self, facts):
        receipt = facts.received["receipt"]
        assert receipt["stored_at"] <= receipt["returned_at"]
        assert receipt["entered_at"] is not None

    def test_five_working_days_over_spring_festival_end_on_27_february(self, facts):
        due = facts.replied["reply_due"] or facts.delivered["reply_due"]
        assert (due["rule"], due["starts_on"]) == ("share.reply", "2026-02-13")
        assert (due["due_on"], due["provisional"]) == ("2026-02-27", False)
        assert due["start_basis"] == "interpretation"

    def test_delivery_is_due_five_working_days_after_the_reply(self, facts):
        due = facts.replied["deliver_due"]
        assert (due["rule"], due["starts_on"]) == ("share.deliver", "2026-02-13")
        assert (due["due_on"], due["start_basis"]) == ("2026-02-27", "text")


class TestDelivery:
    def test_the_using_system_fetches_every_row_as_it_was_uploaded(self, facts):
        with data_file(DATASET).open(encoding="utf-8", newline="") as stream:
            assert facts.rows == list(csv.DictReader(stream))
        assert len(facts.rows) == 970

    def test_the_first_call_proves_the_delivery_and_ends_the_deadline(self, facts):
        assert facts.confirmed["proved_at"] is not None
        assert facts.confirmed["confirmed_at"] is not None

    def test_a_revoked_grant_delivers_nothing_more(self, facts):
        assert facts.cut_off.status in {403, 410}
        assert facts.cut_off.problem["article"] == "第三十条第三款"


class TestRefusal:
    def test_an_internal_document_carries_no_refusal(self, facts):
        assert facts.too_low.status == 422
        shown = str(facts.too_low.problem)
        assert "第十九条第三款" in shown
        assert "basis" in shown

    def test_a_refusal_with_a_law_reaches_the_requester_with_its_ground(self, facts):
        reply = facts.refused["reply"]
        assert reply["outcome"] == "refused"
        assert reply["refused"][0]["basis"][0]["level"] == "law"


class TestProof:
    def test_the_audit_chain_of_every_service_is_whole(self, facts):
        assert set(facts.audits) == {
            (node, service) for node in (CITY, COUNTY_A, COUNTY_B) for service in SERVICES
        }
        assert all(audit["whole"] for audit in facts.audits.values())
        assert facts.audits[COUNTY_B, "sharing"]["rows"] > 0

    def test_the_city_sees_the_deadlines_of_both_counties(self, facts):
        ended = {line["rule"]: line for line in facts.digests[COUNTY_B]["lines"]}
        assert ended["share.reply"]["ended_on_time"] == 2
        assert ended["share.reply"]["overdue"] == 0


SUBMIT = (COUNTY_A, "sharing", "POST /sharing/v1/requests")
REPLY = (COUNTY_B, "sharing", "POST /sharing/v1/requests/{request_id}/reply")
DELIVER = (COUNTY_B, "sharing", "POST /sharing/v1/requests/{request_id}/deliver")
CONFIRM = (COUNTY_A, "sharing", "POST /sharing/v1/requests/{request_id}/confirm")
REVOKE = (COUNTY_B, "sharing", "POST /sharing/v1/grants/{grant_id}/revoke")
FETCH = (COUNTY_B, "sharing", "GET /sharing/v1/delivery/{grant_id}/rows")


def _consumed(node, service, event):
    return (node, service, f"consume yiwang.{event}.v1")


def _record(node):
    return (node, "notify", "POST /notify/v1/filings/{filing_id}/record")


ARRIVED = _consumed(COUNTY_B, "sharing", "sharing.request.dispatched")
FILED_HERE = _consumed(COUNTY_A, "notify", "filing.submitted")
FILED_ABOVE = _consumed(CITY, "notify", "filing.submitted")
REPLIED = _consumed(COUNTY_A, "sharing", "sharing.request.replied")
ENDED = _consumed(COUNTY_A, "sharing", "sharing.grant.ended")

#: child span and the span that caused it, over outbox and bus
CAUSES = (
    (ARRIVED, SUBMIT),
    (FILED_HERE, SUBMIT),
    (FILED_ABOVE, SUBMIT),
    (_consumed(COUNTY_A, "sharing", "receipt.stored"), SUBMIT),
    (_consumed(COUNTY_B, "notify", "clock.started"), ARRIVED),
    (_consumed(COUNTY_B, "notify", "notice.posted"), ARRIVED),
    (_consumed(COUNTY_A, "sharing", "filing.received"), FILED_HERE),
    (_consumed(COUNTY_A, "sharing", "filing.received"), FILED_ABOVE),
    (_consumed(COUNTY_A, "sharing", "filing.recorded"), _record(COUNTY_A)),
    (_consumed(COUNTY_A, "sharing", "filing.recorded"), _record(CITY)),
    (REPLIED, REPLY),
    (_consumed(COUNTY_B, "notify", "clock.ended"), REPLY),
    (_consumed(COUNTY_B, "notify", "clock.started"), REPLY),
    (_consumed(COUNTY_A, "notify", "sharing.request.status"), REPLIED),
    (_consumed(CITY, "notify", "sharing.request.status"), REPLIED),
    (_consumed(COUNTY_A, "sharing", "sharing.request.delivered"), DELIVER),
    (_consumed(COUNTY_B, "catalog", "catalog.dependent.added"), DELIVER),
    (_consumed(COUNTY_A, "sharing", "sharing.delivery.proved"), FETCH),
    (_consumed(COUNTY_B, "notify", "clock.ended"), FETCH),
    (_consumed(COUNTY_B, "sharing", "sharing.request.confirmed"), CONFIRM),
    (ENDED, REVOKE),
    (_consumed(COUNTY_B, "catalog", "catalog.dependent.ended"), REVOKE),
    (_consumed(COUNTY_A, "notify", "sharing.request.status"), ENDED),
)


@pytest.fixture(scope="module")
def edges(story, sink):
    """Every pair of a span and its parent in the trace of the granted request."""
    trace = story.facts.granted.trace

    def complete():
        spans = sink.of_trace(trace)
        by_id = {span.id: span for span in spans}
        pairs = [(span, by_id[span.parent]) for span in spans if span.parent in by_id]
        named = {(_name(span), _name(parent)) for span, parent in pairs}
        assert set(CAUSES) <= named, set(CAUSES) - named
        return pairs

    return asyncio.run(eventually(complete, within=15))


def _name(span):
    return (span.node, span.service, span.name)


class TestTrace:
    """One trace runs from the clerk's request over outbox and bus to source, desks and back."""

    @pytest.mark.parametrize(("effect", "cause"), CAUSES, ids=" ".join)
    def test_each_effect_hangs_below_its_cause(self, edges, effect, cause):
        assert (effect, cause) in {(_name(span), _name(parent)) for span, parent in edges}

    def test_no_effect_begins_before_its_cause(self, edges):
        assert all(span.start >= parent.start for span, parent in edges)

    def test_every_step_succeeded_but_the_call_after_the_revocation(self, story, sink):
        spans = sink.of_trace(story.facts.granted.trace)
        assert not [span.name for span in spans if span.failed]
        refused = [s for s in spans if s.attributes.get("http.response.status_code") == "403"]
        assert [_name(span) for span in refused] == [FETCH]

    def test_spans_carry_names_and_ids_but_nothing_of_the_content(self, sink):
        texts = sink.texts()
        assert PURPOSE[:12] not in texts
        assert "突发事件应对法" not in texts
