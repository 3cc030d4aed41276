"""A walk through the services of the city's node in which nearly every operation succeeds once.

It tells the story of ``tests/federation`` within one node, over the services' own HTTP, and
goes into the corners: returns, supplements, takedowns, claims, imports, calendars.
"""

from tests.security import federation_corner as federation
from tests.security import walk_catalog as catalog
from tests.security import walk_desk as notify
from tests.security import walk_sharing as sharing
from tests.security.cast import CATALOG, NOTIFY, SHARING, Walk
from tests.security.whole_node import WholeNode
from tests.support.buskit import Keys
from tests.support.http import NodeFiles


def walk(node: WholeNode, files: NodeFiles) -> Walk:
    """Walk through everything; return what the walk came by."""
    made = Walk(node, Keys(keys=dict(files.keys)))
    catalog.agencies(made)
    entry_id = catalog.entries(made)
    catalog.corners(made)
    catalog.imports(made)
    published = catalog.lookups(made, entry_id)
    sharing.requests(made, published)
    notify.desk(made)
    federation.neighbour(made)
    notify.calendar(made)
    for base in (CATALOG, SHARING, NOTIFY):
        chassis(made, base)
    return made


def chassis(made: Walk, base: str) -> None:
    """What every service has: attachments, audit, dead letters, streams."""
    clerk = made.who("clerk")
    document = b"%PDF-1.4\n%%EOF\n"
    answer = clerk.upload(f"{base}/attachments", document, name="basis.pdf", kind="application/pdf")
    made.known["digest"] = answer["digest"]
    clerk.get(f"{base}/attachments/{answer['digest']}")
    clerk.get(f"{base}/attachments/{answer['digest']}/content")
    auditor, operator = made.who("auditor"), made.who("operator")
    auditor.get(f"{base}/audit")
    auditor.get(f"{base}/audit/head")
    auditor.get(f"{base}/audit/verify")
    operator.get(f"{base}/streams")
    letters = operator.get(f"{base}/dead-letters", state="open")["items"]
    for act, letter in zip(("replay", "discard"), letters, strict=False):
        path = f"{base}/dead-letters/{letter['id']}"
        made.known["number"] = str(letter["id"])
        operator.get(path)
        operator.post(f"{path}/{act}", {"reason": "已核实"} if act == "discard" else None)
