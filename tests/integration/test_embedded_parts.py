"""The database and the broker from the wheels behave as the federation relies on."""

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from federation.embedded_broker import create_topics
from federation.embedded_postgres import SILENT
from tests.support.topics import create_node_topics


async def _value(url, query):
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.postgres
class TestDatabase:
    async def test_the_server_is_major_18_with_room_for_300_connections(self, postgres_url):
        url = postgres_url()
        assert (await _value(url, "SHOW server_version")).startswith("18")
        assert await _value(url, "SHOW max_connections") == "300"

    async def test_chinese_words_survive_the_text_search_parser(self, postgres_url):
        tokens = await _value(postgres_url(), "SELECT to_tsvector('simple', '企业 登记')::text")
        assert tokens == "'企业':1 '登记':2"

    async def test_each_call_gives_a_database_of_its_own(self, postgres_url):
        one, other = postgres_url(), postgres_url()
        await _value(one, "CREATE TABLE mark (id int)")
        assert await _value(one, "SELECT to_regclass('mark')") == "mark"
        assert await _value(other, "SELECT to_regclass('mark')") is None

    async def test_a_wrong_password_is_refused(self, postgres_url):
        head, _, host = postgres_url().rpartition("@")
        user = head.rsplit(":", 1)[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _value(f"{user}:wrong@{host}", "SELECT 1")

    async def test_no_statement_and_no_value_reaches_the_log(self, postgres_url):
        url = postgres_url()
        for name, value in SILENT.items():
            assert await _value(url, f"SHOW {name}") == value


@pytest.mark.broker
class TestBroker:
    async def test_what_is_published_is_read_again_with_key_and_headers(self, broker_bootstrap):
        topic = NewTopic(name="embedded-parts", num_partitions=2, replication_factor=1)
        await create_topics(broker_bootstrap, [topic])
        await create_topics(broker_bootstrap, [topic])  # a second start finds them there
        async with AIOKafkaProducer(bootstrap_servers=broker_bootstrap) as producer:
            await producer.send_and_wait(
                topic.name, b"value", key=b"key", partition=1, headers=[("ce_id", b"1")]
            )
        async with AIOKafkaConsumer(
            topic.name, bootstrap_servers=broker_bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            record = await consumer.getone()
        assert (record.partition, record.key, record.value) == (1, b"key", b"value")
        assert list(record.headers) == [("ce_id", b"1")]

    async def test_every_node_gets_the_topics_that_the_contracts_declare(self, broker_bootstrap):
        made = await create_node_topics(broker_bootstrap, ["441500", "441521"])
        admin = AIOKafkaAdminClient(bootstrap_servers=broker_bootstrap)
        await admin.start()
        try:
            described = await admin.describe_topics([topic.name for topic in made])
        finally:
            await admin.close()
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
        assert partitions == {topic.name: topic.num_partitions for topic in made}
        assert partitions["sharing.441521.v1"] == 4
        assert partitions["federation.nodes.v1"] >= 1
        assert not any(name.startswith("departments") for name in partitions)
