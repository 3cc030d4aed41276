"""The sealed audit log: whole when untouched, and its first broken link found when not."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from kernel.audit import note_peer_head, peer_head, seal, seal_all, verify
from kernel.audit_batches import Head
from kernel.jobs import kernel_jobs
from kernel.ports import AuditEntry
from kernel.signing import Keyring, NodeKey
from tests.support.http import NodeFiles, ServedNode

pytestmark = pytest.mark.postgres
THINGS = "/sample/v1/things"


@pytest.fixture
def database_url(postgres_url: Callable[..., str]) -> str:
    """A database for each test: what is sealed is never taken back."""
    return postgres_url("kernel")


@pytest.fixture
def key(node_files: NodeFiles) -> NodeKey:
    return node_files.keys["441521"]


@pytest.fixture
def keyring(node: ServedNode) -> Keyring:
    return Keyring(node.runtime.registry)


async def act(node: ServedNode, times: int) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1", subject="p1")
    for _ in range(times):
        answer = await clerk.post(THINGS, {"name": str(node.runtime.ids.uuid7())})
        assert answer.status_code == 201


async def sealed(node: ServedNode, key: NodeKey, batches: int) -> None:
    for _ in range(batches):
        await act(node, 2)
        assert await seal(node.runtime.database, key) == 2


async def tamper(node: ServedNode, statement: str, **values: Any) -> None:
    """Change rows as somebody with the database's password could."""
    await node.query("ALTER TABLE kernel.audit DISABLE TRIGGER USER")
    await node.query("ALTER TABLE kernel.audit_batches DISABLE TRIGGER USER")
    await node.query(statement, **values)


