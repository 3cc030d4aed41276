"""The story over HTTP and PostgreSQL: request, filings, reply, upload, delivery, revocation."""

import csv
import io

import orjson
import pytest
from joserfc.jwk import OKPKey

from kernel.tokens import encode
from sharing.jobs import end_expired_grants, end_grants_of_offline_entries
from sharing.known import repository as known
from tests.integration.sharing.carrier import ENTRY_ID, submission, two_nodes
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, PUBLIC_JWK, entry

pytestmark = pytest.mark.postgres
CSV = (
    "村居代码,村居名称,户数\n441581001001,甲社区,120\n441581001002,乙社区,\n441581001003,丙村,88\n"
)
KEY = OKPKey.generate_key("Ed25519", private=True)
LAW = {"level": "law", "title": "中华人民共和国数据安全法", "article": "第三十八条"}


def own_system() -> dict:
    return {
        "system_id": "duty-1",
        "name": "值守系统",
        "public_jwk": KEY.as_dict(private=False),
    }


def call_token(pair, grant_id, *, key=KEY, jti=None, **more):
    now = pair.clock.now().timestamp()
    claims = {
        "iss": "duty-1",
        "sub": grant_id,
        "aud": f"yiwang:{LUFENG}",
        "exp": now + 120,
        "jti": jti or str(pair[LUFENG].runtime.ids.uuid7()),
        **more,
    }
    return encode(claims, key, algorithm="EdDSA")


async def fetch(pair, grant_id, path="rows", *, token=None, **query):
    token = token or call_token(pair, grant_id)
    return await pair[LUFENG].client.get(
        f"/sharing/v1/delivery/{grant_id}/{path}",
        params=query,
        headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
    )


async def upload(pair, content=CSV, **more):
    steward = pair.caller(LUFENG, "steward")
    data = content.encode() if isinstance(content, str) else content
    return await steward.post(
        f"/sharing/v1/datasets/{ENTRY_ID}", files={"file": ("data.csv", data, "text/csv")}, **more
    )


async def granted(pair, *, share_type="unconditional", items=("code", "name")):
    """An unconditional grant with data behind it; returns request and grant."""
    await pair.know(entry(share_type=share_type))
    assert (await upload(pair)).status_code == 201
    clerk = pair.caller(HAIFENG, "agency_clerk")
    body = submission(system=own_system(), items=list(items))
    answer = await clerk.post("/sharing/v1/requests", body)
    assert answer.status_code == 201, answer.text
    await pair.carry()
    shown = (await clerk.get(f"/sharing/v1/requests/{answer.json()['request_id']}")).json()
    return shown, shown["grant_id"]


async def agreed(pair):
    """Submit, carry, review and agree; checks what each step shows. Returns the request's path."""
    await pair.know(entry())
    clerk = pair.caller(HAIFENG, "agency_clerk")
    answer = await clerk.post("/sharing/v1/requests", submission(system=own_system()))
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "dispatched"
    assert [(f["rule"], f["receiver_node"], f["state"]) for f in answer.json()["filings"]] == [
        ("F2a", HAIFENG, "queued"),
        ("F2b", CITY, "queued"),
    ]
    base = f"/sharing/v1/requests/{answer.json()['request_id']}"
    await pair.carry()
    shown = (await clerk.get(base)).json()
    assert shown["state"] == "received_by_source"
    assert all(shown["receipt"].values())
    assert [filing["state"] for filing in shown["filings"]] == ["received", "received"]
    (started,) = pair.desk_events("yiwang.clock.started.v1", LUFENG)
    assert (started.due.rule, started.due.due_on) == ("share.reply", "2026-01-19")

    handler = pair.caller(LUFENG, "source_handler")
    listed = (await handler.get("/sharing/v1/requests", box="received")).json()
    assert [line["request_id"] for line in listed["items"]] == [shown["request_id"]]
    early = await handler.post(f"{base}/reply", {"outcome": "agreed"})
    assert (early.status_code, early.json()["article"]) == (422, "第三十条第一款")
    reviewer = pair.caller(LUFENG, "confidentiality_reviewer")
    results = [{"item": name, "passed": True} for name in ("code", "name")]
    assert (await reviewer.post(f"{base}/review", {"results": results})).status_code == 200
    replied = await handler.post(f"{base}/reply", {"outcome": "agreed"})
    assert replied.status_code == 200, replied.text
    assert replied.json()["deliver_due"]["rule"] == "share.deliver"
    return base


