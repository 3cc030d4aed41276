"""Each service process and each node's database is killed once, at a random moment of the story.

The moment is drawn from a seed that the test's id shows; ``FAULT_SEED`` draws other moments.
"""

import asyncio
import os
import random
import signal

import pytest

from federation import state
from federation.plan import CITY
from federation.story import Facts
from federation.story.cast import COUNTY_A, COUNTY_B, at_authority
from federation.story.catalogs import Scale
from federation.story.proving import verify_audit
from federation.story.stage import open_stage
from federation.story.tale import grant, prepare, refuse
from federation.units import ISSUER, database_unit_name, node_unit_name
from tests.support.federations import print_logs, running_federation

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]

NODES = (CITY, COUNTY_A, COUNTY_B)
UNITS = (ISSUER, *map(node_unit_name, NODES), *map(database_unit_name, NODES))
SEED = os.environ.get("FAULT_SEED", "1")
PATIENCE = 90.0
LONGEST_DELAY = 0.08  # seconds between the start of a call and the kill: before, in and after it


@pytest.fixture(scope="module")
def federation():
    with running_federation() as plan:

        async def prepared():
            async with open_stage(plan, patience=PATIENCE) as stage:
                await prepare(stage, Facts(), scale=Scale.SMALL)

        asyncio.run(prepared())
        yield plan


@pytest.fixture(scope="module")
def calls_of_a_story(federation):
    """How many calls an undisturbed story makes: the range from which moments are drawn."""
    counted = []
    asyncio.run(_tell(federation, counted.append))
    return len(counted)


async def _tell(plan, before_call):
    async with open_stage(plan, patience=PATIENCE) as stage:
        stage.before_call = before_call
        facts = Facts()
        await grant(stage, facts)
        await refuse(stage, facts)
        return facts


@pytest.mark.timeout(240)
@pytest.mark.parametrize("unit", UNITS)
async def test_the_story_ends_right_when_it_is_killed(unit, federation, calls_of_a_story):
    chance = random.Random(f"{SEED} {unit}")
    moment, delay = chance.randrange(calls_of_a_story), chance.uniform(0, LONGEST_DELAY)
    before = state.read(federation.home).units[unit]
    print(f"{unit} is killed {delay * 1000:.0f} ms into call {moment} of {calls_of_a_story}")

    def strike(number):
        if number == moment:
            asyncio.get_running_loop().call_later(delay, os.kill, before.pid, signal.SIGKILL)

    try:
        facts = await _tell(federation, strike)
        await _check(federation, facts)
    except BaseException:
        print_logs(federation)
        raise
    after = state.read(federation.home).units[unit]
    assert after.pid != before.pid
    assert after.starts == before.starts + 1


async def _check(plan, facts):
    """Everything happened once, in order, at every place."""
    assert len(facts.rows) == 970
    assert {filing["state"] for filing in facts.filings} == {"recorded"}
    assert facts.refused["state"] == "refused"
    async with open_stage(plan, patience=PATIENCE) as stage:
        for desk in facts.cast.desks:
            reviewer = stage.actor(at_authority(desk, "reviewer"))
            held = await reviewer.get(
                "/notify/v1/filings", subject_id=facts.granted.request_id, limit=10
            )
            assert [filing["state"] for filing in held["items"]] == ["recorded"]
        handler = stage.actor(facts.cast.handler)
        grants = await handler.get("/sharing/v1/grants", side="issued", limit=200)
        mine = [each for each in grants["items"] if each["request_id"] == facts.granted.request_id]
        assert [each["state"] for each in mine] == ["ended"]
        assert mine[0]["rows_delivered"] >= 970
        for node in NODES:
            operator = stage.actor(at_authority(node, "operator"))
            for service in ("catalog", "sharing", "notify"):
                letters = await operator.get(f"/{service}/v1/dead-letters")
                assert letters["items"] == []
        await verify_audit(stage)
