"""The periodic work of every worker: seal the audit log, sign documents, forget old keys."""

from datetime import timedelta

from kernel.audit import seal_all
from kernel.document_signing import sign_waiting
from kernel.idempotency import prune
from kernel.runtime import Job, Runtime
from kernel.signing import NodeKey


def kernel_jobs(runtime: Runtime) -> tuple[Job, ...]:
    """Return the kernel's jobs; without a node key nothing can be sealed, and a log line says so.

    Only a worker calls this: it reads the node's key.
    """
    pruning = Job(name="prune-idempotency", every=timedelta(hours=1), run=_prune)
    file = runtime.settings.node_key_file
    if file is None:
        runtime.logger.warning("audit is not sealed: no node_key_file")
        return (pruning,)
    key = NodeKey.load(file)

    async def seal(running: Runtime) -> None:
        await seal_all(running.database, key)

    async def sign(running: Runtime) -> None:
        await sign_waiting(running.database, key)

    every = timedelta(seconds=runtime.settings.seal_seconds)
    return (
        Job(name="seal-audit", every=every, run=seal),
        Job(name="sign-documents", every=timedelta(seconds=1), run=sign),
        pruning,
    )


async def _prune(runtime: Runtime) -> None:
    await prune(runtime.database)