async def test_the_whole_story_of_a_conditional_request(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        base = await agreed(pair)
        handler = pair.caller(LUFENG, "source_handler")
        missing = await handler.post(f"{base}/deliver")
        assert (missing.status_code, missing.json()["type"][-15:]) == (409, "dataset-missing")
        assert (await upload(pair)).status_code == 201
        delivered = await handler.post(f"{base}/deliver")
        assert delivered.json()["state"] == "delivered"
        grant_id = delivered.json()["grant_id"]
        await pair.carry()
        clerk = pair.caller(HAIFENG, "agency_clerk")
        assert (await clerk.get(base)).json()["grant_id"] == grant_id

        page = await fetch(pair, grant_id, limit=2)
        assert page.status_code == 200, page.text
        assert page.json()["rows"] == [
            {"code": "441581001001", "name": "甲社区"},
            {"code": "441581001002", "name": "乙社区"},
        ]
        rest = await fetch(pair, grant_id, cursor=page.json()["next"])
        assert rest.json()["rows"] == [{"code": "441581001003", "name": "丙村"}]
        assert rest.json()["next"] is None
        await pair.carry()
        ended = pair.desk_events("yiwang.clock.ended.v1", LUFENG)
        assert [event.end_event for event in ended] == [
            "share.request.replied",
            "share.delivery.proved",
        ]
        assert (await clerk.get(base)).json()["proved_at"] is not None
        await cut_off(pair, grant_id)


async def cut_off(pair, grant_id):
    """Revoke; nothing more is delivered, and the holder sees what was."""
    approver = pair.caller(LUFENG, "source_approver")
    body = {"explanation": "超出约定用途", "basis": [LAW]}
    revoked = await approver.post(f"/sharing/v1/grants/{grant_id}/revoke", body)
    assert (revoked.json()["state"], revoked.json()["rows_delivered"]) == ("ended", 3)
    refused = await fetch(pair, grant_id)
    assert (refused.status_code, refused.json()["type"][-11:]) == (403, "grant-ended")
    await pair.carry()
    held = await pair.caller(HAIFENG, "agency_clerk").get(f"/sharing/v1/grants/{grant_id}")
    found = held.json()
    assert (found["state"], found["end_reason"], found["rows_delivered"]) == ("ended", "revoked", 3)
    assert [event.type for event in pair.mail] == [
        "yiwang.catalog.dependent.added.v1",
        "yiwang.catalog.dependent.ended.v1",
    ]


async def test_a_repeated_submission_with_the_same_key_is_one_request(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk", subject="clerk")
        body = submission()
        first = await clerk.post("/sharing/v1/requests", body, key="one")
        again = await clerk.post("/sharing/v1/requests", body, key="one")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content
        other = await clerk.post("/sharing/v1/requests", submission(purpose="另一用途"), key="one")
        assert other.status_code == 422
        equal = await clerk.post("/sharing/v1/requests", body, key="two")
        assert (equal.status_code, equal.json()["kind"]) == (409, "policy")
        listed = (await clerk.get("/sharing/v1/requests")).json()["items"]
        assert len(listed) == 1
        await pair.carry()
        assert len(pair.desk_events("yiwang.filing.submitted.v1")) == 2


async def test_a_repetition_gets_its_first_answer_even_when_it_would_be_refused_now(
    postgres_url, node_files
):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk", subject="clerk")
        first = await clerk.post("/sharing/v1/requests", submission(), key="one")
        await pair.know(entry(state="suspended", record_version=2))
        again = await clerk.post("/sharing/v1/requests", submission(), key="one")
        assert (again.status_code, again.content) == (201, first.content)
        fresh = await clerk.post("/sharing/v1/requests", submission(), key="two")
        assert fresh.status_code == 422


async def test_a_refused_submission_leaves_nothing_but_its_audit(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        body = submission(items=["code", "owner"], scene="", basis=[])
        refused = await clerk.post("/sharing/v1/requests", body)
        assert refused.status_code == 422
        assert {each["field"] for each in refused.json()["errors"]} == {"items.1", "scene", "basis"}
        assert all(each["remedy"] for each in refused.json()["errors"])
        assert (await clerk.get("/sharing/v1/requests")).json()["items"] == []
        await pair.carry()
        assert pair.desk == []


async def test_others_see_nothing_of_a_request(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = (await clerk.post("/sharing/v1/requests", submission())).json()
        await pair.carry()
        base = f"/sharing/v1/requests/{made['request_id']}"
        for code in (HAIFENG, LUFENG):
            stranger = pair.caller(code, "agency_clerk", "source_handler", org_id="stranger")
            assert (await stranger.get(base)).status_code == 404
            assert (await stranger.get("/sharing/v1/requests")).json()["items"] == []
            assert (await stranger.post(f"{base}/withdraw")).status_code in (403, 404)
            assert (await stranger.post(f"{base}/reply", {"outcome": "agreed"})).status_code in (
                403,
                404,
            )
        auditor = pair.caller(HAIFENG, "auditor", org_id="bureau")
        assert (await auditor.get(base)).status_code == 200
        filing = (await clerk.get("/sharing/v1/filings")).json()["items"][0]
        stranger = pair.caller(HAIFENG, "agency_clerk", org_id="stranger")
        assert (await stranger.get(f"/sharing/v1/filings/{filing['filing_id']}")).status_code == 404
        foreign = pair[LUFENG].token("agency_clerk", organisation=f"{HAIFENG}-a")
        answer = await pair[HAIFENG].client.get(
            base, headers={"Authorization": f"Bearer {foreign}"}
        )
        assert answer.status_code == 401


async def test_a_stale_version_gets_409_with_the_current_one(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = (await clerk.post("/sharing/v1/requests", submission())).json()
        await pair.carry()
        base = f"/sharing/v1/requests/{made['request_id']}"
        stale = await clerk.post(f"{base}/withdraw", {"record_version": 1})
        assert stale.status_code == 409
        current = stale.json()["current"]["record_version"]
        assert stale.json()["version"] == current > 1
        done = await clerk.post(f"{base}/withdraw", {"record_version": current})
        assert done.json()["state"] == "withdrawn"
        twice = await clerk.post(f"{base}/withdraw")
        assert (twice.status_code, twice.json()["type"][-13:]) == (409, "request-state")


async def test_lists_are_paged_newest_first(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = []
        for number in range(5):
            body = submission(purpose=f"用途{number}")
            made.append((await clerk.post("/sharing/v1/requests", body)).json()["request_id"])
        seen, cursor = [], None
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await clerk.get("/sharing/v1/requests", **query)).json()
            seen += [line["request_id"] for line in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == made[::-1]
        filtered = await clerk.get("/sharing/v1/requests", state="withdrawn")
        assert filtered.json()["items"] == []
        filings = (await clerk.get("/sharing/v1/filings", state="queued", limit=200)).json()[
            "items"
        ]
        assert len(filings) == 10
        assert (await clerk.get("/sharing/v1/requests", cursor="x")).status_code == 422


async def test_a_filing_shows_as_sent_once_its_event_has_left(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        made = (await clerk.post("/sharing/v1/requests", submission())).json()
        await pair._taken(HAIFENG)  # the relay has published, no receipt has come yet
        shown = (await clerk.get(f"/sharing/v1/requests/{made['request_id']}")).json()
        assert [filing["state"] for filing in shown["filings"]] == ["sent", "sent"]
        listed = (await clerk.get("/sharing/v1/filings", state="sent")).json()["items"]
        assert len(listed) == 2
        assert (await clerk.get("/sharing/v1/filings", state="queued")).json()["items"] == []


# --- data files ----------------------------------------------------------------------------------


async def test_a_file_is_taken_in_gb18030_and_with_bom_and_once(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        first = await upload(pair, CSV.encode("gb18030"))
        assert (first.status_code, first.json()["encoding"], first.json()["rows"]) == (
            201,
            "gb18030",
            3,
        )
        again = await upload(pair, CSV.encode("gb18030"))
        assert (again.status_code, again.json()["unchanged"]) == (200, True)
        assert again.json()["dataset_id"] == first.json()["dataset_id"]
        bom = await upload(pair, CSV.encode("utf-8-sig"))
        assert (bom.status_code, bom.json()["encoding"]) == (201, "utf-8-sig")
        steward = pair.caller(LUFENG, "steward")
        shown = (await steward.get(f"/sharing/v1/datasets/{ENTRY_ID}")).json()
        assert shown["dataset_id"] == bom.json()["dataset_id"]
        assert shown["columns"] == ["code", "name", "households"]


async def test_a_faulty_file_is_refused_with_row_and_item_and_no_value(postgres_url, node_files):
    marked = "441502190001019997"
    lines = ["村居代码,村居名称,户数", f"1,甲,{marked}", "2,,5", "1,乙,6", f"4,{'长' * 61},1"]
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        refused = await upload(pair, "\n".join(lines))
        assert refused.status_code == 422
        found = [(each["row"], each["item"], each["code"]) for each in refused.json()["errors"]]
        assert found == [
            (1, "households", "too_long"),
            (2, "name", "required"),
            (4, "name", "too_long"),
        ]
        assert marked not in refused.text
        assert (
            await pair.caller(LUFENG, "steward").get(f"/sharing/v1/datasets/{ENTRY_ID}")
        ).status_code == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        ("村居代码,村居名称,户数\n".encode(), "no_rows"),
        (CSV.encode("utf-16"), "encoding"),
        ('村居代码,村居名称\n1,"甲\n'.encode(), "csv"),
    ],
)
async def test_an_unreadable_file_is_refused(postgres_url, node_files, content, code):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        refused = await upload(pair, content)
        assert refused.status_code == 422
        assert code in refused.json()["detail"]


async def test_a_file_past_the_limit_is_refused_while_it_is_read(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files, upload_limit=4096) as pair:
        await pair.know(entry())
        refused = await upload(pair, CSV + "441581001009,丁村,1\n" * 500)
        assert refused.status_code == 413


async def test_only_the_providing_department_uploads(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        file = {"file": ("data.csv", CSV.encode(), "text/csv")}
        path = f"/sharing/v1/datasets/{ENTRY_ID}"
        stranger = pair.caller(LUFENG, "steward", org_id="stranger")
        assert (await stranger.post(path, files=file)).status_code == 403
        clerk = pair.caller(LUFENG, "agency_clerk")
        assert (await clerk.post(path, files=file)).status_code == 403
        elsewhere = pair.caller(HAIFENG, "steward", org_id=f"{LUFENG}-a")
        assert (await elsewhere.post(path, files=file)).status_code == 403


# --- delivery ------------------------------------------------------------------------------------


async def test_pages_of_a_file_that_was_replaced_are_read_to_their_end(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        first = (await fetch(pair, grant_id, limit=2)).json()
        assert (await upload(pair, "村居代码,村居名称\n9,新\n")).status_code == 201
        rest = (await fetch(pair, grant_id, cursor=first["next"])).json()
        assert rest["rows"] == [{"code": "441581001003", "name": "丙村"}]
        fresh = (await fetch(pair, grant_id)).json()
        assert fresh["rows"] == [{"code": "9", "name": "新"}]
        assert fresh["dataset_id"] != first["dataset_id"]


async def test_the_file_has_the_granted_items_only(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair, items=("households", "code"))
        answer = await fetch(pair, grant_id, "file")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert list(csv.reader(io.StringIO(answer.text))) == [
            ["households", "code"],
            ["120", "441581001001"],
            ["", "441581001002"],
            ["88", "441581001003"],
        ]
        handler = pair.caller(LUFENG, "source_handler")
        used = (await handler.get(f"/sharing/v1/grants/{grant_id}")).json()
        assert (used["calls"], used["rows_delivered"]) == (1, 3)
        assert used["proved_at"] is not None


async def test_a_token_is_good_for_one_call(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        token = call_token(pair, grant_id)
        assert (await fetch(pair, grant_id, token=token)).status_code == 200
        replayed = await fetch(pair, grant_id, token=token)
        assert (replayed.status_code, replayed.json()["type"][-20:]) == (
            401,
            "grant-token-replayed",
        )
        same_id = call_token(pair, grant_id, jti="twice")
        assert (await fetch(pair, grant_id, token=same_id)).status_code == 200
        assert (
            await fetch(pair, grant_id, "file", token=call_token(pair, grant_id, jti="twice"))
        ).status_code == 401


async def test_who_has_no_key_of_the_grant_learns_nothing(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        other = OKPKey.generate_key("Ed25519", private=True)
        wrong = await fetch(pair, grant_id, token=call_token(pair, grant_id, key=other))
        nobody = "019a7b00-0000-7000-8000-00000000ffff"
        unknown = await fetch(pair, nobody, token=call_token(pair, nobody))
        assert (wrong.status_code, unknown.status_code) == (401, 401)
        assert wrong.json()["type"] == unknown.json()["type"]
        person = pair.caller(LUFENG, "source_handler")
        path = f"/sharing/v1/delivery/{grant_id}/rows"
        assert (await person.get(path)).status_code == 401
        assert (await pair[LUFENG].client.get(path)).status_code == 401


async def test_a_suspended_entry_delivers_nothing_and_keeps_the_grant(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        state = entry(share_type="unconditional", state="suspended", record_version=2)
        await pair.know(state)
        refused = await fetch(pair, grant_id)
        assert (refused.status_code, refused.json()["type"][-15:]) == (403, "entry-suspended")
        await pair.know(entry(share_type="unconditional", record_version=3))
        assert (await fetch(pair, grant_id)).status_code == 200


async def test_an_entry_taken_down_ends_its_grants(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        shown, grant_id = await granted(pair)
        await pair.know(entry(share_type="unconditional", state="offline", record_version=2))
        assert (await fetch(pair, grant_id)).status_code == 403
        await pair.carry()
        clerk = pair.caller(HAIFENG, "agency_clerk")
        after = (await clerk.get(f"/sharing/v1/requests/{shown['request_id']}")).json()
        assert (after["state"], after["end_reason"]) == ("ended", "takedown")


async def test_a_grant_given_while_the_takedown_was_on_its_way_ends_too(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        gone = entry(share_type="unconditional", state="offline", record_version=2)
        async with pair[LUFENG].runtime.database.transaction() as tx:
            await known.keep_entry(tx.connection, gone, seen_at=tx.clock.now())
        await end_grants_of_offline_entries(pair[LUFENG].runtime)
        handler = pair.caller(LUFENG, "source_handler")
        found = (await handler.get(f"/sharing/v1/grants/{grant_id}")).json()
        assert (found["state"], found["end_reason"]) == ("ended", "takedown")


async def test_a_grant_is_over_with_its_last_day_and_the_job_says_so(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        shown, grant_id = await granted(pair)
        pair.clock.advance(days=181)
        refused = await fetch(pair, grant_id)
        assert (refused.status_code, refused.json()["type"][-11:]) == (403, "grant-ended")
        await end_expired_grants(pair[LUFENG].runtime)
        await pair.carry()
        clerk = pair.caller(HAIFENG, "agency_clerk")
        held = (await clerk.get(f"/sharing/v1/grants/{grant_id}")).json()
        assert (held["state"], held["end_reason"]) == ("ended", "expired")
        after = (await clerk.get(f"/sharing/v1/requests/{shown['request_id']}")).json()
        assert after["state"] == "ended"


async def test_the_relays_guard_tells_whether_a_grant_still_stands(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        _, grant_id = await granted(pair)
        guard = pair[LUFENG].definition.guards["grant"]
        database = pair[LUFENG].runtime.database
        async with database.transaction() as tx:
            assert await guard(tx.connection, grant_id)
        approver = pair.caller(LUFENG, "source_approver")
        await approver.post(f"/sharing/v1/grants/{grant_id}/revoke", {"explanation": "停止"})
        async with database.transaction() as tx:
            assert not await guard(tx.connection, grant_id)


async def test_a_key_of_the_system_is_sent_as_object_or_as_text(postgres_url, node_files):
    async with two_nodes(postgres_url, node_files) as pair:
        await pair.know(entry())
        clerk = pair.caller(HAIFENG, "agency_clerk")
        for number, jwk in enumerate((PUBLIC_JWK, orjson.dumps(PUBLIC_JWK).decode())):
            system = {"system_id": f"s{number}", "name": "系统", "public_jwk": jwk}
            answer = await clerk.post("/sharing/v1/requests", submission(system=system))
            assert answer.status_code == 201, answer.text
