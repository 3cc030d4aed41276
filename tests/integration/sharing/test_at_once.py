"""Two at the same moment: one wins, the other is told; nothing is done twice."""

import asyncio

import pytest
from sqlalchemy import func, select

from kernel.bus_tables import outbox
from sharing.grants.models import grants
from tests.integration.sharing.carrier import submission, two_nodes
from tests.integration.sharing.test_story import call_token, fetch, granted
from tests.support.sharing_world import HAIFENG, LUFENG, entry

pytestmark = pytest.mark.postgres
LAW = {"level": "law", "title": "中华人民共和国数据安全法", "article": "第三十八条"}
REFUSAL = {
    "outcome": "refused",
    "refused": [{"part": "all", "reason": "依法不得提供", "basis": [LAW]}],
}


async def statuses(*calls):
    return sorted(answer.status_code for answer in await asyncio.gather(*calls))


async def test_of_two_equal_submissions_one_is_taken(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerks = [pair.caller(HAIFENG, "agency_clerk") for _ in range(4)]
        found = await statuses(
            *(clerk.post("/sharing/v1/requests", submission()) for clerk in clerks)
        )
        assert found == [201, 409, 409, 409]
        assert len((await clerks[0].get("/sharing/v1/requests")).json()["items"]) == 1


async def test_one_key_sent_four_times_at_once_is_one_request(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk", subject="clerk")
        answers = await asyncio.gather(
            *(clerk.post("/sharing/v1/requests", submission(), key="one") for _ in range(4))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1


async def test_of_two_replies_one_goes_out(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = (await clerk.post("/sharing/v1/requests", submission())).json()
        await pair.carry()
        path = f"/sharing/v1/requests/{made['request_id']}/reply"
        handlers = [pair.caller(LUFENG, "source_handler") for _ in range(3)]
        assert await statuses(*(each.post(path, REFUSAL) for each in handlers)) == [200, 409, 409]
        async with pair[LUFENG].runtime.database.transaction(read_only=True) as tx:
            replied = select(func.count()).where(outbox.c.type.endswith("replied.v1"))
            assert (await tx.connection.execute(replied)).scalar_one() == 1


async def test_a_reply_and_a_withdrawal_at_once_end_both_sides(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = (await clerk.post("/sharing/v1/requests", submission())).json()
        await pair.carry()
        base = f"/sharing/v1/requests/{made['request_id']}"
        handler = pair.caller(LUFENG, "source_handler")
        found = await statuses(
            clerk.post(f"{base}/withdraw"), handler.post(f"{base}/reply", REFUSAL)
        )
        assert found == [200, 200]
        await pair.carry()
        assert (await clerk.get(base)).json()["state"] == "withdrawn"
        assert (await handler.get(base)).json()["state"] == "refused"


async def test_one_token_used_twice_at_once_is_good_once(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        token = call_token(pair, grant_id)
        calls = (fetch(pair, grant_id, token=token) for _ in range(4))
        assert await statuses(*calls) == [200, 401, 401, 401]


async def test_first_calls_at_once_prove_the_delivery_once(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        assert await statuses(*(fetch(pair, grant_id) for _ in range(4))) == [200] * 4
        handler = pair.caller(LUFENG, "source_handler")
        used = (await handler.get(f"/sharing/v1/grants/{grant_id}")).json()
        assert (used["calls"], used["rows_delivered"]) == (4, 12)
        async with pair[LUFENG].runtime.database.transaction(read_only=True) as tx:
            proofs = select(func.count()).where(outbox.c.type.endswith("proved.v1"))
            assert (await tx.connection.execute(proofs)).scalar_one() == 1


async def test_a_revocation_waits_for_the_page_before_it_and_refuses_the_one_after(
    postgres_url, node_files
):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        approver = pair.caller(LUFENG, "source_approver")
        path = f"/sharing/v1/grants/{grant_id}/revoke"
        async with pair[LUFENG].runtime.database.transaction() as tx:
            mine = grants.c.grant_id == grant_id
            await tx.connection.execute(select(grants).where(mine).with_for_update())
            revoking = asyncio.create_task(approver.post(path, {"explanation": "停止"}))
            calling = asyncio.create_task(fetch(pair, grant_id))
            done, _ = await asyncio.wait({revoking, calling}, timeout=0.5)
            assert done == set()
        assert (await revoking).status_code == 200
        assert (await calling).status_code in (200, 403)
        assert (await fetch(pair, grant_id)).status_code == 403
        shown = (await approver.get(f"/sharing/v1/grants/{grant_id}")).json()
        delivered = 3 if (await calling).status_code == 200 else 0
        assert shown["rows_delivered"] == delivered
