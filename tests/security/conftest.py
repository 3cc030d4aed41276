"""One whole node with a walked story, shared by the tests of this folder that only read it."""

from collections.abc import Callable, Iterator

import pytest

from tests.security.cast import Walk
from tests.security.walk import walk
from tests.security.whole_node import SERVICES, WholeNode, whole_node
from tests.support.http import NodeFiles


@pytest.fixture(scope="module")
def node(postgres_url: Callable[..., str], node_files: NodeFiles) -> Iterator[WholeNode]:
    """A county's node with all services and workers."""
    urls = {service: postgres_url(service) for service in SERVICES}
    with whole_node(urls, node_files) as running:
        yield running


@pytest.fixture(scope="module")
def walked(node: WholeNode, node_files: NodeFiles) -> Walk:
    """The walk through the node."""
    return walk(node, node_files)
