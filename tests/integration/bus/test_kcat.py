"""kcat, an outsider in another language, reads a mailbox."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.integration.bus.nodes import Place, make_topics, place
from tests.support import providers
from tests.support.buskit import HAIFENG, Source

pytestmark = [pytest.mark.postgres, pytest.mark.broker]
CONFIRMED = "yiwang.sharing.request.confirmed.v1"
CASE = "01940000-0000-7000-8000-00000000ca5e"
TOPIC = "sharing.441581.v1"


@pytest.fixture
async def counties(
    tmp_path: Path, kcat: str, fresh_broker: Callable[[], str]
) -> AsyncIterator[Place]:
    assert kcat
    bootstrap = fresh_broker()
    await make_topics(bootstrap)
    async with place(tmp_path, bootstrap=bootstrap) as made:
        yield made


@pytest.fixture
def kcat() -> str:
    if "Tansu" in providers.choose_broker().title:
        # its ApiVersions answer (v3, tagged fields) is cut short for librdkafka 2.0
        pytest.skip("Debian's kcat cannot read the wheel's broker; TEST_BROKER=kafka runs this")
    found = shutil.which("kcat") or shutil.which("kafkacat")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("kcat is not installed, and CI demands it")
    return found or pytest.skip("kcat is not installed (Debian package kcat)")


async def test_kcat_prints_a_mailbox_with_its_attributes(
    kcat: str, counties: Place, postgres_url: Callable[..., str]
) -> None:
    haifeng = await counties.start(HAIFENG, "sharing", postgres_url("kernel"), handles=[CONFIRMED])
    await haifeng.emit(Source(counties.keys), "海丰", key=CASE)
    arguments = ("-C", "-q", "-u", "-t", TOPIC, "-o", "beginning", "-c", "1", "-f", "%k|%h|%s\n")
    process = await asyncio.create_subprocess_exec(
        kcat, "-b", counties.bootstrap, *arguments, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    key, headers, value = printed.decode().strip().split("|", 2)
    assert key == CASE
    attributes = dict(pair.split("=", 1) for pair in headers.split(","))
    assert attributes["ce_type"] == CONFIRMED
    assert attributes["ce_source"] == "/nodes/441521/sharing"
    assert attributes["ce_sequence"] == "1"
    assert attributes["ce_signature"].count(".") == 3
    assert "海丰" in value
