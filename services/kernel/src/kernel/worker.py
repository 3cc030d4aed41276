"""A service's worker: relays, consumers, jobs; it stops subscribing while the database is away."""

from kernel.runtime import ServiceDefinition


class Worker:
    """Everything of a service that is not HTTP; started and stopped by ``kernel.serve``."""

    def __init__(self, definition: ServiceDefinition) -> None:
        self.definition = definition

    async def start(self) -> None:
        """Start all loops; returns once they run."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Finish what is in flight and stop all loops."""
        raise NotImplementedError
