"""The walk through the authority's desk: a filing, clocks, an inbox, the calendar."""

from contracts.calendar import packaged_calendar
from tests.integration.catalog.world import LAW
from tests.security.cast import CATALOG, NOTIFY, SHARING, Walk
from tests.security.whole_node import until


def desk(made: Walk) -> None:
    """The filing of what is not shared: returned, completed, recorded; clocks and inboxes."""
    reviewer, steward = made.who("reviewer"), made.who("steward")
    filing = until(lambda: reviewer.get(f"{NOTIFY}/filings", rule="F1")["items"])[0]
    filing_id = filing["filing_id"]
    made.known["filing_id"] = filing_id
    path = f"{NOTIFY}/filings/{filing_id}"
    reviewer.get(path)
    reviewer.get(f"{path}/document")
    reviewer.post(f"{path}/return", {"reason": "请补充依据条款"})
    steward.get(f"{CATALOG}/filings")
    mine = f"{CATALOG}/filings/{filing_id}"
    until(lambda: steward.get(mine)["state"] == "returned")
    steward.post(f"{mine}/complete", {"summary": "补充依据条款", "basis": [LAW]})
    until(lambda: reviewer.get(path)["state"] == "received")
    reviewer.post(f"{path}/record")
    clock = until(lambda: reviewer.get(f"{NOTIFY}/clocks")["items"])[0]
    made.known["clock_id"] = clock["clock_id"]
    reviewer.get(f"{NOTIFY}/clocks/{clock['clock_id']}")
    item = until(lambda: reviewer.get(f"{NOTIFY}/inbox")["items"])[0]
    made.known["item_id"] = item["item_id"]
    reviewer.post(f"{NOTIFY}/inbox/{item['item_id']}/read")
    reviewer.get(f"{NOTIFY}/digests")
    reviewer.get(f"{NOTIFY}/counts")
    reviewer.get(f"{NOTIFY}/calendars")
    made.who("asker").get(f"{SHARING}/filings")


def calendar(made: Walk) -> None:
    """An ordered closure and next year's schedule: proposed, previewed, withdrawn, confirmed."""
    legal, approver = made.who("legal"), made.who("approver")
    closure = {
        "day": "2026-12-16",
        "workday": False,
        "reason": "台风停工",
        "document": "汕府办〔2026〕示例号",
    }
    path = f"{NOTIFY}/calendars"
    first = legal.post(path, {"exemptions": [closure]})["version"]
    made.known["version"] = first
    legal.get(f"{path}/{first}")
    legal.get(f"{path}/{first}/preview")
    approver.post(f"{path}/{first}/reject", {"reason": "文号有误"})
    days = "".join(
        f"{day},off,{name.removesuffix('_observed')}\n"
        for day, name in packaged_calendar().statutory.items()
        if day.year == 2027
    )
    second = legal.upload(
        f"{path}/file",
        f"date,kind,name\n{days}".encode(),
        name="2027.csv",
        kind="text/csv",
        year="2027",
        source="国办发明电〔2026〕示例号",
    )
    approver.post(f"{path}/{second['version']}/confirm", {"digest": second["digest"]})
    until(lambda: legal.get(path)["version"] == second["version"])
