"""Basis documents over HTTP."""

from hashlib import sha256

import pytest

from kernel.attachments import require_attachment
from kernel.problems import AttachmentUnknown
from tests.support.http import ServedNode

pytestmark = pytest.mark.postgres
ROUTE = "/sample/v1/attachments"
PDF = b"%PDF-1.7 " + "依据".encode()
DIGEST = sha256(PDF).hexdigest()


async def test_a_document_is_stored_described_and_fetched(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    made = await clerk.post(ROUTE, files={"file": ("依据.pdf", PDF)})
    assert made.status_code == 201
    assert made.json()["digest"] == DIGEST
    assert made.json()["media_type"] == "application/pdf"
    assert (await clerk.get(f"{ROUTE}/{DIGEST}")).json() == made.json()
    content = await clerk.get(f"{ROUTE}/{DIGEST}/content")
    assert content.content == PDF
    assert content.headers["content-disposition"].startswith("attachment")
    assert content.headers["x-content-type-options"] == "nosniff"
    assert await node.count("kernel.audit", "act = 'attachment.add' AND object_id = :d", d=DIGEST)


async def test_the_same_document_of_two_organisations_is_one_file_and_two_attachments(
    node: ServedNode,
) -> None:
    for organisation in ("org-1", "org-2"):
        clerk = node.caller("agency_clerk", organisation=organisation)
        for _ in range(2):
            assert (await clerk.post(ROUTE, files={"file": ("a", PDF)})).status_code == 201
    assert await node.count("kernel.attachments") == 2


async def test_an_organisation_sees_its_own_documents_and_an_authority_all(
    node: ServedNode,
) -> None:
    await node.caller("agency_clerk", organisation="org-1").post(ROUTE, files={"file": ("a", PDF)})
    other = node.caller("agency_clerk", organisation="org-2")
    assert (await other.get(f"{ROUTE}/{DIGEST}")).status_code == 404
    assert (await other.get(f"{ROUTE}/{DIGEST}/content")).status_code == 404
    authority = node.caller("authority_reviewer", organisation="org-3")
    assert (await authority.get(f"{ROUTE}/{DIGEST}")).status_code == 200
    assert (await node.caller("node_operator").get(f"{ROUTE}/{DIGEST}")).status_code == 403


async def test_a_command_may_name_only_documents_of_its_own_organisation(
    node: ServedNode,
) -> None:
    await node.caller("agency_clerk", organisation="org-1").post(ROUTE, files={"file": ("a", PDF)})
    async with node.runtime.database.transaction() as tx:
        await require_attachment(tx, DIGEST, organisation="org-1")
        with pytest.raises(AttachmentUnknown):
            await require_attachment(tx, DIGEST, organisation="org-2")


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ({"file": ("a", b"")}, None, 422),
        ({"file": ("a", b"\x7fELF\x00\x00")}, None, 415),
        ({"file": ("a.pdf", b"<html></html>")}, None, 415),
        ({"other": ("a", PDF)}, None, 422),
    ],
)
async def test_what_is_no_document_is_refused_and_nothing_is_kept(
    node: ServedNode, files: dict[str, tuple[str, bytes]], data: None, status: int
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    answer = await clerk.post(ROUTE, files=files, data=data)
    assert answer.status_code == status
    assert answer.json()["remedy"]
    assert await node.count("kernel.attachments") == 0
    assert list(node.runtime.settings.objects_dir.rglob("*.part")) == []


async def test_a_document_over_the_limit_is_refused_while_it_is_read(node: ServedNode) -> None:
    limit = node.runtime.settings.attachment_limit
    clerk = node.caller("agency_clerk", organisation="org-1")
    answer = await clerk.post(ROUTE, files={"file": ("a", PDF + b"x" * limit)})
    assert answer.status_code == 413
    assert list(node.runtime.settings.objects_dir.rglob("*.part")) == []
    assert await node.count("kernel.attachments") == 0


async def test_a_json_body_where_a_form_is_needed_is_refused(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    assert (await clerk.post(ROUTE, {"file": "x"})).status_code == 415
