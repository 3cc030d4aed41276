"""A filing at the desk: where it may go, and what never moves."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.events.base import Basis, OrganisationRef
from contracts.events.filing import FilingCompleted, FilingSubmitted
from notify.filings import domain
from notify.filings.domain import STATES, Filing, IllegalMoveError

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
FILER = OrganisationRef(org_id="org-a", name="海丰县民政局", node="441521")


def submitted(*, external: bool = False) -> FilingSubmitted:
    return FilingSubmitted(
        filing_id="f-1",
        rule="F2a",
        article="第二十条第二款",
        filer=FILER,
        receiver_node="441521",
        receiver_level="province" if external else "same",
        external=external,
        subject_kind="share_request",
        subject_id="r-1",
        subject_no="R441521-20260302-00000000A",
        subject_title="低保对象信息",
        summary="核对低保资格",
        relation="cross_region",
        submitted_by="clerk-1",
        submitted_at="2026-03-02T01:29:00+00:00",
        rule_version="shanwei-2025-draft",
        reply_to="sharing",
    )


def filing(*, external: bool = False) -> Filing:
    return domain.filed(
        submitted(external=external),
        filing_no="BA441521-F2A-2026-000001",
        serial=1,
        received_at=NOW,
        entered_at="2026-03-02T01:29:30+00:00",
    )


def completion(**changes: object) -> FilingCompleted:
    return FilingCompleted(
        filing_id="f-1",
        summary="补充法律依据",
        completed_by="clerk-1",
        completed_at="2026-03-03T01:00:00+00:00",
        **changes,
    )


def test_a_filing_for_the_own_authority_arrives_as_received() -> None:
    assert filing().state == "received"


def test_a_filing_for_the_province_waits_for_its_external_number() -> None:
    assert filing(external=True).state == "awaiting_external_receipt"


def test_recording_keeps_who_and_when() -> None:
    done = domain.recorded(filing(), "record", by="reviewer-1", at=NOW)
    assert (done.state, done.recorded_by, done.recorded_at) == ("recorded", "reviewer-1", NOW)


def test_an_external_number_records_a_filing_that_waits_for_it() -> None:
    done = domain.recorded(
        filing(external=True), "external_number", by="r", at=NOW, external_no="粤数备〔2026〕7号"
    )
    assert (done.state, done.external_no) == ("recorded", "粤数备〔2026〕7号")


@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("received", "external_number"),
        ("awaiting_external_receipt", "record"),
        ("recorded", "record"),
        ("recorded", "return"),
        ("recorded", "external_number"),
        ("returned", "record"),
        ("returned", "return"),
        ("returned", "external_number"),
    ],
)
def test_no_other_move_is_open(state: domain.State, act: domain.Act) -> None:
    with pytest.raises(IllegalMoveError):
        domain.move(state, act)


def test_the_open_acts_are_exactly_those_that_move() -> None:
    for state in STATES:
        for act in domain.open_acts(state):
            domain.move(state, act)
    assert domain.open_acts("recorded") == ()


def test_a_completion_brings_a_returned_filing_back_one_round_later() -> None:
    back = domain.returned(filing(), by="reviewer-1", at=NOW, reason="缺少依据")
    later = NOW + timedelta(days=1)
    again = domain.completed(back, completion(), received_at=later)
    assert (again.state, again.round, again.received_at) == ("received", 2, later)
    assert again.summary == "补充法律依据"
    assert again.filing_no == back.filing_no


def test_a_completed_external_filing_waits_for_its_number_again() -> None:
    back = domain.returned(filing(external=True), by="reviewer-1", at=NOW, reason="缺少依据")
    assert domain.completed(back, completion(), received_at=NOW).state == (
        "awaiting_external_receipt"
    )


def test_a_supplement_to_a_recorded_filing_moves_nothing() -> None:
    done = domain.recorded(filing(), "record", by="reviewer-1", at=NOW)
    basis = (Basis(level="law", title="社会救助法", article="第十条"),)
    more = domain.completed(done, completion(basis=basis), received_at=NOW + timedelta(days=9))
    assert (more.state, more.round, more.received_at) == ("recorded", 1, NOW)
    assert more.basis == basis


def test_a_completion_without_basis_keeps_the_one_on_file() -> None:
    basis = (Basis(level="law", title="社会救助法", article="第十条"),)
    back = domain.returned(filing(), by="r", at=NOW, reason="缺少说明")
    with_basis = domain.completed(back, completion(basis=basis), received_at=NOW)
    again = domain.returned(with_basis, by="r", at=NOW, reason="再补")
    assert domain.completed(again, completion(), received_at=NOW).basis == basis
