"""Topics of test nodes, as the contracts declare them."""

from collections.abc import Iterable

from aiokafka.admin import NewTopic

from federation.embedded_broker import create_topics
from federation.topics import federation_topics


async def create_node_topics(bootstrap: str, nodes: Iterable[str]) -> list[NewTopic]:
    """Create every topic of these nodes and the city's own; return them."""
    topics = federation_topics(nodes)
    await create_topics(bootstrap, topics)
    return topics
