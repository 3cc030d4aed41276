"""Periodic work of the worker: candidates are listed, then each is done in its own transaction."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.runtime import Job, Runtime
from sharing.context import NodeContext
from sharing.datasets import repository as datasets
from sharing.filings import repository as filings
from sharing.grants import repository as grants
from sharing.grants.service import end_for_takedown, expire
from sharing.requests import repository as requests
from sharing.requests import timers
from sharing.requests.ports import SharingTx
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

BATCH = 200
REPLACED_KEPT = timedelta(days=1)
"""A replaced file's rows stay this long for readers that are still turning its pages."""

Find = Callable[[AsyncConnection, datetime], Awaitable[Sequence[str]]]
Step = Callable[..., Awaitable[object]]


async def _each(runtime: Runtime, find: Find, step: Step) -> None:
    async with runtime.database.transaction(read_only=True) as tx:
        found = await find(tx.connection, runtime.clock.now())
    for each in found:
        async with runtime.database.transaction() as tx:
            ports: SharingTx = PostgresSharingTx(tx)
            context: NodeContext = context_of(runtime)
            await step(ports, each, context=context)


async def end_expired_grants(runtime: Runtime) -> None:
    """End grants whose period is over."""
    await _each(runtime, lambda c, now: grants.over(c, now, limit=BATCH), expire)


async def end_grants_of_offline_entries(runtime: Runtime) -> None:
    """End grants that were given while the entry's takedown was on its way."""
    await _each(runtime, lambda c, _: grants.of_offline_entries(c, limit=BATCH), end_for_takedown)


async def confirm_deliveries(runtime: Runtime) -> None:
    """Confirm deliveries by lapse of time (policy)."""
    await _each(
        runtime,
        lambda c, now: requests.waiting(c, "delivered", now - timers.EARLIEST, limit=BATCH),
        timers.auto_confirm,
    )


async def alarm_silence(runtime: Runtime) -> None:
    """Alarm when another node has not received a request or a filing for long (policy)."""
    await _each(
        runtime,
        lambda c, now: requests.waiting(c, "dispatched", now - timers.EARLIEST, limit=BATCH),
        timers.alarm_unreachable,
    )
    await _each(
        runtime,
        lambda c, now: filings.unreceipted(c, now - timers.EARLIEST, limit=BATCH),
        timers.alarm_filing,
    )


async def tidy(runtime: Runtime) -> None:
    """Forget expired tokens and the rows of files that were replaced."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as tx:
        await grants.forget_tokens(tx.connection, now)
    async with runtime.database.transaction() as tx:
        await datasets.drop_replaced(tx.connection, now - REPLACED_KEPT, limit=1)


def jobs() -> tuple[Job, ...]:
    """Return the service's periodic work."""
    return (
        Job(name="end-expired-grants", every=timedelta(seconds=10), run=end_expired_grants),
        Job(
            name="end-grants-of-offline-entries",
            every=timedelta(minutes=1),
            run=end_grants_of_offline_entries,
        ),
        Job(name="confirm-deliveries", every=timedelta(minutes=10), run=confirm_deliveries),
        Job(name="alarm-silence", every=timedelta(minutes=10), run=alarm_silence),
        Job(name="tidy", every=timedelta(minutes=5), run=tidy),
    )