async def test_rows_are_sealed_in_signed_batches_and_the_chain_holds(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    await sealed(node, key, 3)
    await act(node, 1)
    found = await verify(node.runtime.database, keyring)
    assert found.broken is None
    assert (found.batches, found.rows, found.pending) == (3, 6, 1)
    assert await seal_all(node.runtime.database, key) == 1
    assert await seal_all(node.runtime.database, key) == 0


async def test_a_limit_makes_several_batches(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    await act(node, 5)
    assert await seal(node.runtime.database, key, limit=2) == 2
    assert await seal(node.runtime.database, key, limit=2) == 2
    assert await seal(node.runtime.database, key, limit=2) == 1
    assert (await verify(node.runtime.database, keyring)).batches == 3


async def test_a_row_that_commits_late_is_in_a_later_batch(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    database = node.runtime.database
    async with database.transaction() as tx:
        row = (await tx.connection.exec_driver_sql("SELECT 1")).scalar()
        assert row == 1
        entry = AuditEntry(act="a", object_kind="k", object_id="late", principal=tx.principal)
        await tx.record(entry)
        await tx.flush()
        await act(node, 1)
        assert await seal(database, key) == 1
    assert await seal(database, key) == 1
    assert (await verify(database, keyring)).broken is None


async def test_two_sealers_at_once_make_one_chain(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    await act(node, 6)
    await asyncio.gather(*(seal(node.runtime.database, key, limit=2) for _ in range(6)))
    await seal_all(node.runtime.database, key)
    found = await verify(node.runtime.database, keyring)
    assert found.broken is None
    assert found.rows == 6


@pytest.mark.parametrize("table", ["audit", "audit_batches"])
@pytest.mark.parametrize("statement", ["DELETE FROM kernel.{}", "TRUNCATE kernel.{}"])
async def test_the_database_itself_refuses_to_forget(
    node: ServedNode, key: NodeKey, table: str, statement: str
) -> None:
    await sealed(node, key, 1)
    with pytest.raises(DBAPIError):
        await node.query(statement.format(table))


async def test_the_database_itself_refuses_to_change_a_row(node: ServedNode) -> None:
    await act(node, 1)
    with pytest.raises(DBAPIError):
        await node.query("UPDATE kernel.audit SET subject = 'somebody else'")


FOREIGN_ROW = """
    INSERT INTO kernel.audit SELECT gen_random_uuid(), at, node, service, subject, name,
     organisation, principal_kind, roles, token_id, trace_id, act, object_kind, object_id,
     article, rule_version, outcome, reason, details FROM kernel.audit LIMIT 1
"""
SECOND = "(SELECT ids[1] FROM kernel.audit_batches WHERE number = 2)"


@pytest.mark.parametrize(
    ("statement", "number", "reason"),
    [
        (f"UPDATE kernel.audit SET subject = 'x' WHERE id = {SECOND}", 2, "row_changed"),
        (f"DELETE FROM kernel.audit WHERE id = {SECOND}", 2, "row_missing"),
        ("DELETE FROM kernel.audit_batches WHERE number = 2", 3, "batch_missing"),
        ("UPDATE kernel.audit_batches SET root = previous WHERE number = 2", 2, "batch_changed"),
        (
            "UPDATE kernel.audit_batches SET signature = hash WHERE number = 2",
            2,
            "signature_invalid",
        ),
        (
            "UPDATE kernel.audit_batches SET key_id = '441581-1' WHERE number = 2",
            2,
            "batch_changed",
        ),
        (
            FOREIGN_ROW,
            4,
            "rows_outside_the_chain",
        ),
        (
            "DELETE FROM kernel.audit_pending WHERE id IN (SELECT id FROM kernel.audit)",
            4,
            "rows_outside_the_chain",
        ),
    ],
)
async def test_the_first_broken_link_is_named(
    node: ServedNode, key: NodeKey, keyring: Keyring, statement: str, number: int, reason: str
) -> None:
    await sealed(node, key, 3)
    await act(node, 1)
    await tamper(node, statement)
    found = await verify(node.runtime.database, keyring)
    assert found.broken is not None
    assert (found.broken.number, found.broken.reason) == (number, reason)


async def test_a_batch_sealed_again_with_another_nodes_key_does_not_pass(
    node: ServedNode, node_files: NodeFiles, keyring: Keyring
) -> None:
    await act(node, 2)
    await seal(node.runtime.database, node_files.keys["441581"])
    found = await verify(node.runtime.database, keyring)
    assert found.broken is not None
    assert found.broken.reason == "signature_invalid"


async def test_a_chain_cut_short_is_told_by_the_head_that_a_peer_holds(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    await sealed(node, key, 3)
    held = (await verify(node.runtime.database, keyring)).head
    assert (await verify(node.runtime.database, keyring, known=held)).broken is None
    await tamper(
        node,
        "WITH gone AS (DELETE FROM kernel.audit_batches WHERE number = 3 RETURNING ids)"
        " DELETE FROM kernel.audit WHERE id IN (SELECT unnest(ids) FROM gone)",
    )
    assert (await verify(node.runtime.database, keyring)).broken is None
    found = await verify(node.runtime.database, keyring, known=held)
    assert found.broken is not None
    assert found.broken.reason == "chain_is_shorter_than_the_head_of_a_peer"


async def test_after_a_restore_the_chain_goes_on_from_the_head_that_peers_return(
    node: ServedNode, key: NodeKey, keyring: Keyring
) -> None:
    database = node.runtime.database
    await sealed(node, key, 1)
    lost = Head(node="441521", service="sample", number=5, hash=b"\x05" * 32)
    assert await seal(database, key, restored=lost) == 0
    await sealed(node, key, 1)
    found = await verify(database, keyring)
    assert found.broken is None
    assert found.head.number == 7
    (row,) = await node.query("SELECT kind, restored_from FROM kernel.audit_batches WHERE number=6")
    assert (row["kind"], row["restored_from"]) == ("restored", f"5:{'05' * 32}")
    with pytest.raises(ValueError, match="further"):
        await seal(database, key, restored=lost)


async def test_heads_of_peers_are_kept_to_be_given_back(node: ServedNode) -> None:
    async with node.runtime.database.transaction() as tx:
        for number in (3, 9, 7):
            head = Head(node="441581", service="sharing", number=number, hash=bytes([number]) * 32)
            await note_peer_head(tx, head)
        newest = await peer_head(tx, "441581", "sharing")
        assert newest is not None
        assert newest.number == 9
        assert await peer_head(tx, "441500", "sharing") is None


async def test_an_auditor_reads_filters_and_verifies_over_http(
    node: ServedNode, key: NodeKey
) -> None:
    await sealed(node, key, 1)
    auditor = node.caller("auditor", organisation="org-9")
    rows = (await auditor.get("/sample/v1/audit", subject="p1", act="entry.draft", limit=1)).json()
    assert len(rows["items"]) == 1
    assert rows["next"]
    assert (await auditor.get("/sample/v1/audit", outcome="refused")).json()["items"] == []
    head = (await auditor.get("/sample/v1/audit/head")).json()
    proof = await auditor.get("/sample/v1/audit/verify", number=head["number"], hash=head["hash"])
    assert proof.json()["whole"] is True
    other = await auditor.get("/sample/v1/audit/verify", number=1, hash="00" * 32)
    assert other.json()["broken"]["reason"] == "differs_from_the_head_that_a_peer_holds"
    assert (await auditor.get("/sample/v1/audit/verify", number=1)).status_code == 422


async def test_clerks_do_not_read_the_audit_log(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    for path in ("audit", "audit/head", "audit/verify"):
        assert (await clerk.get(f"/sample/v1/{path}")).status_code == 403


async def test_the_workers_job_seals_what_is_pending(node: ServedNode, keyring: Keyring) -> None:
    await act(node, 2)
    (job,) = [job for job in kernel_jobs(node.runtime) if job.name == "seal-audit"]
    await job.run(node.runtime)
    found = await verify(node.runtime.database, keyring)
    assert (found.rows, found.pending) == (2, 0)
