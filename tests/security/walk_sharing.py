"""The walk through sharing: a dataset, requests to their grants, delivery, the end of a grant."""

from typing import Any

from tests.integration.catalog.world import LAW
from tests.security.cast import ITEMS, ROWS, SHARING, Walk
from tests.security.whole_node import NODE, until


def requests(made: Walk, entry_id: str) -> None:
    """Upload, request, supplement, review, reply, delivery, confirmation, revocation."""
    handler, asker = made.who("handler"), made.who("asker")

    def uploaded() -> Any:
        return made.who("steward").upload(
            f"{SHARING}/datasets/{entry_id}", ROWS.encode(), name="rows.csv", kind="text/csv"
        )

    until(uploaded)
    handler.get(f"{SHARING}/datasets/{entry_id}")
    first = granted(made, entry_id)
    fetch(made, first)
    asker.post(f"{SHARING}/requests/{first}/confirm", {})
    grant_id = asker.get(f"{SHARING}/requests/{first}")["grant_id"]
    made.known |= {"request_id": first, "grant_id": grant_id}
    asker.get(f"{SHARING}/requests", box="sent")
    asker.get(f"{SHARING}/grants")
    asker.get(f"{SHARING}/grants/{grant_id}")
    basis = {"explanation": "停止使用", "basis": [LAW]}
    made.who("source_approver").post(f"{SHARING}/grants/{grant_id}/revoke", basis)
    second = granted(made, entry_id, purpose="核对企业名单")
    returned = asker.get(f"{SHARING}/requests/{second}")["grant_id"]
    asker.post(f"{SHARING}/grants/{returned}/return", {"explanation": "不再需要"})
    third = submit(made, entry_id, purpose="误提")
    asker.post(f"{SHARING}/requests/{third}/withdraw", {"reason": "误提"})


def submit(made: Walk, entry_id: str, **changed: Any) -> str:
    asker, handler = made.who("asker"), made.who("handler")

    def accepted() -> Any:
        return asker.post(f"{SHARING}/requests", made.submission(entry_id, **changed))

    request_id: str = until(accepted)["request_id"]
    until(lambda: handler.get(f"{SHARING}/requests/{request_id}"))
    return request_id


def granted(made: Walk, entry_id: str, **changed: Any) -> str:
    """Bring a request to its grant; return its id."""
    asker, handler = made.who("asker"), made.who("handler")
    request_id = submit(made, entry_id, **changed)
    path = f"{SHARING}/requests/{request_id}"
    handler.post(
        f"{path}/ask-supplement", {"findings": [{"code": "scope_unclear", "text": "请写明范围"}]}
    )
    until(lambda: asker.get(path)["supplements"])
    asker.post(f"{path}/supplement", {"explanation": "仅限责任区内企业"})
    until(lambda: handler.get(path)["supplements"][0]["answered_at"])
    results = [{"item": item, "passed": True} for item in ITEMS]
    made.who("confidentiality").post(f"{path}/review", {"results": results})
    agreed = {"outcome": "agreed", "granted_items": ITEMS, "reason": "符合共享条件"}
    handler.post(f"{path}/reply", agreed)
    handler.post(f"{path}/deliver", {})
    until(lambda: asker.get(path)["grant_id"])
    return request_id


def fetch(made: Walk, request_id: str) -> None:
    """The using system fetches rows and file with tokens that it signed itself."""
    grant_id = made.who("asker").get(f"{SHARING}/requests/{request_id}")["grant_id"]
    for tail in ("rows", "file"):
        token = made.system.grant_token(grant_id, NODE)
        answer = made.node.send(
            "GET",
            f"{SHARING}/delivery/{grant_id}/{tail}",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text
