"""The parts of a service's bus half, made from its definition; API and worker both need some."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from contracts.stream import Missing, StreamKey
from contracts.topics import load_topics
from kernel import organisations, receipts
from kernel.consumer import Consumer
from kernel.consumer_store import PostgresConsumerStore
from kernel.handlers import Handlers
from kernel.kernel_handlers import kernel_handlers
from kernel.local import LocalPublisher, TellMissing, sibling_address
from kernel.outbox import source_of
from kernel.ports import ReceivedEvent
from kernel.principal import Principal
from kernel.publishers import KafkaPublisher
from kernel.relay import Relay
from kernel.relay_store import PostgresRelayStore
from kernel.relaying import Publisher, Sent
from kernel.runtime import Runtime, ServiceDefinition
from kernel.signing import Keyring, Signer


def all_handlers(definition: ServiceDefinition) -> Handlers:
    """Return the kernel's handlers, then the service's own."""
    handlers = Handlers()
    organisations.add_to(handlers)
    receipts.add_to(handlers)
    handlers.include(kernel_handlers(definition.runtime))
    handlers.include(definition.handlers)
    return handlers


def make_consumer(definition: ServiceDefinition, *, operator: Principal | None = None) -> Consumer:
    """Return the service's consumer; it holds no state, so API and worker may have one each.

    ``operator`` is who decides about dead letters and gaps.
    """
    runtime = definition.runtime

    @contextmanager
    def observe(event: ReceivedEvent) -> Iterator[str | None]:
        with runtime.telemetry.span(
            f"consume {event.type}", parent=event.traceparent, kind="consumer"
        ) as span:
            span.set(messaging__destination=event.topic, yiwang__event_id=event.id)
            yield span.traceparent

    return Consumer(
        store=PostgresConsumerStore(runtime.database, operator=operator),
        keyring=Keyring(runtime.registry),
        handlers=all_handlers(definition),
        node=runtime.node,
        clock=runtime.clock,
        observe=observe,
    )


class LateTeller:
    """Hands on what a sibling misses to a relay that is made after its publisher."""

    def __init__(self) -> None:
        self.hear: TellMissing | None = None

    def __call__(self, missing: Mapping[StreamKey, Missing]) -> None:
        if missing and self.hear is not None:
            self.hear(missing)


def siblings() -> tuple[str, ...]:
    """Return all services that read anything, by the contracts."""
    topics = load_topics().topics.values()
    return tuple(sorted({name for topic in topics for name in topic.consumers}))


def sibling_publisher(runtime: Runtime, service: str, tell: TellMissing) -> LocalPublisher:
    """Return the publisher to a sibling's door: in this process if it runs here, else by HTTP."""
    inside = sibling_address(service)
    address = inside if runtime.http.serves(inside) else runtime.settings.siblings.get(service)
    return LocalPublisher(
        runtime.http,
        address or inside,
        service,
        token=runtime.service_token(),
        clock=runtime.clock,
        tell=tell,
    )


def make_relay(
    definition: ServiceDefinition, transport: str, publisher: Publisher, signer: Signer
) -> Relay:
    """Return the relay of one transport."""
    runtime = definition.runtime
    source = source_of(runtime.node, runtime.service)
    store = PostgresRelayStore(runtime.database, transport, guards=definition.guards, source=source)

    def alarm(sent: Sequence[Sent]) -> None:
        for item in sent:
            if item.void.startswith("refused"):
                runtime.logger.error(
                    "the bus refuses an event for good: published as void",
                    topic=item.row.topic,
                    event_id=item.row.event_id,
                    reason=item.void,
                )

    return Relay(
        store=store,
        publisher=publisher,
        signer=signer,
        ids=runtime.ids,
        source=source,
        on_sent=alarm,
    )


def kafka_publisher(runtime: Runtime) -> KafkaPublisher:
    """Return the publisher of the bus that settings name."""
    settings = runtime.settings
    return KafkaPublisher(
        settings.bootstrap,
        client_id=f"{settings.node}.{settings.service}",
        clock=runtime.clock,
        spec_of=load_topics().spec_of,
        idempotent=settings.idempotent_producer,
    )
