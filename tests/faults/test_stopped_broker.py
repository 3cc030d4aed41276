"""With the broker stopped a county goes on working, and what crosses nodes waits."""

import asyncio
import os
import signal
from contextlib import contextmanager

import pytest

from federation import state
from federation.story import Facts
from federation.story.cast import COUNTY_B, Cast
from federation.story.catalogs import Scale
from federation.story.requesting import filings, new_case, receipt, search, submit
from federation.story.stage import open_stage
from federation.story.tale import grant, prepare
from federation.units import BROKER
from tests.support.federations import print_logs, running_federation

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]

WITHIN_ONE_COUNTY = Cast(requester=f"{COUNTY_B}-yj")


@pytest.fixture(scope="module")
def federation():
    with running_federation() as plan:

        async def prepared():
            async with open_stage(plan, patience=60) as stage:
                await prepare(stage, Facts(), scale=Scale.SMALL)

        asyncio.run(prepared())
        yield plan


@contextmanager
def stopped_broker(plan):
    """Stop the broker as it stands: connections stay open and nothing answers."""
    pid = state.read(plan.home).units[BROKER].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_request_within_one_county_runs_to_delivery_without_the_broker(federation):
    with stopped_broker(federation):
        async with open_stage(federation, patience=30) as stage:
            facts = Facts(cast=WITHIN_ONE_COUNTY)
            try:
                await grant(stage, facts)
            except BaseException:
                print_logs(federation)
                raise
    assert facts.submitted["relation"] == "same_region"
    assert facts.submitted["filings"] == []
    assert len(facts.rows) == 970
    assert facts.cut_off.status in {403, 410}


async def test_a_request_to_another_county_waits_and_arrives_when_the_broker_is_back(federation):
    async with open_stage(federation, patience=60) as stage:
        case = new_case(Cast())
        await search(stage, case)
        with stopped_broker(federation):
            answer = await submit(stage, case)
            assert answer["state"] == "dispatched"
            clerk = stage.actor(case.cast.clerk)
            shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
            assert shown["receipt"]["stored_at"] is None
        shown = await receipt(stage, case)
        assert shown["receipt"]["stored_at"] is not None
        recorded = await filings(stage, case)
        assert {filing["state"] for filing in recorded} == {"recorded"}
