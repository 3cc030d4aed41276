"""Inboxes: who sees what, and that every figure opens the list that it counts."""

from typing import Any

import pytest

from contracts.events.clock import Notice
from kernel.handlers import Poison
from tests.integration.notify.support import CIVIL_AFFAIRS, LAND, Desk

pytestmark = pytest.mark.postgres
INBOX = "/notify/v1/inbox"


def notice(notice_id: str, **changes: Any) -> Notice:
    plain: dict[str, Any] = {
        "notice_id": notice_id,
        "org_id": LAND.org_id,
        "title_zh": "收到有条件共享申请",
        "title_en": "A conditional share request has arrived",
        "case_kind": "share_request",
        "case_id": "r-1",
        "at": "2026-01-12T01:30:00+00:00",
    }
    return Notice(**{**plain, **changes})


async def post(desk: Desk, *notices: Notice) -> None:
    for each in notices:
        await desk.deliver(each, "yiwang.notice.posted.v1", key=each.case_id)


async def ids(caller: Any, **query: Any) -> set[str]:
    return {each["item_id"] for each in (await caller.get(INBOX, **query)).json()["items"]}


async def test_an_organisations_notice_is_for_everybody_of_it_and_nobody_else(desk: Desk) -> None:
    await post(desk, notice("n-1"))
    assert await ids(desk.person("source_handler", organisation=LAND.org_id)) == {"n-1"}
    assert await ids(desk.person("source_handler", organisation=CIVIL_AFFAIRS.org_id)) == set()


async def test_a_notice_for_a_role_is_not_for_other_roles(desk: Desk) -> None:
    await post(desk, notice("n-1", role="source_approver"))
    assert await ids(desk.person("source_approver", organisation=LAND.org_id)) == {"n-1"}
    assert await ids(desk.person("source_handler", organisation=LAND.org_id)) == set()


async def test_a_notice_for_a_person_is_for_that_person(desk: Desk) -> None:
    await post(desk, notice("n-1", subject="zhao"))
    zhao = desk.person("source_handler", organisation=LAND.org_id, subject="zhao")
    qian = desk.person("source_handler", organisation=LAND.org_id, subject="qian")
    assert await ids(zhao) == {"n-1"}
    assert await ids(qian) == set()


async def test_a_notice_that_is_said_twice_stands_once(desk: Desk) -> None:
    await post(desk, notice("n-1"), notice("n-1"))
    assert await ids(desk.person("source_handler", organisation=LAND.org_id)) == {"n-1"}


async def test_a_notice_without_address_is_refused_for_good(desk: Desk) -> None:
    with pytest.raises(Poison):
        await post(desk, notice("n-1", org_id=""))


async def test_what_one_person_has_read_is_unread_for_a_colleague(desk: Desk) -> None:
    await post(desk, notice("n-1"))
    zhao = desk.person("source_handler", organisation=LAND.org_id, subject="zhao")
    qian = desk.person("source_handler", organisation=LAND.org_id, subject="qian")
    answer = await zhao.post(f"{INBOX}/n-1/read")
    assert answer.json()["read_at"] is not None
    assert await ids(zhao, unread=True) == set()
    assert await ids(zhao, unread=False) == {"n-1"}
    assert await ids(qian, unread=True) == {"n-1"}


async def test_nobody_reads_what_is_for_others(desk: Desk) -> None:
    await post(desk, notice("n-1"))
    stranger = desk.person("source_handler", organisation=CIVIL_AFFAIRS.org_id)
    assert (await stranger.post(f"{INBOX}/n-1/read")).status_code == 404


async def test_a_filing_tells_the_reviewers_of_the_authority(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer")
    (item,) = (await reviewer.get(INBOX)).json()["items"]
    assert (item["case_id"], item["link"]) == (filing_id, f"/notify/v1/filings/{filing_id}")
    assert (await reviewer.get(item["link"])).status_code == 200
    assert await ids(desk.person("agency_clerk", organisation=CIVIL_AFFAIRS.org_id)) == set()


@pytest.mark.parametrize(
    ("roles", "organisation"),
    [
        (("authority_reviewer", "authority_supervisor"), "org-da"),
        (("source_handler",), LAND.org_id),
        (("agency_clerk",), CIVIL_AFFAIRS.org_id),
        (("applicant",), ""),
    ],
)
async def test_every_figure_opens_the_list_that_it_counts(
    desk: Desk, roles: tuple[str, ...], organisation: str
) -> None:
    await post(desk, notice("n-1"), notice("n-2", role="source_handler"))
    desk.at(2026, 2, 13, 7)
    for number in range(5):
        await desk.start_clock(f"r-{number}")
    await desk.end_clock("r-0:share.reply:1")
    returned = await desk.file()
    await desk.file(filer=LAND)
    desk.at(2026, 2, 28, 2)
    await desk.run("reminders")
    await desk.start_clock("r-9")
    reviewer = desk.person("authority_reviewer")
    await reviewer.post(f"/notify/v1/filings/{returned}/return", {"reason": "补"})
    caller = desk.person(*roles, organisation=organisation)
    answer = await caller.get("/notify/v1/counts")
    assert answer.status_code == 200, answer.text
    figures = answer.json()["items"]
    assert "inbox.unread" in {each["name"] for each in figures}
    for figure in figures:
        opened = await desk.node.client.get(figure["href"] + "&limit=200", headers=caller.headers())
        assert opened.status_code == 200, figure
        assert len(opened.json()["items"]) == figure["count"], figure
    if "authority_supervisor" in roles:
        counted = {each["name"]: each["count"] for each in figures}
        assert (counted["clocks.escalated"], counted["clocks.open"]) == (5, 6)
        assert (counted["filings.received"], counted["filings.returned"]) == (1, 1)
