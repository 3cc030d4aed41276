"""The committed descriptions of the interfaces are those that the code has."""

from pathlib import Path

import pytest

from federation import asyncapi, openapi

CONTRACTS = Path(__file__).parents[2] / "contracts"
HOW = "write them again: python -m federation.{0} contracts/{0}"


@pytest.mark.parametrize("module", [asyncapi, openapi], ids=["asyncapi", "openapi"])
def test_the_committed_documents_are_those_of_the_code(module):
    kind = module.__name__.rpartition(".")[2]
    for name, content in module.documents():
        assert (CONTRACTS / kind / name).read_bytes() == content, HOW.format(kind)


def test_every_event_type_of_a_consumed_topic_is_described():
    for service in asyncapi.SERVICES:
        topics = asyncapi.load_topics()
        described = asyncapi.document(service, topics)
        text = str([channel["description"] for channel in described["channels"].values()])
        for spec in topics.consumed_by(service):
            for event in spec.events:
                assert event.type in text


def test_every_operation_but_the_open_ones_needs_a_token():
    for _, content in openapi.documents():
        document = openapi.orjson.loads(content)
        open_ones = [
            path
            for path, operations in document["paths"].items()
            for operation in operations.values()
            if not operation["security"]
        ]
        # health tells no more than up or not; the delivery API takes the using system's own token
        assert all("/health/" in path or "/delivery/" in path for path in open_ones), open_ones
