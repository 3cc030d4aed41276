"""The processes of a federation, as its supervisor runs them."""

import signal
import sys
from collections.abc import Awaitable, Callable

import asyncpg

from federation import embedded_broker, embedded_postgres, home, ports, spawn
from federation.embedded_postgres import PostgresServer
from federation.plan import SERVICES, NodePlan, Plan
from federation.supervisor import Unit
from federation.topics import federation_topics
from kernel.http import HttpClient, HttpUnreachable

OK = 200
ISSUER = "issuer"
BROKER = "broker"


def database_unit_name(code: str) -> str:
    return f"postgres-{code}"


def node_unit_name(code: str) -> str:
    return f"node-{code}"


def build_units(plan: Plan) -> list[Unit]:
    """Prepare the run directory and return everything that must run."""
    home.prepare(plan)
    http = HttpClient(timeout=3.0)
    units = [_issuer(plan, http)]
    if not plan.bootstrap:
        units.append(_broker(plan))
    for node in plan.nodes:
        server = embedded_postgres.prepare(
            plan.node_home(node.code) / "postgres", port=node.database_port
        )
        units += [_database(node, server), _node(plan, node, server, http)]
    return units


def _issuer(plan: Plan, http: HttpClient) -> Unit:
    command = [sys.executable, "-m", "federation.issuer_process", str(plan.home)]
    return Unit(
        name=ISSUER,
        command=spawn.guarded([*command, str(plan.issuer_port), str(plan.clock_shift)]),
        log=plan.logs / "issuer.log",
        is_ready=_answers_ok(http, [f"{plan.issuer_url}/jwks"]),
        environment=spawn.python_environment(),
    )


def _broker(plan: Plan) -> Unit:
    async def listening(_: int) -> bool:
        return ports.answers(plan.broker_port)

    async def topics() -> None:
        # after every start: what the broker held before is gone
        await embedded_broker.create_topics(
            plan.bootstrap_servers, federation_topics(node.code for node in plan.nodes)
        )

    return Unit(
        name=BROKER,
        command=embedded_broker.command(plan.broker_port),
        log=plan.logs / "broker.log",
        is_ready=listening,
        once_ready=topics,
        environment=embedded_broker.ENVIRONMENT,
        patience=3.0,
    )


def _database(node: NodePlan, server: PostgresServer) -> Unit:
    async def ready(pid: int) -> bool:
        return server.is_ready(pid)

    async def databases() -> None:
        await create_databases(server)

    return Unit(
        name=database_unit_name(node.code),
        command=server.command(),
        log=server.log,
        is_ready=ready,
        once_ready=databases,
        environment=embedded_postgres.environment(),
        stop_signal=signal.SIGINT,
        patience=20.0,
    )


def _node(plan: Plan, node: NodePlan, server: PostgresServer, http: HttpClient) -> Unit:
    urls = {service: server.url(service) for service in SERVICES}
    settings = home.write_settings(plan, node, urls)
    needs = [database_unit_name(node.code), ISSUER] + ([] if plan.bootstrap else [BROKER])
    command = [sys.executable, "-m", "federation.node_process", str(settings)]
    return Unit(
        name=node_unit_name(node.code),
        command=spawn.guarded([*command, str(plan.clock_shift)]),
        log=plan.logs / f"node-{node.code}.log",
        is_ready=_answers_ok(http, [f"{node.url}/{name}/health/ready" for name in SERVICES]),
        environment=spawn.python_environment(),
        after=tuple(needs),
    )


async def create_databases(server: PostgresServer) -> None:
    """Make the databases of a node's services that are not there."""
    connection = await asyncpg.connect(server.url(driver="postgresql"))
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database")
        there = {row["datname"] for row in rows}
        for service in SERVICES:
            if service not in there:
                await connection.execute(f'CREATE DATABASE "{service}"')
    finally:
        await connection.close()


def _answers_ok(http: HttpClient, urls: list[str]) -> Callable[[int], Awaitable[bool]]:
    async def ready(_: int) -> bool:
        for url in urls:
            try:
                answer = await http.request("GET", url)
            except HttpUnreachable:
                return False
            if answer.status != OK:
                return False
        return True

    return ready
