"""Filing numbers go on beyond every number that the desk has ever given (protocol §1)."""

from kernel.runtime import Runtime
from notify.filings import repository


async def reseed(runtime: Runtime) -> None:
    """Let the serial go on beyond the highest number on file.

    A restored database brings its sequence back with it; ``repository.raise_serial`` takes the
    highest number that peers name, where they hold a later one.
    """
    async with runtime.database.transaction() as tx:
        highest = await repository.highest_serial(tx.connection)
        if highest:
            await repository.raise_serial(tx.connection, highest)
