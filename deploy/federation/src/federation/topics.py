"""The topics of a federation, as the contracts' YAML declares them."""

from collections.abc import Iterable

from aiokafka.admin import NewTopic

from contracts.topics import RECORD_OVERHEAD, TopicSpec, load_topics, topic_name


def federation_topics(nodes: Iterable[str], *, replication: int = 1) -> list[NewTopic]:
    """Return every topic that these nodes and the city own; departments' topics come on demand."""
    codes = sorted(nodes)
    found = []
    for spec in load_topics().topics.values():
        if spec.per == "city":
            found.append(_new_topic(topic_name(spec.family), spec, replication))
        elif spec.per == "node":
            names = (topic_name(spec.family, code) for code in codes)
            found += [_new_topic(name, spec, replication) for name in names]
    return found


def _new_topic(name: str, spec: TopicSpec, replication: int) -> NewTopic:
    limit = str(spec.max_bytes + RECORD_OVERHEAD)
    settings = {"cleanup.policy": spec.cleanup, "max.message.bytes": limit}
    if spec.retention_ms is not None:
        settings["retention.ms"] = str(spec.retention_ms)
    return NewTopic(
        name=name,
        num_partitions=spec.partitions,
        replication_factor=replication,
        topic_configs=settings,
    )
