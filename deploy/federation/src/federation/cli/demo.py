"""``yiwang demo``: starts the federation and tells the story as a live timeline."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from federation import running as federation_running
from federation.cli.common import Home, console
from federation.cli.running import Otlp, PortBase, print_addresses, start_and_watch
from federation.client import RefusedError, UnreachableError
from federation.errors import SetupError
from federation.plan import Plan, default_home, make_plan
from federation.story import Facts, Line, real_catalog, tell_story
from federation.story.stage import StoryError, open_stage
from federation.supervisor import is_running

Exit = Annotated[
    bool, typer.Option("--exit", envvar="YIWANG_DEMO_EXIT", help="Stop when the story is told.")
]
RealCatalog = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        envvar="YIWANG_REAL_CATALOG",
        exists=True,
        dir_okay=False,
        help="Load a catalogue file of your own (JSON lines or CSV, also gzip) after the story.",
    ),
]
PATIENCE = 120.0  # seconds; the first start on a small machine is slow
TRACE_SHOWN = 8
WHO_WIDTH = 22  # cells; a Chinese character takes two


def demo(
    home: Home = None,
    port_base: PortBase = None,
    otlp: Otlp = "",
    leave: Exit = False,
    catalog: RealCatalog = None,
) -> None:
    """Start a city and two counties and tell how one request crosses them; stays until Ctrl-C."""
    plan = make_plan((home or default_home()).absolute(), port_base=port_base, otlp_endpoint=otlp)
    if is_running(plan.home):
        raise SetupError(f"A federation already runs in {plan.home}: yiwang down stops it.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        supervisor = start_and_watch(plan, with_me=True)
        console().print(f"City and two counties run after {time.monotonic() - began:.1f} s.\n")
        show_end(plan, asyncio.run(_tell(plan, console(), catalog)))
        if not leave:
            console().print("\nEverything stays up until Ctrl-C.")
            supervisor.wait()  # it only ends by itself when it is killed
    except KeyboardInterrupt:
        console().print("Stopping …")
    except (StoryError, RefusedError, UnreachableError) as error:
        raise SetupError(f"The story broke off: {error}. Logs: {plan.logs}") from error
    finally:
        if federation_running.stop(plan):
            console().print("Stopped; no process stays.")


async def _tell(plan: Plan, shown: Console, catalog: Path | None) -> Facts:
    with shown.status("…") as status:

        def tell(line: Line) -> None:
            status.update(f"after: {line.act}")
            print_line(shown, line)

        async with open_stage(plan, tell=tell, patience=PATIENCE) as stage:
            facts = await tell_story(stage)
            if catalog is not None:
                show_report(shown, await real_catalog.load(stage, catalog))
            return facts


def print_line(shown: Console, line: Line) -> None:
    """Print one line of the timeline: who, where and what, then article, due date and trace."""
    row = Table.grid(padding=(0, 2), expand=False)
    for width, style in ((8, "dim"), (6, "cyan"), (WHO_WIDTH, "bold"), (None, "")):
        row.add_column(width=width, style=style, no_wrap=width is not None, overflow="fold")
    local = line.at.astimezone()
    what = Text(line.act)
    if line.detail:
        what.append(f"  {line.detail}", style="default")
    row.add_row(f"{local:%H:%M:%S}", line.node, line.who, what)
    ground = "  ".join(
        part
        for part in (
            line.article,
            f"期限 due {line.due}" if line.due else "",
            f"trace {line.trace[:TRACE_SHOWN]}" if line.trace else "",
        )
        if part
    )
    if ground:
        row.add_row("", "", "", Text(ground, style="yellow" if line.due else "dim"))
    shown.print(row)


def show_report(shown: Console, report: real_catalog.Report) -> None:
    """Tell what became of a catalogue file, and why not of every row."""
    table = Table("现有目录 existing catalogue", "", show_edge=False)
    counts = {
        "行 rows": report.rows,
        "成为草稿 became drafts": report.drafts,
        "原样齐全 complete as read": report.complete_as_read,
        "补全后齐全 complete with assumed values": report.complete,
        "已发布 published": report.published,
    }
    for name, count in counts.items():
        table.add_row(name, str(count))
    for title, found in (
        ("未成草稿 no draft", report.refused),
        ("仍缺 still missing", report.missing),
        ("未通过 refused", report.reasons),
        ("部门对应 department found by", report.matched),
    ):
        for reason, count in sorted(found.items(), key=lambda each: -each[1]):
            table.add_row(f"{title}: {reason}", str(count))
    shown.print(table)


def show_end(plan: Plan, facts: Facts) -> None:
    """Tell what came out and where to look next."""
    shown = console()
    shown.print()
    case = facts.granted
    if case is not None:
        shown.print(
            f"申请 request {case.request_no}: 取得 {case.rows} 行 rows, 授权已撤销 revoked."
        )
        numbers = "、".join(str(filing["filing_no"]) for filing in facts.filings)
        shown.print(f"备案 filings: {numbers}")
        shown.print(f"trace: {case.trace}", highlight=False)
    total = sum(facts.published.values())
    shown.print(f"目录 catalogue: {total} 条已发布 entries published\n")
    print_addresses(plan)
